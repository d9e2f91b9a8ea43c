#include "parallel/cache.h"

#include <algorithm>

#if defined(__x86_64__) || defined(_M_X64)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <stdio.h>
#include <string.h>
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

#elif defined(__aarch64__) && defined(__linux__)

/// The first word of what the kernel says about one cache of the first processor; false if there is no such cache.
bool read_word(int index, const char* name, char (&word)[32]) {
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index, name);
    FILE* file = fopen(path, "r");
    if (file == nullptr) return false;
    const bool read = fscanf(file, "%31s", word) == 1;
    fclose(file);
    return read;
}

/// The registers that describe caches are the operating system's: Linux copies them to files, where the firmware has
/// told it the sizes.
int64_t detect() {
    int64_t largest = 0;
    char type[32], size[32];
    for (int index = 0; index < 16 && read_word(index, "type", type); ++index) {
        long long kibibytes = 0;
        const bool data = strcmp(type, "Data") == 0 || strcmp(type, "Unified") == 0;
        if (!data || !read_word(index, "size", size) || sscanf(size, "%lldK", &kibibytes) != 1) continue;
        largest = std::max<int64_t>(largest, std::min(kibibytes, 1LL << 30) << 10);
    }
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
