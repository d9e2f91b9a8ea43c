#include "parallel/cache.h"

#include <algorithm>

#if defined(__x86_64__) || defined(_M_X64)
#include <cpuid.h>
#endif

namespace ni::parallel {
namespace {

constexpr int64_t kUnknown = 8 << 20;

#if defined(__x86_64__) || defined(_M_X64)

/// Largest cache that a leaf with "deterministic cache parameters" lists (Intel: leaf 4; AMD: leaf 0x8000001D).
int64_t largest_of_leaf(uint32_t leaf) {
    int64_t largest = 0;
    for (uint32_t index = 0; index < 16; ++index) {
        uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
        if (__get_cpuid_count(leaf, index, &eax, &ebx, &ecx, &edx) == 0 || (eax & 31U) == 0) break;
        const int64_t line = (ebx & 0xFFFU) + 1, partitions = (ebx >> 12 & 0x3FFU) + 1, ways = (ebx >> 22) + 1;
        largest = std::max(largest, line * partitions * ways * (static_cast<int64_t>(ecx) + 1));
    }
    return largest;
}

int64_t detect() {
    const int64_t largest = std::max(largest_of_leaf(4), largest_of_leaf(0x8000001DU));
    return largest > 0 ? largest : kUnknown;
}

#else

int64_t detect() { return kUnknown; }

#endif

}  // namespace

int64_t last_level_cache_bytes() {
    static const int64_t bytes = detect();
    return bytes;
}

}  // namespace ni::parallel
