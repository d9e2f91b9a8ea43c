// ReLU and its gradient where z is at, or beside, the border between what passes and what does not.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "activation/steps.h"
#include "support/bits.h"
#include "support/tables.h"

namespace ni::test {
namespace {

class Relu : public testing::TestWithParam<const KernelTable*> {};

INSTANTIATE_TEST_SUITE_P(All, Relu, testing::ValuesIn(supported_tables()),
                         [](const auto& tested) { return std::string(tested.param->isa); });

/// A run of z made with some constants: y, mask and g are those of z as it is stored.
template <class E>
void expect_steps(const KernelTable& table, const std::vector<typename E::Data>& x,
                  const ApplyConstants<typename E::Constant>& k) {
    using Data = typename E::Data;
    const auto length = static_cast<int64_t>(x.size());
    const Planes run{1, length, length};
    const Kernels<E>& kernels = table.of(E());
    std::vector<Data> z(x.size()), y(x.size()), masked(x.size()), g(x.size()), dy(x.size(), Type<E>::of(3));
    std::vector<uint8_t> mask((x.size() + 7) / 8);
    kernels.planes_apply(x.data(), run, k, Store::kCached, z.data());
    kernels.planes_activate(x.data(), nullptr, run, k, Activation::kRelu, Store::kCached, y.data(), {nullptr, 0});
    kernels.planes_activate(x.data(), nullptr, run, k, Activation::kRelu, Store::kCached, masked.data(),
                            {mask.data(), 0});
    kernels.planes_gated_scale(dy.data(), x.data(), {nullptr, 0}, run, k, Activation::kRelu, 1, Store::kCached,
                               g.data(), {nullptr, Store::kCached});
    const Steps<E> steps(Activation::kRelu, z, {});
    EXPECT_TRUE(same_bits(values<E>(y), values<E>(steps.y)));
    EXPECT_TRUE(same_bits(values<E>(masked), values<E>(steps.y)));
    EXPECT_TRUE(mask == steps.mask());
    EXPECT_TRUE(same_bits(values<E>(g), values<E>(steps.gradient(dy))));
}

template <class E>
void expect_special_values(const KernelTable& table) {
    using Limits = std::numeric_limits<double>;
    SCOPED_TRACE(Type<E>::kName);
    const typename E::Data least = [] {
        if constexpr (kIs16Bit<E>) return uint16_t{1};
        return std::numeric_limits<typename E::Data>::denorm_min();
    }();
    std::vector<typename E::Data> x;
    for (const double value : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), 0.0, -0.0, 1.0, -1.0,
                               Type<E>::value(least), -Type<E>::value(least)}) {
        x.push_back(Type<E>::of(static_cast<long double>(value)));
    }
    // As whole vectors as well.
    while (x.size() < 40) x.push_back(x[x.size() - 9]);
    expect_steps<E>(table, x, kCopy<typename E::Constant>);
    expect_steps<E>(table, x, {0, -1, -typename E::Constant(0)});
    // What the steps say, said here once more.
    EXPECT_TRUE(same_bits(Type<E>::value(relu_of<E>(x[0])), Limits::infinity()));
    EXPECT_TRUE(same_bits(Type<E>::value(relu_of<E>(x[1])), 0.0));
    EXPECT_TRUE(std::isnan(Type<E>::value(relu_of<E>(x[2]))) && is_open<E>(x[2]));
    EXPECT_TRUE(same_bits(Type<E>::value(relu_of<E>(x[4])), 0.0) && !is_open<E>(x[3]) && !is_open<E>(x[4]));
    EXPECT_TRUE(same_bits(Type<E>::value(relu_of<E>(x[7])), Type<E>::value(least)) && is_open<E>(x[7]));
}

TEST_P(Relu, OfZerosInfinitiesNanAndTheLeastNumbers) {
    expect_special_values<Float32>(*GetParam());
    expect_special_values<Float64>(*GetParam());
    expect_special_values<Float16>(*GetParam());
    expect_special_values<BFloat16>(*GetParam());
}

/// z around half of the least number of 16 bits, some of it closer than a float can tell: what is rounded to 0 does not
/// pass.
template <class E>
void expect_rounding(const KernelTable& table, double half_of_least) {
    SCOPED_TRACE(Type<E>::kName);
    for (const double off : {0.0, 0x1p-20, 0x1p-23, 0x1p-24, 0x1p-25, 0x1p-40, 0x1p-52}) {
        for (const double sign : {1.0, -1.0}) {
            SCOPED_TRACE(testing::Message() << std::hexfloat << off * sign);
            std::vector<typename E::Data> x;
            for (const double value : {0.5, 0.75, 1.0, 1.5, -1.0, 2.0, 3.0}) x.push_back(Type<E>::of(value));
            for (uint16_t i = 0; i < 40; ++i) x.push_back(static_cast<uint16_t>(Type<E>::of(1) + i - 20));
            const double offset = half_of_least * off * sign;
            expect_steps<E>(
                table, x,
                {0, static_cast<typename E::Constant>(half_of_least), static_cast<typename E::Constant>(offset)});
        }
    }
}

TEST_P(Relu, OfWhatIsRoundedToZeroIn16Bits) {
    expect_rounding<Float16>(*GetParam(), 0x1p-25);
    expect_rounding<BFloat16>(*GetParam(), 0x1p-134);
}

}  // namespace
}  // namespace ni::test
