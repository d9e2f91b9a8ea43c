#include "dispatch/cpu.h"

#include <stdint.h>

#if defined(__x86_64__) || defined(_M_X64)
#include <cpuid.h>
#endif

namespace ni::dispatch {
namespace {

#if defined(__x86_64__) || defined(_M_X64)

/// XCR0: the register states that the operating system saves. Callable only where CPUID reports OSXSAVE.
uint64_t enabled_states() {
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return static_cast<uint64_t>(high) << 32 | low;
}

constexpr bool has(uint64_t value, uint64_t bits) { return (value & bits) == bits; }

Cpu detect() {
    constexpr uint32_t kFma = 1U << 12, kOsxsave = 1U << 27, kAvx = 1U << 28, kF16c = 1U << 29;  // leaf 1, ECX
    constexpr uint32_t kAvx2 = 1U << 5;                                                          // leaf 7, EBX
    constexpr uint32_t kAvx512 = 1U << 16 | 1U << 17 | 1U << 30 | 1U << 31;                      // F, DQ, BW, VL
    constexpr uint64_t kYmmState = 0x6, kZmmState = 0xE6;
    uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || !has(ecx, kFma | kOsxsave | kAvx | kF16c)) return {};
    const uint64_t states = enabled_states();
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return {};
    const bool avx2 = has(ebx, kAvx2) && has(states, kYmmState);
    return {avx2, avx2 && has(ebx, kAvx512) && has(states, kZmmState)};
}

#else

Cpu detect() { return {}; }

#endif

}  // namespace

const Cpu& cpu() {
    static const Cpu detected = detect();
    return detected;
}

}  // namespace ni::dispatch
