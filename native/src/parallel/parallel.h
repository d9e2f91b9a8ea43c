// Threads. Work arrives as a number of independent pieces whose results do not depend on who runs them or when, so the
// number of threads changes nothing but the time.
#pragma once

#include <stdint.h>

namespace ni::parallel {

/// The largest limit that can be set.
constexpr int32_t kMaxThreads = 1024;

/// Threads a call may use at most in this process. By default the processors it may run on, or OMP_NUM_THREADS.
int32_t limit();

/// Sets the limit; 0 restores the default.
void set_limit(int32_t threads);

/// Threads worth using for `elements` elements of work: waking a thread costs as much as some ten thousand of them.
/// `max_threads` is the caller's own limit, 0 for the limit of the process; of a higher one, no more than four times
/// the processors are used.
int32_t threads_for(int64_t elements, int32_t max_threads);

/// Runs body(context, i) for every i in [0, pieces) on up to `threads` threads and returns when all are done. Pieces
/// are handed out one by one, so that a thread that is held up by another program leaves the rest to the others; the
/// call still waits for it to arrive, because that is how OpenMP ends a parallel region. The body must not throw.
void run(int64_t pieces, int32_t threads, void (*body)(void* context, int64_t piece), void* context);

/// run() for a callable.
template <class Body>
void for_each(int64_t pieces, int32_t threads, Body& body) {
    run(
        pieces, threads, [](void* context, int64_t piece) { (*static_cast<Body*>(context))(piece); }, &body);
}

}  // namespace ni::parallel
