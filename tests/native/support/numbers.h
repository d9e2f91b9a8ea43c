// The data types as the tests see them: names, and conversions that share nothing with the library's.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/kernel_types.h"

namespace ni::test {

/// A binary floating-point format of 16 bits.
struct Format {
    int fraction;        ///< bits of the fraction
    int least_exponent;  ///< of a normal number
    uint16_t infinity;
};
constexpr Format kHalf = {10, -14, 0x7C00}, kBFloat16 = {7, -126, 0x7F80};

/// The number nearest to `value`, of two equally near ones the even one, by arithmetic on its scaled fraction.
uint16_t rounded(const Format& format, long double value);
/// Exact; NaN for every NaN.
double value_of(const Format& format, uint16_t bits);
/// value_of() of all 65536 numbers.
const std::vector<double>& values_of(const Format& format);

/// Counts the numbers of the format upwards, zeros of both signs as one.
inline int32_t order_of(uint16_t bits) { return (bits & 0x8000) != 0 ? -(bits & 0x7FFF) : bits; }

template <class E>
struct Type;
template <>
struct Type<Float32> {
    static constexpr const char* kName = "float32";
    static constexpr long double kRoundoff = 0x1p-24L;  ///< largest relative error of one rounding of a constant
    static float of(long double value) { return static_cast<float>(value); }
    static double value(float data) { return static_cast<double>(data); }
};
template <>
struct Type<Float64> {
    static constexpr const char* kName = "float64";
    static constexpr long double kRoundoff = 0x1p-53L;
    static double of(long double value) { return static_cast<double>(value); }
    static double value(double data) { return data; }
};
template <>
struct Type<Float16> {
    static constexpr const char* kName = "float16";
    static constexpr long double kRoundoff = 0x1p-53L;
    static constexpr Format kFormat = kHalf;
    static uint16_t of(long double value) { return rounded(kHalf, value); }
    static double value(uint16_t data) { return values_of(kHalf)[data]; }
};
template <>
struct Type<BFloat16> {
    static constexpr const char* kName = "bfloat16";
    static constexpr long double kRoundoff = 0x1p-53L;
    static constexpr Format kFormat = kBFloat16;
    static uint16_t of(long double value) { return rounded(kBFloat16, value); }
    static double value(uint16_t data) { return values_of(kBFloat16)[data]; }
};

template <class E>
constexpr bool kIs16Bit = sizeof(typename E::Data) == 2;
constexpr std::array<const char*, 4> kTypeNames = {Type<Float32>::kName, Type<Float64>::kName, Type<Float16>::kName,
                                                   Type<BFloat16>::kName};

/// The numbers nearest to some values, and the values of numbers.
template <class E, class T>
std::vector<typename E::Data> numbers(const std::vector<T>& values) {
    std::vector<typename E::Data> data;
    data.reserve(values.size());
    for (const T value : values) data.push_back(Type<E>::of(value));
    return data;
}
template <class E>
std::vector<double> values(const std::vector<typename E::Data>& data) {
    std::vector<double> all;
    all.reserve(data.size());
    for (const auto number : data) all.push_back(Type<E>::value(number));
    return all;
}

/// Whether the numbers below and above one of 16 bits enclose `exact`, so that it or a neighbour of it is the nearest.
template <class E>
bool is_beside(uint16_t bits, long double exact) {
    const std::vector<double>& all = values_of(Type<E>::kFormat);
    const int32_t at = order_of(bits);
    const auto value_at = [&](int32_t order) {
        return static_cast<long double>(all[static_cast<size_t>(order < 0 ? 0x8000 - order : order)]);
    };
    return std::abs(at) < Type<E>::kFormat.infinity && value_at(at - 1) <= exact && exact <= value_at(at + 1);
}

/// Whether `got` is what a computation in the precision of E may make of `exact`. `error` bounds what it loses before
/// the result is rounded to 16 bits: that may end at a neighbour of the correctly rounded number, but no further.
template <class E>
bool is_result(double got, long double exact, long double error) {
    if (std::isnan(exact) || std::isnan(got)) return std::isnan(exact) && std::isnan(got);
    if (std::isinf(exact)) return static_cast<long double>(got) == exact;
    if constexpr (kIs16Bit<E>) {
        const int32_t at = order_of(Type<E>::of(got));
        return at >= order_of(Type<E>::of(exact - error)) - 1 && at <= order_of(Type<E>::of(exact + error)) + 1;
    } else {
        const auto largest = static_cast<long double>(std::numeric_limits<typename E::Data>::max());
        if (std::isinf(got)) return std::abs(exact) + error >= largest && (got > 0) == (exact > 0);
        return std::abs(static_cast<long double>(got) - exact) <= error;
    }
}

}  // namespace ni::test
