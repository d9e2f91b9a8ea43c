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

/// What a worker is at. Only a caller leads from idle to offered, by way of reserved, and only the worker leads on.
enum State : int32_t { kIdle, kReserved, kOffered, kTaken };

/// A thread and its letter box. All of them live as long as the process: a thread cannot be ended while the process
/// ends, and none of this has a destructor.
struct alignas(64) Worker {
    std::atomic<int32_t> state;
    std::atomic<int32_t> completed;  ///< jobs so far
    const Job* job;
    int32_t index;
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
        const auto offered = [&] { return worker.state.load(std::memory_order_relaxed) == kOffered; };
        if (!spin_until(kIdleTurns, offered)) {
            for (int32_t seen; (seen = worker.state.load(std::memory_order_relaxed)) != kOffered;) {
                worker.state.wait(seen, std::memory_order_relaxed);
            }
        }
        int32_t expected = kOffered;
        if (!worker.state.compare_exchange_strong(expected, kTaken, std::memory_order_acquire)) continue;
        {
            const DefaultFloatMode mode;
            worker.job->body(worker.job->context, worker.index);
            publish_streamed_stores();
        }
        worker.completed.fetch_add(1, std::memory_order_release);
        worker.completed.notify_all();
        worker.state.store(kIdle, std::memory_order_release);
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
        int32_t expected = kIdle;
        if (worker.state.load(std::memory_order_relaxed) != kIdle ||
            !worker.state.compare_exchange_strong(expected, kReserved, std::memory_order_acquire)) {
            continue;
        }
        made_[count_++] = {w, worker.completed.load(std::memory_order_relaxed)};
        worker.job = &job;
        worker.index = count_;
        worker.state.store(kOffered, std::memory_order_release);
        worker.state.notify_one();
    }
}

Offer::~Offer() {
    for (int32_t i = 0; i < count_; ++i) {
        Worker& worker = workers[made_[i].worker];
        int32_t expected = kOffered;
        if (worker.state.compare_exchange_strong(expected, kIdle, std::memory_order_relaxed)) {
            made_[i].worker = -1;  // it never began
        }
    }
    for (int32_t i = 0; i < count_; ++i) {
        if (made_[i].worker < 0) continue;
        const std::atomic<int32_t>& completed = workers[made_[i].worker].completed;
        const int32_t before = made_[i].completed;
        if (spin_until(kJoinTurns, [&] { return completed.load(std::memory_order_acquire) != before; })) continue;
        while (completed.load(std::memory_order_acquire) == before) completed.wait(before, std::memory_order_acquire);
    }
}

}  // namespace ni::parallel
