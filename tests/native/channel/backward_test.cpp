// BatchNorm backward over whole tensors: against the formulas in long double, and what its optional arguments do.
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

void expect_gradients(const TensorCase& shape, const BatchNormInputs& in, const Gradients& got, const Exact& exact) {
    EXPECT_LE(largest_relative_error(shape, got.dx, exact.dx, exact.dx_terms), 1e-6);
    // Sums of many terms of either sign: small beside the terms, which are about 1 each.
    const double terms = std::sqrt(static_cast<double>(shape.values_per_channel()));
    double deviation = 0;
    for (int64_t c = 0; c < shape.channels; ++c) {
        const auto var = static_cast<double>(exact.var[c]);
        deviation = std::max(deviation, std::sqrt(1.0 / (var + in.eps)));
    }
    EXPECT_LE(largest_error(got.bias, exact.sum_dy), 1e-6 * (terms + largest(exact.sum_dy)));
    EXPECT_LE(largest_error(got.weight, exact.dweight), 1e-6 * (terms * deviation + largest(exact.dweight)));
}

void expect_backward(const TensorCase& shape) {
    SCOPED_TRACE(testing::Message() << shape);
    const BatchNormInputs in(shape);
    const Training forward = forward_training(best(), shape, in);
    expect_gradients(shape, in, backward_training(best(), shape, in, forward, 2), exact_training(shape, in));
    expect_gradients(shape, in, backward_inference(best(), shape, in, 2), exact_inference(shape, in));
}

TEST(Backward, AgreesWithTheOracleOnSmallTensors) {
    for (const TensorCase& shape : share(small_shapes(), 1)) expect_backward(shape);
}

TEST(Backward, AgreesWithTheOracleOnLargeTensors) {
    for (const TensorCase& shape : share(large_shapes(), 1)) expect_backward(shape);
}

class BackwardOptions : public testing::TestWithParam<TensorCase> {
protected:
    const TensorCase shape_ = GetParam();
    const BatchNormInputs in_{shape_};
    const Training forward_ = forward_training(best(), shape_, in_);

    void training(const float* dy, const float* x, float* dx, const ParameterGradients<float>& gradients) const {
        layer(best(), shape_, 2)
            .backward_training(dy, x, in_.weight.data(), forward_.mean.data(), forward_.invstd.data(), dx, gradients);
    }
    void inference(const float* dy, const float* x, float* dx, const ParameterGradients<float>& gradients) const {
        layer(best(), shape_, 2)
            .backward_inference(dy, x, in_.weight.data(), in_.eps, in_.running_mean.data(), in_.running_var.data(), dx,
                                gradients);
    }
};

INSTANTIATE_TEST_SUITE_P(Shapes, BackwardOptions,
                         testing::Values(TensorCase{3, 5, 70, false}, TensorCase{3, 5, 70, true},
                                         TensorCase{40, 5, 1, false}, TensorCase{1, 2, 150001, false},
                                         TensorCase{8, 16, 2500, true}),
                         shape_name);

TEST_P(BackwardOptions, InPlaceOfEitherInputGivesTheSameBits) {
    const Gradients training_expected = backward_training(best(), shape_, in_, forward_);
    const Gradients inference_expected = backward_inference(best(), shape_, in_);
    Gradients got = training_expected;
    const ParameterGradients<float> parameters{got.weight.data(), got.bias.data(), false};

    std::vector<float> data = in_.dy;
    training(data.data(), in_.x.data(), data.data(), parameters);
    EXPECT_TRUE(same_bits(data, training_expected.dx));
    EXPECT_TRUE(same_bits(got.weight, training_expected.weight));
    data = in_.x;
    training(in_.dy.data(), data.data(), data.data(), parameters);
    EXPECT_TRUE(same_bits(data, training_expected.dx));
    EXPECT_TRUE(same_bits(got.weight, training_expected.weight));

    data = in_.dy;
    inference(data.data(), in_.x.data(), data.data(), parameters);
    EXPECT_TRUE(same_bits(data, inference_expected.dx));
    EXPECT_TRUE(same_bits(got.weight, inference_expected.weight));
    data = in_.x;
    inference(in_.dy.data(), data.data(), data.data(), parameters);
    EXPECT_TRUE(same_bits(data, inference_expected.dx));
    EXPECT_TRUE(same_bits(got.weight, inference_expected.weight));
}

TEST_P(BackwardOptions, OneBufferMayBeBothInputsAndTheOutput) {
    std::vector<float> expected(in_.x.size()), data = in_.x;
    training(in_.x.data(), in_.x.data(), expected.data(), {nullptr, nullptr, false});
    training(data.data(), data.data(), data.data(), {nullptr, nullptr, false});
    EXPECT_TRUE(same_bits(data, expected));
}

TEST_P(BackwardOptions, WhatIsNotWantedChangesNothingElse) {
    const Gradients expected_training = backward_training(best(), shape_, in_, forward_);
    const Gradients expected_inference = backward_inference(best(), shape_, in_);
    for (int wanted = 0; wanted < 8; ++wanted) {
        for (const bool is_training : {true, false}) {
            SCOPED_TRACE(testing::Message() << "wanted " << wanted << (is_training ? ", training" : ", inference"));
            const Gradients& expected = is_training ? expected_training : expected_inference;
            Gradients got{std::vector<float>(in_.x.size()), in_.weight, in_.bias};
            float* dx = (wanted & 1) != 0 ? got.dx.data() : nullptr;
            float* dweight = (wanted & 2) != 0 ? got.weight.data() : nullptr;
            float* dbias = (wanted & 4) != 0 ? got.bias.data() : nullptr;
            if (is_training) {
                training(in_.dy.data(), in_.x.data(), dx, {dweight, dbias, false});
            } else {
                // In inference x is needed for dweight alone.
                inference(in_.dy.data(), dweight != nullptr ? in_.x.data() : nullptr, dx, {dweight, dbias, false});
            }
            EXPECT_TRUE(same_bits(got.dx, dx != nullptr ? expected.dx : std::vector<float>(in_.x.size())));
            EXPECT_TRUE(same_bits(got.weight, dweight != nullptr ? expected.weight : in_.weight));
            EXPECT_TRUE(same_bits(got.bias, dbias != nullptr ? expected.bias : in_.bias));
        }
    }
}

TEST_P(BackwardOptions, AccumulatingAddsToWhatIsThere) {
    for (const bool is_training : {true, false}) {
        const Gradients once =
            is_training ? backward_training(best(), shape_, in_, forward_) : backward_inference(best(), shape_, in_);
        Gradients got{std::vector<float>(in_.x.size()), in_.weight, in_.bias};
        const ParameterGradients<float> parameters{got.weight.data(), got.bias.data(), true};
        if (is_training) {
            training(in_.dy.data(), in_.x.data(), got.dx.data(), parameters);
        } else {
            inference(in_.dy.data(), in_.x.data(), got.dx.data(), parameters);
        }
        EXPECT_TRUE(same_bits(got.dx, once.dx));
        for (int64_t c = 0; c < shape_.channels; ++c) {
            const float weight = in_.weight[c] + once.weight[c], bias = in_.bias[c] + once.bias[c];
            const float scale =
                std::abs(in_.weight[c]) + std::abs(once.weight[c]) + std::abs(in_.bias[c]) + std::abs(once.bias[c]);
            EXPECT_NEAR(got.weight[c], weight, 2e-7F * scale);
            EXPECT_NEAR(got.bias[c], bias, 2e-7F * scale);
        }
    }
}

TEST_P(BackwardOptions, AbsentWeightIsOne) {
    const std::vector<float> ones(in_.weight.size(), 1.0F);
    const auto run = [&](const float* weight) {
        std::vector<float> dx(in_.x.size());
        layer(best(), shape_)
            .backward_training(in_.dy.data(), in_.x.data(), weight, forward_.mean.data(), forward_.invstd.data(),
                               dx.data(), {nullptr, nullptr, false});
        return dx;
    };
    EXPECT_TRUE(same_bits(run(nullptr), run(ones.data())));
}

}  // namespace
}  // namespace ni::test
