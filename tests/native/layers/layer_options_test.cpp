// What the optional arguments of layers do, and what odd values do not.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "layers/layer_case.h"
#include "support/bits.h"
#include "support/tables.h"

namespace ni::test {
namespace {

template <class E>
class LayerOptionsOf : public testing::Test {
protected:
    static LayerResults<E> run(const LayerCase& layer, const LayerInputs<E>& in, const LayerOptions& options = {}) {
        return run_layer(*supported_tables().back(), layer, in, options);
    }
    /// Runs visit(layer, inputs, results) for one layer of each schedule.
    template <class Visit>
    static void for_each_layer(Visit visit) {
        for (const LayerCase& layer : typical_layers()) {
            SCOPED_TRACE(testing::Message() << layer);
            const LayerInputs<E> in(layer);
            visit(layer, in, run(layer, in, {.threads = 2}));
            if (testing::Test::HasFailure()) return;
        }
    }
    /// `got` if it is `expected` but for the last digits.
    static std::vector<typename E::Data> near(const std::vector<typename E::Data>& got,
                                              const std::vector<typename E::Data>& expected) {
        const std::vector<double> a = values<E>(got), b = values<E>(expected);
        const double roundoff = std::is_same_v<E, Float32> ? 0x1p-22 : std::is_same_v<E, Float64> ? 0x1p-50 : 0x1p-6;
        for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], roundoff * (1 + std::abs(b[i]))) << "dx " << i;
        return got;
    }
    /// Puts `odd` into element `place` and compares all that has nothing to do with it.
    static void expect_no_leak(const LayerCase& layer, const LayerInputs<E>& in, const LayerResults<E>& clean,
                               int64_t place, double odd, bool in_dy) {
        SCOPED_TRACE(testing::Message() << odd << (in_dy ? " in dy" : " in x") << ", element " << place);
        LayerInputs<E> with = in;
        (in_dy ? with.dy : with.x)[place] = Type<E>::of(static_cast<long double>(odd));
        LayerResults<E> got = run(layer, with, {.threads = 2});
        const int64_t set = layer.set_of(place);
        for (int64_t i = 0; i < layer.elements(); ++i) {
            if (layer.set_of(i) != set) continue;
            const int64_t parameter = layer.parameter_of(i);
            // Of an infinity, the root of the mean square is infinite, so that others become 0.
            const bool all_nan = layer.centered() || std::isnan(odd) || (in_dy && layer.set_size() > 1);
            if (all_nan && (!in_dy || i == place)) {
                ASSERT_FALSE(std::isfinite(Type<E>::value(in_dy ? got.dx[i] : got.y[i]))) << "element " << i;
            }
            if (!in_dy) got.y[i] = clean.y[i];
            got.dx[i] = clean.dx[i];
            if (!in_dy || i == place) got.dweight[parameter] = clean.dweight[parameter];
            // Where the sum of products is not finite, both sums may be taken again in another precision.
            if (!in_dy) {
                EXPECT_NEAR(got.dbias[parameter], clean.dbias[parameter],
                            1e-5 * std::abs(clean.dbias[parameter]) + 1e-5);
            }
            if (!in_dy || i == place) got.dbias[parameter] = clean.dbias[parameter];
            if (layer.has_running() && !in_dy) {
                got.running_mean[parameter] = clean.running_mean[parameter];
                got.running_var[parameter] = clean.running_var[parameter];
            }
        }
        if (!in_dy) {
            got.mean[set] = clean.mean[set];
            got.invstd[set] = clean.invstd[set];
        }
        expect_same(got, clean);
    }
};

struct TypeNames {
    template <class E>
    static std::string GetName(int) {
        return Type<E>::kName;
    }
};
using DataTypes = testing::Types<Float32, Float64, Float16, BFloat16>;
TYPED_TEST_SUITE(LayerOptionsOf, DataTypes, TypeNames);

TYPED_TEST(LayerOptionsOf, InPlaceGivesTheSameBits) {
    using E = TypeParam;
    this->for_each_layer([](const LayerCase& layer, const LayerInputs<E>& in, const LayerResults<E>& expected) {
        for (const int32_t threads : {1, 8}) {
            SCOPED_TRACE(testing::Message() << threads << " threads");
            LayerOptions options{.threads = threads};
            options.in_place = LayerOptions::kOverX;
            expect_same(TestFixture::run(layer, in, options), expected);
            options.in_place = LayerOptions::kOverDy;
            expect_same(TestFixture::run(layer, in, options), expected);
        }
    });
}

TYPED_TEST(LayerOptionsOf, WhatIsNotWantedChangesNothingElse) {
    using E = TypeParam;
    this->for_each_layer([](const LayerCase& layer, const LayerInputs<E>& in, LayerResults<E> expected) {
        const LayerResults<E> all = expected;
        for (int wanted = 0; wanted < 8; ++wanted) {
            LayerOptions options{.threads = 2};
            // In place, x and dy are gone when their sums come after dx.
            options.in_place = wanted % 4 == 1   ? LayerOptions::kNowhere
                               : wanted % 4 == 3 ? LayerOptions::kOverX
                                                 : LayerOptions::kOverDy;
            options.dx = (wanted & 1) != 0;
            options.dweight = (wanted & 2) != 0;
            options.dbias = (wanted & 4) != 0;
            SCOPED_TRACE(testing::Message() << "wanted " << wanted);
            const LayerResults<E> got = TestFixture::run(layer, in, options);
            expected.dx = options.dx ? all.dx : got.dx;
            expected.dweight = options.dweight ? all.dweight : in.weight;
            expected.dbias = options.dbias ? all.dbias : in.bias;
            expect_same(got, expected);
        }
    });
}

TYPED_TEST(LayerOptionsOf, AccumulatingAddsToWhatIsThere) {
    using E = TypeParam;
    this->for_each_layer([](const LayerCase& layer, const LayerInputs<E>& in, const LayerResults<E>& once) {
        const LayerResults<E> got = TestFixture::run(layer, in, {.threads = 2, .accumulate = true});
        const double roundoff = sizeof(typename E::Parameter) == sizeof(float) ? 0x1p-22 : 0x1p-51;
        for (int64_t p = 0; p < layer.channels && layer.has_parameters(); ++p) {
            const auto before = static_cast<double>(in.weight[p]), more = static_cast<double>(once.dweight[p]);
            EXPECT_NEAR(static_cast<double>(got.dweight[p]), before + more,
                        roundoff * (std::abs(before) + std::abs(more)));
        }
        for (int64_t p = 0; p < layer.channels && layer.has_bias(); ++p) {
            const auto before = static_cast<double>(in.bias[p]), more = static_cast<double>(once.dbias[p]);
            EXPECT_NEAR(static_cast<double>(got.dbias[p]), before + more,
                        roundoff * (std::abs(before) + std::abs(more)));
        }
        LayerResults<E> others = got;
        others.dweight = once.dweight;
        others.dbias = once.dbias;
        expect_same(others, once);
    });
}

TYPED_TEST(LayerOptionsOf, AbsentWeightIsOneAndAbsentBiasIsZero) {
    using E = TypeParam;
    this->for_each_layer([](const LayerCase& layer, const LayerInputs<E>& in, const LayerResults<E>&) {
        for (const bool weight : {false, true}) {
            for (const bool bias : {false, true}) {
                LayerInputs<E> filled = in;
                if (!weight) std::fill(filled.weight.begin(), filled.weight.end(), typename E::Parameter(1));
                if (!bias) std::fill(filled.bias.begin(), filled.bias.end(), typename E::Parameter(0));
                LayerResults<E> expected = TestFixture::run(layer, filled);
                const LayerResults<E> got = TestFixture::run(layer, in, {.weight = weight, .bias = bias});
                if (!layer.has_parameters()) expected.dweight = got.dweight;
                if (!layer.has_bias()) expected.dbias = got.dbias;
                // A weight for each element costs dx one rounding more.
                if (!weight && layer.spatial == 1) expected.dx = TestFixture::near(got.dx, expected.dx);
                expect_same(got, expected);
            }
        }
    });
}

TYPED_TEST(LayerOptionsOf, OddValuesStayInTheirSet) {
    using E = TypeParam;
    this->for_each_layer([](const LayerCase& layer, const LayerInputs<E>& in, const LayerResults<E>& clean) {
        const int64_t last = layer.elements() - 1;
        for (const double odd : {std::nan(""), -std::numeric_limits<double>::infinity()}) {
            for (const int64_t place : {int64_t{0}, last / 2, last}) {
                for (const bool in_dy : {false, true}) {
                    TestFixture::expect_no_leak(layer, in, clean, place, odd, in_dy);
                }
            }
        }
    });
}

/// An odd value is summed in double, and those beside it may not notice: who is beside it depends on how work is cut.
TYPED_TEST(LayerOptionsOf, OddValuesAreSharedOutAsOthersAre) {
    using E = TypeParam;
    const LayerCase layer{Family::kGroup, 60, 4002, 1, 3};
    for (const double odd : {std::nan(""), sizeof(typename E::Data) == 2 ? 6e4 : 3e38}) {
        for (int64_t column = 1300; column < 2700; column += 211) {
            LayerInputs<E> in(layer);
            in.x[2 * layer.channels + column] = Type<E>::of(static_cast<long double>(odd));
            in.dy[2 * layer.channels + column] = Type<E>::of(static_cast<long double>(odd));
            const LayerResults<E> expected = TestFixture::run(layer, in);
            for (const int32_t threads : {2, 3, 8}) {
                SCOPED_TRACE(testing::Message() << odd << " in column " << column << ", " << threads << " threads");
                expect_same(TestFixture::run(layer, in, {.threads = threads}), expected);
                if (this->HasFailure()) return;
            }
        }
    }
}

TYPED_TEST(LayerOptionsOf, AConstantSetComesOutAsExactlyItsBias) {
    using E = TypeParam;
    this->for_each_layer([](const LayerCase& layer, LayerInputs<E> in, const LayerResults<E>&) {
        if (!layer.centered()) return;
        const double largest = sizeof(typename E::Data) == 2 ? 6e4 : 3e38;
        for (const double eps : {1e-5, 0.0}) {
            for (const double value : {0.0, -3.3, 1e4, largest, 1e-7}) {
                SCOPED_TRACE(testing::Message() << "value " << value << ", eps " << eps);
                in.eps = eps;
                std::fill(in.x.begin(), in.x.end(), Type<E>::of(static_cast<long double>(value)));
                const LayerResults<E> got = TestFixture::run(layer, in, {.threads = 2});
                for (int64_t i = 0; i < layer.elements(); ++i) {
                    const auto beta = static_cast<long double>(layer.has_bias() ? in.bias[layer.parameter_of(i)] : 0);
                    ASSERT_EQ(Type<E>::value(got.y[i]), Type<E>::value(Type<E>::of(beta))) << "element " << i;
                    const double gradient = Type<E>::value(got.dx[i]);
                    ASSERT_TRUE(eps == 0 ? gradient == 0 : !std::isnan(gradient)) << "element " << i;
                }
            }
        }
    });
}

TYPED_TEST(LayerOptionsOf, MomentumMayBeAnyNumber) {
    using E = TypeParam;
    this->for_each_layer([](const LayerCase& layer, LayerInputs<E> in, const LayerResults<E>&) {
        if (!layer.has_running() || layer.family == Family::kCaffe) return;
        in.momentum = 1;
        const LayerResults<E> batch = TestFixture::run(layer, in);
        in.momentum = 0;
        EXPECT_TRUE(same_bits(TestFixture::run(layer, in).running_mean, in.running_mean));
        for (const double momentum : {0.5, -0.25, 2.0}) {
            in.momentum = momentum;
            const LayerResults<E> got = TestFixture::run(layer, in);
            for (int64_t c = 0; c < layer.channels; ++c) {
                const double mean = (1 - momentum) * static_cast<double>(in.running_mean[c]) +
                                    momentum * static_cast<double>(batch.running_mean[c]);
                const double var = (1 - momentum) * static_cast<double>(in.running_var[c]) +
                                   momentum * static_cast<double>(batch.running_var[c]);
                EXPECT_NEAR(static_cast<double>(got.running_mean[c]), mean, 1e-6 * (1 + std::abs(mean)));
                EXPECT_NEAR(static_cast<double>(got.running_var[c]), var, 1e-6 * (1 + std::abs(var)));
            }
        }
    });
}

}  // namespace
}  // namespace ni::test
