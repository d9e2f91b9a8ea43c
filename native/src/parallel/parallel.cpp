#include "parallel/parallel.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>

#if defined(__x86_64__) || defined(_M_X64)
#include <emmintrin.h>
#endif

#include "parallel/float_mode.h"

namespace ni::parallel {
namespace {

/// Elements that keep a thread busy for longer than it takes to wake it.
constexpr int64_t kElementsPerThread = 32768;

std::atomic<int32_t> process_limit{0};

/// Helpers at work for all callers together: a second caller gets what the first one left, and computes on its own
/// thread if that is nothing. So many callers do not oversubscribe the machine.
std::atomic<int32_t> busy_helpers{0};

/// Processors that a container may use on average, rounded up, or 0 without a quota (cgroup v2). OpenMP sees only which
/// ones it may run on.
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
        const int32_t allowed = quota(), present = std::clamp(omp_get_num_procs(), 1, static_cast<int>(kMaxThreads));
        return allowed > 0 ? std::min(allowed, present) : present;
    }();
    return count;
}

/// More threads than this gain nothing, and libgomp ends the process when the system refuses to make one.
int32_t most_useful() { return 4 * std::max(processors(), 2); }

int32_t default_limit() {
    static const int32_t threads = [] {
        const char* chosen = getenv("OMP_NUM_THREADS");
        const int32_t most = chosen != nullptr && *chosen != '\0' ? kMaxThreads : processors();
        return std::clamp(omp_get_max_threads(), 1, static_cast<int>(most));
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
    // As many for two pieces as for a hundred: libgomp ends the threads that a smaller team leaves over, and makes them
    // anew for the next larger one.
    const int32_t wanted = pieces > 1 ? threads - 1 : 0;
    // A call may ask for more threads than the process' limit (it was told to); the helpers it shares grow with it.
    const Helpers helpers(std::max(wanted, 0), std::max(limit(), threads) - 1);
    const int32_t team = helpers.taken() + 1;
    Pieces shared(pieces, team);
    if (team == 1) {
        Claims claims(shared, 0);
        body(context, claims);
        return;
    }
#pragma omp parallel num_threads(team)
    {
        const DefaultFloatMode mode;
        Claims claims(shared, omp_get_thread_num());
        body(context, claims);
        publish_streamed_stores();
    }
}

}  // namespace ni::parallel
