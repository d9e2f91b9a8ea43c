// BatchNorm forward over whole tensors: against the formulas in long double, and what its optional arguments do.
#include <gtest/gtest.h>

#include <cmath>

#include "channel/oracle.h"
#include "channel/shapes.h"
#include "support/bits.h"
#include "support/share.h"
#include "support/tables.h"

namespace ni::test {
namespace {

const KernelTable& best() { return *supported_tables().back(); }

/// Some roundings to float: of the constants, of x - center, of the result, and what sums of up to 64 floats lose.
constexpr double kRoundings = 10 * 0x1p-24;

void expect_training(const TensorCase& shape) {
    SCOPED_TRACE(testing::Message() << shape);
    const BatchNormInputs in(shape);
    const Training out = forward_training(best(), shape, in, 2);
    const Exact exact = exact_training(shape, in);
    EXPECT_LE(largest_relative_error(shape, out.y, exact.y, exact.y_terms), kRoundings);
    std::vector<long double> running_mean, running_var, invstd;
    for (int64_t c = 0; c < shape.channels; ++c) {
        const long double keep = 1 - static_cast<long double>(in.momentum);
        running_mean.push_back(keep * static_cast<long double>(in.running_mean[c]) + (1 - keep) * exact.mean[c]);
        running_var.push_back(keep * static_cast<long double>(in.running_var[c]) + (1 - keep) * exact.unbiased[c]);
        invstd.push_back(1 / std::sqrt(exact.var[c] + static_cast<long double>(in.eps)));
    }
    EXPECT_LE(largest_error(out.running_mean, running_mean), 1e-6 * largest(running_mean));
    EXPECT_LE(largest_error(out.running_var, running_var), 1e-6 * largest(running_var));
    const double deviation = std::sqrt(largest(exact.var));
    EXPECT_LE(largest_error(out.mean, exact.mean), 1e-6 * deviation);
    EXPECT_LE(largest_error(out.invstd, invstd), 1e-6 * largest(invstd));
}

void expect_inference(const TensorCase& shape) {
    SCOPED_TRACE(testing::Message() << shape);
    const BatchNormInputs in(shape);
    const Exact exact = exact_inference(shape, in);
    const std::vector<float> y = forward_inference(best(), shape, in, 2);
    EXPECT_LE(largest_relative_error(shape, y, exact.y, exact.y_terms), kRoundings);
}

TEST(Forward, TrainingAgreesWithTheOracleOnSmallTensors) {
    for (const TensorCase& shape : share(small_shapes(), 2)) expect_training(shape);
}

TEST(Forward, TrainingAgreesWithTheOracleOnLargeTensors) {
    for (const TensorCase& shape : share(large_shapes(), 2)) expect_training(shape);
}

TEST(Forward, InferenceAgreesWithTheOracleOnSmallTensors) {
    for (const TensorCase& shape : share(small_shapes(), 3)) expect_inference(shape);
}

TEST(Forward, InferenceAgreesWithTheOracleOnLargeTensors) {
    for (const TensorCase& shape : share(large_shapes(), 3)) expect_inference(shape);
}

class ForwardOptions : public testing::TestWithParam<TensorCase> {};

INSTANTIATE_TEST_SUITE_P(Shapes, ForwardOptions,
                         testing::Values(TensorCase{3, 5, 70, false}, TensorCase{3, 5, 70, true},
                                         TensorCase{40, 5, 1, false}, TensorCase{1, 2, 150001, false},
                                         TensorCase{8, 16, 2500, true}),
                         shape_name);

TEST_P(ForwardOptions, InPlaceGivesTheSameBits) {
    const TensorCase shape = GetParam();
    const BatchNormInputs in(shape);
    const Training expected = forward_training(best(), shape, in, 2);
    std::vector<float> data = in.x, running_mean = in.running_mean, running_var = in.running_var;
    layer(best(), shape, 2)
        .forward_training(data.data(), in.affine(), in.eps,
                          {running_mean.data(), running_var.data(), 1 - in.momentum, in.momentum}, nullptr, nullptr,
                          data.data());
    EXPECT_TRUE(same_bits(data, expected.y));
    EXPECT_TRUE(same_bits(running_mean, expected.running_mean));
    data = in.x;
    layer(best(), shape, 2)
        .forward_inference(data.data(), in.affine(), in.eps, in.running_mean.data(), in.running_var.data(),
                           data.data());
    EXPECT_TRUE(same_bits(data, forward_inference(best(), shape, in, 2)));
}

TEST_P(ForwardOptions, AbsentWeightIsOneAndAbsentBiasIsZero) {
    const TensorCase shape = GetParam();
    const BatchNormInputs in(shape);
    const std::vector<float> ones(in.weight.size(), 1.0F), zeros(in.weight.size(), 0.0F);
    const auto run = [&](const float* weight, const float* bias) {
        std::vector<float> y(in.x.size());
        layer(best(), shape)
            .forward_training(in.x.data(), {weight, bias}, in.eps, {nullptr, nullptr, 1, 0}, nullptr, nullptr,
                              y.data());
        return y;
    };
    EXPECT_TRUE(same_bits(run(nullptr, nullptr), run(ones.data(), zeros.data())));
    EXPECT_TRUE(same_bits(run(in.weight.data(), nullptr), run(in.weight.data(), zeros.data())));
    EXPECT_TRUE(same_bits(run(nullptr, in.bias.data()), run(ones.data(), in.bias.data())));
    EXPECT_TRUE(same_bits(run(in.weight.data(), in.bias.data()), forward_training(best(), shape, in).y));
}

TEST_P(ForwardOptions, MomentumMayBeAnyNumber) {
    const TensorCase shape = GetParam();
    BatchNormInputs in(shape);
    const Exact exact = exact_training(shape, in);
    for (const double momentum : {0.0, 1.0, 0.5, -0.25, 2.0}) {
        in.momentum = momentum;
        const Training out = forward_training(best(), shape, in);
        for (int64_t c = 0; c < shape.channels; ++c) {
            const double mean = (1 - momentum) * static_cast<double>(in.running_mean[c]) +
                                momentum * static_cast<double>(exact.mean[c]);
            const double var = (1 - momentum) * static_cast<double>(in.running_var[c]) +
                               momentum * static_cast<double>(exact.unbiased[c]);
            EXPECT_NEAR(static_cast<double>(out.running_mean[c]), mean, 1e-6 * (1 + std::abs(mean)));
            EXPECT_NEAR(static_cast<double>(out.running_var[c]), var, 1e-6 * (1 + std::abs(var)));
        }
    }
    in.momentum = 0;
    EXPECT_TRUE(same_bits(forward_training(best(), shape, in).running_mean, in.running_mean));
}

}  // namespace
}  // namespace ni::test
