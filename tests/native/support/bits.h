// Comparison to the bit. NaN equals NaN: the vector contract leaves payloads and signs of NaN to the hardware.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace ni::test {

inline uint32_t bits_of(float value) { return std::bit_cast<uint32_t>(value); }
inline uint64_t bits_of(double value) { return std::bit_cast<uint64_t>(value); }

template <class T>
bool same_bits(T a, T b) {
    return bits_of(a) == bits_of(b) || (std::isnan(a) && std::isnan(b));
}

template <class T>
testing::AssertionResult same_bits(const std::vector<T>& a, const std::vector<T>& b) {
    if (a.size() != b.size()) return testing::AssertionFailure() << a.size() << " and " << b.size() << " elements";
    for (size_t i = 0; i < a.size(); ++i) {
        if (same_bits(a[i], b[i])) continue;
        return testing::AssertionFailure()
               << std::hexfloat << "element " << i << " of " << a.size() << ": " << a[i] << " and " << b[i] << " ("
               << std::defaultfloat << a[i] << ", " << b[i] << ")";
    }
    return testing::AssertionSuccess();
}

}  // namespace ni::test
