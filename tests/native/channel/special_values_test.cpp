// Inputs at the edges: constants, zero variance, huge and tiny numbers, NaN and infinity.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "channel/oracle.h"
#include "support/bits.h"
#include "support/numbers.h"
#include "support/tables.h"

namespace ni::test {
namespace {

const KernelTable& best() { return *supported_tables().back(); }

class SpecialValues : public testing::TestWithParam<TensorCase> {
protected:
    const TensorCase shape_ = GetParam();
    BatchNormInputs in_{shape_};

    void fill_channel(int64_t channel, float value) {
        for (int64_t i = 0; i < shape_.elements(); ++i)
            if (shape_.channel_of(i) == channel) in_.x[i] = value;
    }

    void expect_gradients(double scale) {
        SCOPED_TRACE(testing::Message() << "scale " << scale);
        in_.x = normals(shape_.elements(), 3, 0.0, scale);
        const Exact exact = exact_training(shape_, in_);
        const Gradients got = backward_training(best(), shape_, in_, forward_training(best(), shape_, in_));
        EXPECT_LE(largest_relative_error(shape_, got.dx, exact.dx, exact.dx_terms), 4e-6);
    }
};

INSTANTIATE_TEST_SUITE_P(Shapes, SpecialValues,
                         testing::Values(TensorCase{2, 5, 12, false}, TensorCase{7, 5, 1, false},
                                         TensorCase{9, 35, 49, false}, TensorCase{3, 5, 5000, false},
                                         TensorCase{2, 5, 12, true}, TensorCase{9, 35, 49, true},
                                         TensorCase{3, 5, 5000, true}),
                         shape_name);

TEST_P(SpecialValues, AConstantChannelComesOutAsExactlyItsBias) {
    const float values[] = {
        0.0F, -3.3F, 1e4F, 3e38F, std::numeric_limits<float>::max(), -1e-42F, std::numeric_limits<float>::denorm_min()};
    for (const double eps : {1e-5, 0.0}) {
        for (const float value : values) {
            SCOPED_TRACE(testing::Message() << "value " << value << ", eps " << eps);
            in_.eps = eps;
            fill_channel(2, value);
            const Training out = forward_training(best(), shape_, in_);
            EXPECT_EQ(out.mean[2], static_cast<double>(value));
            const Gradients gradients = backward_training(best(), shape_, in_, out);
            EXPECT_TRUE(std::isfinite(gradients.weight[2]));
            EXPECT_TRUE(std::isfinite(gradients.bias[2]));
            for (int64_t i = 0; i < shape_.elements(); ++i) {
                if (shape_.channel_of(i) != 2) continue;
                ASSERT_EQ(out.y[i], in_.bias[2]) << "element " << i;
                ASSERT_TRUE(std::isfinite(gradients.dx[i])) << "element " << i;
                ASSERT_TRUE(eps != 0 || gradients.dx[i] == 0.0F) << "element " << i;
            }
        }
    }
}

TEST_P(SpecialValues, ZeroVarianceAndZeroEpsInInferenceGiveTheBias) {
    in_.eps = 0;
    in_.running_var[1] = 0;
    const std::vector<float> y = forward_inference(best(), shape_, in_);
    const Gradients gradients = backward_inference(best(), shape_, in_);
    EXPECT_EQ(gradients.weight[1], 0.0F);
    EXPECT_TRUE(std::isfinite(gradients.bias[1]));
    for (int64_t i = 0; i < shape_.elements(); ++i) {
        if (shape_.channel_of(i) != 1) continue;
        ASSERT_EQ(y[i], in_.bias[1]);
        ASSERT_EQ(gradients.dx[i], 0.0F);
    }
}

TEST_P(SpecialValues, NanAndInfinityStayInTheirChannel) {
    const EveryResult clean = every_result(best(), shape_, in_, 2);
    for (const float odd : {NAN, INFINITY, -INFINITY}) {
        for (const int64_t channel : {int64_t{0}, int64_t{2}, shape_.channels - 1}) {
            SCOPED_TRACE(testing::Message() << odd << " in channel " << channel);
            BatchNormInputs in = in_;
            in.x[shape_.at(shape_.batch - 1, channel, shape_.spatial / 2)] = odd;
            EveryResult got = every_result(best(), shape_, in, 2);
            for (int64_t i = 0; i < shape_.elements(); ++i) {
                if (shape_.channel_of(i) != channel) continue;
                ASSERT_TRUE(std::isnan(got.training.y[i]));
                ASSERT_TRUE(std::isnan(got.training_gradients.dx[i]));
                got.training.y[i] = clean.training.y[i];
                got.inference[i] = clean.inference[i];
                got.part_y[i] = clean.part_y[i];
                got.training_gradients.dx[i] = clean.training_gradients.dx[i];
                got.inference_gradients.dx[i] = clean.inference_gradients.dx[i];
                got.part_dx[i] = clean.part_dx[i];
            }
            EXPECT_FALSE(std::isfinite(got.training.running_mean[channel]));
            EXPECT_TRUE(std::isnan(got.training.running_var[channel]));
            EXPECT_FALSE(std::isfinite(got.training_gradients.weight[channel]));
            got.training.mean[channel] = clean.training.mean[channel];
            got.training.invstd[channel] = clean.training.invstd[channel];
            got.training.running_mean[channel] = clean.training.running_mean[channel];
            got.training.running_var[channel] = clean.training.running_var[channel];
            got.training_gradients.weight[channel] = clean.training_gradients.weight[channel];
            got.inference_gradients.weight[channel] = clean.inference_gradients.weight[channel];
            got.part_mean[channel] = clean.part_mean[channel];
            got.part_m2[channel] = clean.part_m2[channel];
            got.part_sum_dy_xmu[channel] = clean.part_sum_dy_xmu[channel];
            expect_same_bits(got, clean);
        }
    }
}

TEST_P(SpecialValues, InferenceTouchesNoElementButTheOddOne) {
    const std::vector<float> clean = forward_inference(best(), shape_, in_);
    BatchNormInputs in = in_;
    const int64_t place = shape_.at(0, 3, shape_.spatial / 3);
    in.x[place] = NAN;
    std::vector<float> got = forward_inference(best(), shape_, in);
    EXPECT_TRUE(std::isnan(got[place]));
    got[place] = clean[place];
    EXPECT_TRUE(same_bits(got, clean));
}

TEST_P(SpecialValues, InfinitiesOfOneSignMakeAnInfiniteMean) {
    // Far apart, so that they meet in the fold of partial results and not in one block.
    for (const bool both_signs : {false, true}) {
        BatchNormInputs in = in_;
        in.x[shape_.at(0, 1, 0)] = INFINITY;
        in.x[shape_.at(shape_.batch - 1, 1, shape_.spatial - 1)] = both_signs ? -INFINITY : INFINITY;
        const Training out = forward_training(best(), shape_, in);
        EXPECT_TRUE(both_signs ? std::isnan(out.mean[1]) : out.mean[1] == INFINITY) << out.mean[1];
        EXPECT_TRUE(std::isnan(out.invstd[1]));
    }
}

TEST_P(SpecialValues, BackwardInferenceIsOneProductAndKeepsTheSignOfZeros) {
    in_.dy[shape_.at(0, 2, 0)] = 0.0F;
    in_.dy[shape_.at(1, 2, 0)] = -0.0F;
    for (const bool with_parameters : {false, true}) {
        std::vector<float> dx(in_.dy.size()), parameters(2 * in_.weight.size());
        float* dweight = with_parameters ? parameters.data() : nullptr;
        layer(best(), shape_)
            .backward_inference(in_.dy.data(), in_.x.data(), in_.weight.data(), in_.eps, in_.running_mean.data(),
                                in_.running_var.data(), dx.data(), {dweight, nullptr, false});
        for (int64_t i = 0; i < shape_.elements(); ++i) {
            const int64_t c = shape_.channel_of(i);
            const double invstd = 1 / std::sqrt(static_cast<double>(in_.running_var[c]) + in_.eps);
            const auto scale = static_cast<float>(static_cast<double>(in_.weight[c]) * invstd);
            ASSERT_TRUE(same_bits(dx[i], scale * in_.dy[i])) << "element " << i << ": " << dx[i];
        }
    }
}

TEST_P(SpecialValues, HugeValuesAreNormalized) {
    for (const double scale : {1e15, 1e19, 1e25, 1e30, 1e37}) {
        SCOPED_TRACE(testing::Message() << "scale " << scale);
        in_.x = normals(shape_.elements(), 3, 0.0, scale);
        const Exact exact = exact_training(shape_, in_);
        const Training out = forward_training(best(), shape_, in_);
        EXPECT_LE(largest_relative_error(shape_, out.y, exact.y, exact.y_terms), 1e-6);
    }
}

TEST_P(SpecialValues, TinyValuesAreNormalizedWithoutEps) {
    in_.eps = 0;
    for (const double scale : {1e-10, 1e-18, 1e-25, 1e-37}) {
        SCOPED_TRACE(testing::Message() << "scale " << scale);
        in_.x = normals(shape_.elements(), 3, 0.0, scale);
        const Exact exact = exact_training(shape_, in_);
        const Training out = forward_training(best(), shape_, in_);
        EXPECT_LE(largest_relative_error(shape_, out.y, exact.y, exact.y_terms), 1e-6);
    }
}

/// dx is made with gamma * invstd^3 * sum / n, whose range is that of the data to the third power.
TEST_P(SpecialValues, GradientsOfLargeAndSmallValues) {
    in_.eps = 0;
    for (const double scale : {1e-10, 1e-6, 1e6, 1e10}) expect_gradients(scale);
}

TEST_P(SpecialValues, GradientsWhoseProductsLeaveTheRangeOfAFloat) {
    in_.dy = normals(shape_.elements(), 4, 0.0, 1e15);
    expect_gradients(1e25);
}

TEST_P(SpecialValues, GradientsOfHugeValuesKeepTheSlopeTerm) {
    for (const double scale : {1e19, 1e25, 1e30}) expect_gradients(scale);
}

TEST_P(SpecialValues, GradientsOfTinyValuesWithoutEpsAreFinite) {
    in_.eps = 0;
    for (const double scale : {1e-18, 1e-25, 1e-35}) expect_gradients(scale);
}

/// The sum of dy leaves the range of a float, that of the products does not; the center is no bfloat16 number.
TEST(SpecialGradients, OfBFloat16BeyondAFloat) {
    constexpr int64_t kCount = 1024;
    std::vector<uint16_t> x(kCount), dy(kCount, Type<BFloat16>::of(1e37L));
    for (int64_t i = 0; i < kCount; ++i) x[i] = Type<BFloat16>::of(i % 2 == 0 ? 100.0L : 100.5L);
    const double each = Type<BFloat16>::value(dy[0]);
    for (const KernelTable* table : supported_tables()) {
        SCOPED_TRACE(table->isa);
        GradientSums sums;
        table->of(BFloat16()).planes_backward_reduce(dy.data(), x.data(), {1, kCount, kCount}, 100.25, &sums);
        EXPECT_DOUBLE_EQ(sums.dy, each * kCount);
        EXPECT_EQ(sums.dy_xmu, 0.0);
    }
}

/// Of doubles, an infinite center makes an infinite sum.
TEST(SpecialGradients, OfDoublesAroundInfinity) {
    const std::vector<double> x(100, 1.0), dy(100, 2.0);
    for (const KernelTable* table : supported_tables()) {
        SCOPED_TRACE(table->isa);
        GradientSums sums;
        table->of(Float64()).planes_backward_reduce(dy.data(), x.data(), {1, 100, 100},
                                                    std::numeric_limits<double>::infinity(), &sums);
        EXPECT_EQ(sums.dy, 200.0);
        EXPECT_EQ(sums.dy_xmu, -std::numeric_limits<double>::infinity());
    }
}

}  // namespace
}  // namespace ni::test
