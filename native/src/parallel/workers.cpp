#include "parallel/workers.h"

#include <mutex>
#include <system_error>
#include <thread>

#if defined(__x86_64__) || defined(_M_X64)
#include <emmintrin.h>
#endif

#include "parallel/float_mode.h"
#include "parallel/parallel.h"

namespace ni::parallel {
namespace {

/// What a worker is at: a phase, and above it the number of the job that is done next, so that nobody takes the next
/// offer for his own. Only a caller leads from idle to offered, by way of reserved, and only the worker leads on.
enum Phase : uint32_t { kIdle, kReserved, kOffered, kTaken, kPhases };

constexpr uint32_t kPhaseOf = kPhases - 1;

/// A thread and its letter box. All of them live as long as the process: a thread cannot be ended while the process
/// ends, and none of this has a destructor.
struct alignas(64) Worker {
    std::atomic<uint32_t> state;
    const Job* job;
    int32_t index;

    /// Exchanged, because notifying looks for sleepers only after that.
    void go_to(uint32_t next) { state.exchange(next, std::memory_order_seq_cst); }
};

Worker workers[kMostHelpers];
std::atomic<int32_t> started{0};

/// Looks some microseconds long whether done() holds, which is less than it takes to sleep and be woken.
template <class Done>
bool spin_until(int32_t turns, Done done) {
    for (int32_t i = 0; i < turns; ++i) {
        if (done()) return true;
#if defined(__x86_64__) || defined(_M_X64)
        _mm_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
    }
    return done();
}

/// Between two jobs: calls often follow one another, and have several each.
constexpr int32_t kIdleTurns = 2000;
/// For a helper's last piece.
constexpr int32_t kJoinTurns = 4000;

void work(Worker& worker) {
    for (;;) {
        uint32_t seen = 0;
        const auto offered = [&] {
            seen = worker.state.load(std::memory_order_relaxed);
            return (seen & kPhaseOf) == kOffered;
        };
        if (!spin_until(kIdleTurns, offered)) {
            while (!offered()) worker.state.wait(seen, std::memory_order_relaxed);
        }
        if (!worker.state.compare_exchange_strong(seen, seen - kOffered + kTaken, std::memory_order_acquire)) continue;
        {
            const DefaultFloatMode mode;
            worker.job->body(worker.job->context, worker.index);
            publish_streamed_stores();
        }
        worker.go_to(seen - kOffered + kPhases);
        worker.state.notify_all();
    }
}

/// One more worker; false where the system has no thread for it.
bool start_worker() {
    static std::mutex one_at_a_time;
    const std::lock_guard<std::mutex> lock(one_at_a_time);
    const int32_t next = started.load(std::memory_order_relaxed);
    if (next == kMostHelpers) return false;
    try {
        std::thread([next] { work(workers[next]); }).detach();
    } catch (const std::system_error&) {
        return false;
    }
    started.store(next + 1, std::memory_order_release);
    return true;
}

}  // namespace

Offer::Offer(const Job& job, int32_t helpers) {
    for (int32_t w = 0; count_ < helpers; ++w) {
        if (w == started.load(std::memory_order_acquire) && !start_worker()) return;
        Worker& worker = workers[w];
        uint32_t idle = worker.state.load(std::memory_order_relaxed);
        if ((idle & kPhaseOf) != kIdle ||
            !worker.state.compare_exchange_strong(idle, idle + kReserved, std::memory_order_acquire)) {
            continue;
        }
        made_[count_++] = {w, idle + kOffered};
        worker.job = &job;
        worker.index = count_;
        worker.go_to(idle + kOffered);
        worker.state.notify_one();
    }
}

Offer::~Offer() {
    for (int32_t i = 0; i < count_; ++i) {
        Worker& worker = workers[made_[i].worker];
        uint32_t offered = made_[i].state;
        if (worker.state.compare_exchange_strong(offered, offered - kOffered + kPhases, std::memory_order_relaxed)) {
            made_[i].worker = -1;  // it never began
        }
    }
    for (int32_t i = 0; i < count_; ++i) {
        if (made_[i].worker < 0) continue;
        const std::atomic<uint32_t>& state = workers[made_[i].worker].state;
        const uint32_t taken = made_[i].state - kOffered + kTaken;
        if (spin_until(kJoinTurns, [&] { return state.load(std::memory_order_acquire) != taken; })) continue;
        while (state.load(std::memory_order_acquire) == taken) state.wait(taken, std::memory_order_acquire);
    }
}

}  // namespace ni::parallel
