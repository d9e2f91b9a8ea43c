#include "parallel/parallel.h"

#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <thread>

#if defined(__x86_64__) || defined(_M_X64)
#include <emmintrin.h>
#endif

#include "parallel/workers.h"

namespace ni::parallel {
namespace {

/// Elements that keep a thread busy for longer than it takes to wake it.
constexpr int64_t kElementsPerThread = 32768;

std::atomic<int32_t> process_limit{0};

/// Helpers at work for all callers together: a second caller gets what the first one left, and computes on its own
/// thread if that is nothing. So many callers do not oversubscribe the machine.
std::atomic<int32_t> busy_helpers{0};

/// Processors that a container may use on average, rounded up, or 0 without a quota (cgroup v2). The system counts only
/// those that it may run on.
int32_t quota() {
    long long share = 0, period = 0;
    if (FILE* file = fopen("/sys/fs/cgroup/cpu.max", "r")) {
        if (fscanf(file, "%lld %lld", &share, &period) != 2) share = 0;  // "max 100000"
        fclose(file);
    }
    return share > 0 && period > 0
               ? static_cast<int32_t>(std::min<long long>((share + period - 1) / period, kMaxThreads))
               : 0;
}

/// Processors to run on.
int32_t processors() {
    static const int32_t count = [] {
        const int32_t allowed = quota(), present = static_cast<int32_t>(
                                             std::clamp<int64_t>(std::thread::hardware_concurrency(), 1, kMaxThreads));
        return allowed > 0 ? std::min(allowed, present) : present;
    }();
    return count;
}

/// More threads than this gain nothing.
int32_t most_useful() { return std::min(4 * std::max(processors(), 2), kMostHelpers + 1); }

/// OMP_NUM_THREADS, by which users tell all libraries of a process at once, or the processors.
int32_t default_limit() {
    static const int32_t threads = [] {
        const char* chosen = getenv("OMP_NUM_THREADS");
        const long wanted = chosen != nullptr ? strtol(chosen, nullptr, 10) : 0;
        return wanted > 0 ? static_cast<int32_t>(std::min<long>(wanted, kMaxThreads)) : processors();
    }();
    return threads;
}

/// Takes up to `wanted` helpers of the `available` ones; gives them back when it goes out of scope.
class Helpers {
public:
    Helpers(int32_t wanted, int32_t available) {
        int32_t busy = busy_helpers.load(std::memory_order_relaxed);
        do {
            taken_ = std::clamp(available - busy, 0, wanted);
        } while (taken_ > 0 && !busy_helpers.compare_exchange_weak(busy, busy + taken_, std::memory_order_relaxed));
    }
    ~Helpers() {
        if (taken_ > 0) busy_helpers.fetch_sub(taken_, std::memory_order_relaxed);
    }
    Helpers(const Helpers&) = delete;
    Helpers& operator=(const Helpers&) = delete;
    int32_t taken() const { return taken_; }

private:
    int32_t taken_ = 0;
};

}  // namespace

void publish_streamed_stores() {
#if defined(__x86_64__) || defined(_M_X64)
    _mm_sfence();
#endif
}

int32_t limit() {
    const int32_t set = process_limit.load(std::memory_order_relaxed);
    return set > 0 ? set : default_limit();
}

void set_limit(int32_t threads) { process_limit.store(threads, std::memory_order_relaxed); }

int32_t threads_for(int64_t elements, int32_t max_threads) {
    const int64_t allowed = std::min(max_threads > 0 ? max_threads : limit(), most_useful());
    return static_cast<int32_t>(std::clamp<int64_t>(elements / kElementsPerThread, 1, allowed));
}

void run(int64_t pieces, int32_t threads, void (*body)(void* context, Claims& claims), void* context) {
    const auto wanted = static_cast<int32_t>(std::min<int64_t>(threads, pieces)) - 1;
    // A call may ask for more threads than the process' limit (it was told to); the helpers it shares grow with it.
    const Helpers helpers(std::max(wanted, 0), std::max(limit(), threads) - 1);
    Pieces shared(pieces, helpers.taken() + 1);
    const auto run_claims = [&](int32_t thread) {
        Claims claims(shared, thread);
        body(context, claims);
    };
    using RunClaims = decltype(run_claims);
    const Job job{[](void* claimed, int32_t index) { (*static_cast<const RunClaims*>(claimed))(index); },
                  const_cast<void*>(static_cast<const void*>(&run_claims))};
    const Offer offer(job, helpers.taken());
    run_claims(0);
}

}  // namespace ni::parallel
