// SiLU and its derivative against the formulas in long double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "activation/steps.h"
#include "support/bits.h"
#include "support/fill.h"
#include "support/share.h"
#include "support/tables.h"

namespace ni::test {
namespace {

/// sigmoid(z), without a loss where exp(-z) is large.
long double sigmoid(long double z) { return z < 0 ? std::exp(z) / (1 + std::exp(z)) : 1 / (1 + std::exp(-z)); }

long double exact_silu(long double z) { return z * sigmoid(z); }
long double exact_derivative(long double z) { return sigmoid(z) * (1 + z * sigmoid(-z)); }
/// What the derivative's terms add up to without regard to signs.
long double magnitude_of_derivative(long double z) { return sigmoid(z) * (1 + std::abs(z) * sigmoid(-z)); }

/// The distance from a number of T of this size to the next one.
template <class T>
long double unit_of(long double value) {
    int exponent;
    std::frexp(std::abs(value), &exponent);
    return std::ldexp(1.0L, std::max(exponent, std::numeric_limits<T>::min_exponent) - std::numeric_limits<T>::digits);
}

/// The largest error over some z, in units in the last place, and where it is.
struct Worst {
    long double units = 0, at = 0;
    void take(long double error, long double z) {
        if (!(error <= units)) {
            units = error;
            at = z;
        }
    }
};

/// z of every size, and most where SiLU is neither 0 nor z.
template <class E>
std::vector<typename E::Data> sweep(int64_t count) {
    using Data = typename E::Data;
    std::vector<Data> z;
    const auto least_exponent = std::numeric_limits<Data>::min_exponent - std::numeric_limits<Data>::digits;
    const auto exponents = static_cast<uint64_t>(std::numeric_limits<Data>::max_exponent - least_exponent);
    const double widths[] = {4, 40, sizeof(Data) == 4 ? 230.0 : 1600.0};
    for (int64_t i = 0; i < count; ++i) {
        const uint64_t random = mixed(static_cast<uint64_t>(i));
        const double part = static_cast<double>(random >> 11) * 0x1p-53 - 0.5;
        const auto exponent = static_cast<int>(random % exponents) + least_exponent;
        z.push_back(static_cast<Data>(i % 4 == 3 ? std::ldexp(part < 0 ? part - 0.5 : part + 0.5, exponent)
                                                 : part * widths[i % 4]));
    }
    return z;
}

template <class E>
void expect_accurate(long double of_silu, long double of_derivative) {
    using Data = typename E::Data;
    SCOPED_TRACE(Type<E>::kName);
#if NI_EMULATED_TESTS
    const int64_t count = 20000;
#else
    const int64_t count = 400000;
#endif
    const std::vector<Data> z = sweep<E>(count), y = silu_of<E>(z);
    const std::vector<Data> derivative = silu_gradient_of<E>(std::vector<Data>(z.size(), Data(1)), z);
    Worst silu, slope;
    for (size_t i = 0; i < z.size(); ++i) {
        const auto at = static_cast<long double>(z[i]);
        const long double exact = exact_silu(at), exact_slope = exact_derivative(at);
        silu.take(std::abs(static_cast<long double>(y[i]) - exact) / unit_of<Data>(exact), at);
        slope.take(std::abs(static_cast<long double>(derivative[i]) - exact_slope) /
                       unit_of<Data>(magnitude_of_derivative(at)),
                   at);
    }
    EXPECT_LT(silu.units, of_silu) << "at " << silu.at;
    EXPECT_LT(slope.units, of_derivative) << "at " << slope.at;
    // No sweep that shows nothing: correctly rounded, they would be off by half a unit.
    EXPECT_GT(silu.units, 0.5L);
}

TEST(Silu, IsWithinTwoUnitsInTheLastPlace) {
    expect_accurate<Float32>(2, 5);
    expect_accurate<Float64>(2, 5);
}

/// All numbers of 16 bits.
template <class E>
void expect_nearest() {
    SCOPED_TRACE(Type<E>::kName);
    std::vector<uint16_t> z;
    for (uint32_t bits = 0; bits < 65536; ++bits) z.push_back(static_cast<uint16_t>(bits));
    const std::vector<uint16_t> y = silu_of<E>(z);
    const std::vector<uint16_t> g = silu_gradient_of<E>(std::vector<uint16_t>(z.size(), Type<E>::of(1)), z);
    size_t beside = 0;
    for (size_t i = 0; i < z.size(); ++i) {
        const auto at = static_cast<long double>(Type<E>::value(z[i]));
        if (!std::isfinite(at)) continue;
        beside += y[i] != Type<E>::of(exact_silu(at)) ? 1 : 0;
        ASSERT_TRUE(is_beside<E>(y[i], exact_silu(at))) << at;
        ASSERT_LE(std::abs(order_of(g[i]) - order_of(Type<E>::of(exact_derivative(at)))), 1) << at;
    }
    EXPECT_LT(beside, 64U) << "numbers are not the nearest ones";
}

TEST(Silu, OfEveryNumberOf16BitsIsTheNearestOneOrItsNeighbour) {
    expect_nearest<Float16>();
    expect_nearest<BFloat16>();
}

template <class E>
void expect_special_values() {
    using Limits = std::numeric_limits<double>;
    SCOPED_TRACE(Type<E>::kName);
    std::vector<typename E::Data> z;
    for (const double value :
         {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), 0.0, -0.0, 30000.0, -30000.0}) {
        z.push_back(Type<E>::of(static_cast<long double>(value)));
    }
    const std::vector<double> y = values<E>(silu_of<E>(z));
    const std::vector<double> slope =
        values<E>(silu_gradient_of<E>(std::vector<typename E::Data>(z.size(), Type<E>::of(1)), z));
    EXPECT_TRUE(same_bits(
        y, {Limits::infinity(), Limits::quiet_NaN(), Limits::quiet_NaN(), 0.0, -0.0, Type<E>::value(z[5]), -0.0}));
    EXPECT_TRUE(same_bits(slope, {Limits::quiet_NaN(), Limits::quiet_NaN(), Limits::quiet_NaN(), 0.5, 0.5, 1.0, -0.0}));
}

TEST(Silu, OfZerosInfinitiesNanAndLargeNumbers) {
    expect_special_values<Float32>();
    expect_special_values<Float64>();
    expect_special_values<Float16>();
    expect_special_values<BFloat16>();
}

/// silu_of() and silu_gradient_of() are the scalar kernels': all others have their bits, sweep and specials.
TEST(Silu, HasTheSameBitsOnEveryInstructionSet) {
    const auto compare = [](auto e) {
        using E = decltype(e);
        using Data = typename E::Data;
        std::vector<Data> z = sweep<E>(20000);
        for (const double value : {HUGE_VAL, -HUGE_VAL, std::nan(""), 0.0, -0.0}) z.push_back(static_cast<Data>(value));
        const std::vector<Data> dy(z.size(), Data(0.7)), y = silu_of<E>(z), g = silu_gradient_of<E>(dy, z);
        const auto length = static_cast<int64_t>(z.size());
        for (const KernelTable* table : supported_tables()) {
            SCOPED_TRACE(table->isa);
            std::vector<Data> got(z.size());
            table->of(e).planes_activate(z.data(), nullptr, {1, length, length}, kCopy<typename E::Constant>,
                                         Activation::kSilu, Store::kCached, got.data(), {nullptr, 0});
            EXPECT_TRUE(same_bits(got, y));
            table->of(e).planes_gated_scale(dy.data(), z.data(), {nullptr, 0}, {1, length, length},
                                            kCopy<typename E::Constant>, Activation::kSilu, 1, Store::kCached,
                                            got.data(), {nullptr, Store::kCached});
            EXPECT_TRUE(same_bits(got, g));
        }
    };
    compare(Float32());
    compare(Float64());
}

}  // namespace
}  // namespace ni::test
