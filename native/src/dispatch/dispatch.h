// Which CPU is this, and which kernels serve it.
#pragma once

#include "kernels/registry.h"

namespace ni::dispatch {

/// The kernel tables of this build in ascending order of preference, those that this CPU cannot run included.
struct Candidate {
    const KernelTable* kernels;
    bool supported;
};

/// Number of candidates, and the candidates.
struct Candidates {
    const Candidate* first;
    int count;
    const Candidate* begin() const { return first; }
    const Candidate* end() const { return first + count; }
};
Candidates candidates();

/// Outcome of a choice: a table, or the reason why there is none.
struct Choice {
    const KernelTable* kernels;
    const char* error;
};

/// The table called `name`, or the best one that is supported if `name` is null or empty. `error` is
/// valid until this thread's next choice that fails.
Choice choose(const char* name);

/// choose() for the environment variable NORMINTEROP_ISA, decided once; its error stays.
const Choice& active();

}  // namespace ni::dispatch
