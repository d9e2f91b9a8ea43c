// The floating-point mode that the vector contract promises.
#pragma once

#include <stdint.h>

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace ni::parallel {

/// Rounds to nearest and keeps denormals within its scope, on this thread. Other libraries of a process may have
/// changed that for some threads and not for others (a library linked with -ffast-math does when it is loaded), and
/// then results would depend on who computes them.
class DefaultFloatMode {
public:
#if defined(__x86_64__) || defined(_M_X64)
    DefaultFloatMode() : before_(_mm_getcsr()) {
        if (before_ != kDefault) _mm_setcsr(kDefault);
    }
    ~DefaultFloatMode() {
        if (before_ != kDefault) _mm_setcsr(before_);
    }

private:
    /// All exceptions masked, none raised, round to nearest, no flush to zero, denormals are not zero.
    static constexpr uint32_t kDefault = 0x1F80;
    uint32_t before_;
#else
    DefaultFloatMode() {}
    ~DefaultFloatMode() {}
#endif

public:
    DefaultFloatMode(const DefaultFloatMode&) = delete;
    DefaultFloatMode& operator=(const DefaultFloatMode&) = delete;
};

}  // namespace ni::parallel
