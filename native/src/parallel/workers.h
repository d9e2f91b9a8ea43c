// Threads that help callers with their pieces. A caller never waits for a helper that has not begun: what a helper
// that the system does not run would have done, the caller does itself. (The threads of OpenMP end a parallel region
// together: on a machine whose processors are taken, every call would wait for the scheduler.)
#pragma once

#include <stdint.h>

#include <atomic>

namespace ni::parallel {

/// What helpers run, once each. `index` is above 0 and differs among the helpers of a job; the caller is 0.
struct Job {
    void (*body)(void* context, int32_t index);
    void* context;
};

/// The most helpers that one job can have.
constexpr int32_t kMostHelpers = 255;

/// Offers a job to helpers while it lives. The destructor withdraws what nobody has taken up, and waits for those who
/// have.
class Offer {
public:
    /// To up to `helpers` of them: threads that wait, then new ones. The job must outlive the offer.
    Offer(const Job& job, int32_t helpers);
    ~Offer();
    Offer(const Offer&) = delete;
    Offer& operator=(const Offer&) = delete;

private:
    struct Made {
        int32_t worker;
        uint32_t state;  ///< of the worker, while nobody has taken it up
    };
    int32_t count_ = 0;
    Made made_[kMostHelpers];
};

}  // namespace ni::parallel
