// The size of the cache, where it comes from files of the operating system.
#include "parallel/cache.h"

#include <gtest/gtest.h>

#if defined(__aarch64__) && defined(__linux__)
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace ni::parallel {
namespace {

std::string text_of(const std::filesystem::path& file) {
    std::string text;
    std::getline(std::ifstream(file), text);
    return text;
}

/// Bytes of "32768K", say; 0 for nothing.
int64_t bytes_of(const std::string& size) {
    const size_t digits = size.find_first_not_of("0123456789");
    if (digits == 0 || size.empty()) return 0;
    EXPECT_EQ(size.substr(digits), "K") << size;
    return std::stoll(size.substr(0, digits)) * 1024;
}

TEST(Cache, IsTheLargestForDataThatLinuxLists) {
    int64_t largest = 0;
    const std::filesystem::path caches = "/sys/devices/system/cpu/cpu0/cache";
    if (std::filesystem::exists(caches)) {
        for (const auto& cache : std::filesystem::directory_iterator(caches)) {
            if (cache.path().filename().string().starts_with("index") &&
                text_of(cache.path() / "type") != "Instruction")
                largest = std::max(largest, bytes_of(text_of(cache.path() / "size")));
        }
    }
    EXPECT_EQ(last_level_cache_bytes(), largest > 0 ? largest : int64_t{8} << 20);
}

}  // namespace
}  // namespace ni::parallel
#endif
