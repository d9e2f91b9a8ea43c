// The floating-point mode that the vector contract promises.
#pragma once

#include <stdint.h>

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace ni::parallel {

// The register that holds the mode of a thread, and the value that it has in a new process.
#if defined(__x86_64__) || defined(_M_X64)
/// MXCSR: all exceptions masked, none raised, round to nearest, no flush to zero, denormals are not zero.
constexpr uint64_t kDefaultFloatMode = 0x1F80;
inline uint64_t float_mode() { return _mm_getcsr(); }
inline void set_float_mode(uint64_t mode) { _mm_setcsr(static_cast<uint32_t>(mode)); }
#elif defined(__aarch64__)
/// FPCR: no traps, round to nearest, no flush to zero, NaNs keep their payload, and halves are those of IEEE 754.
constexpr uint64_t kDefaultFloatMode = 0;
inline uint64_t float_mode() {
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode) : : "memory");
    return mode;
}
inline void set_float_mode(uint64_t mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory"); }
#else
constexpr uint64_t kDefaultFloatMode = 0;
inline uint64_t float_mode() { return kDefaultFloatMode; }
inline void set_float_mode(uint64_t) {}
#endif

/// Rounds to nearest and keeps denormals within its scope, on this thread. Other libraries of a process may have
/// changed that for some threads and not for others (a library linked with -ffast-math does when it is loaded), and
/// then results would depend on who computes them.
class DefaultFloatMode {
public:
    DefaultFloatMode() : before_(float_mode()) {
        if (before_ != kDefaultFloatMode) set_float_mode(kDefaultFloatMode);
    }
    ~DefaultFloatMode() {
        if (before_ != kDefaultFloatMode) set_float_mode(before_);
    }
    DefaultFloatMode(const DefaultFloatMode&) = delete;
    DefaultFloatMode& operator=(const DefaultFloatMode&) = delete;

private:
    uint64_t before_;
};

}  // namespace ni::parallel
