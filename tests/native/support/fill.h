// Inputs of the tests: the same numbers on every run and every machine.
#pragma once

#include <cstdint>
#include <vector>

namespace ni::test {

enum class Fill {
    kNormal,    ///< standard normal
    kOffset,    ///< standard normal + 1e4
    kDenormal,  ///< standard normal * 1e-40: below float's normal range
    kSmall,     ///< standard normal * 3e-21: squares are denormal in float
    kHuge,      ///< standard normal * 1e30: squares overflow in float
    kConstant,  ///< one value that is no short binary fraction
    kNan,       ///< standard normal, but one element
    kInfinity,  ///< standard normal, but one element
    kFarHead,   ///< standard normal, but the first elements, from which a shifted sum takes its shift, are around 100
};

constexpr Fill kFills[] = {Fill::kNormal,   Fill::kOffset, Fill::kDenormal, Fill::kSmall,  Fill::kHuge,
                           Fill::kConstant, Fill::kNan,    Fill::kInfinity, Fill::kFarHead};
const char* name_of(Fill fill);

/// The value of every element of kConstant.
constexpr float kConstantValue = -3.3F;

/// `count` values. Different seeds give different values; the odd element of kNan and kInfinity moves with the seed.
/// `head` is the number of first elements of kFarHead.
std::vector<float> filled(Fill fill, int64_t count, uint64_t seed, int64_t head = 16);

/// Standard normal values plus `offset`, times `scale`.
std::vector<float> normals(int64_t count, uint64_t seed, double offset = 0.0, double scale = 1.0);

/// Pseudorandom 64 bits from a counter (splitmix64, Steele, Lea and Flood 2014).
constexpr uint64_t mixed(uint64_t counter) {
    uint64_t z = counter * 0x9E3779B97F4A7C15ULL + 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

}  // namespace ni::test
