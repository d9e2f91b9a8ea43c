// What the functions with an activation compute and refuse, beyond what the tests of every function try.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "api/functions.h"

namespace ni::test {
namespace {

const char* const kForwards[] = {"ni_batchnorm_act_forward_training", "ni_batchnorm_act_forward_inference",
                                 "ni_groupnorm_act_forward", "ni_instancenorm_act_forward", "ni_channel_act_apply"};
const char* const kBackwards[] = {"ni_batchnorm_act_backward_training", "ni_batchnorm_act_backward_inference",
                                  "ni_groupnorm_act_backward", "ni_instancenorm_act_backward",
                                  "ni_channel_act_backward_apply"};
const char* const kReduction = "ni_channel_act_backward_reduce";

TEST(ActivationApi, MaskHasABitForEachElement) {
    int64_t bytes = -7;
    const int64_t expected[][2] = {{0, 0}, {1, 1}, {7, 1}, {8, 1}, {9, 2}, {64, 8}, {INT64_MAX, INT64_MAX / 8 + 1}};
    for (const auto& [elements, wanted] : expected) {
        ASSERT_EQ(ni_activation_mask_bytes(elements, &bytes), NI_STATUS_OK);
        EXPECT_EQ(bytes, wanted);
    }
    bytes = -7;
    EXPECT_EQ(ni_activation_mask_bytes(-1, &bytes), NI_STATUS_INVALID_ARGUMENT);
    EXPECT_STREQ(ni_last_error_message(), "elements is -1, expected at least 0");
    EXPECT_EQ(bytes, -7);
    EXPECT_EQ(ni_activation_mask_bytes(1, nullptr), NI_STATUS_NULL_POINTER);
    EXPECT_STREQ(ni_last_error_message(), "bytes is null");
}

void expect_unknown(const char* name) {
    for (const int32_t activation : {-1, 3, INT32_MAX, INT32_MIN}) {
        PreparedCall prepared(function_of(name));
        prepared.call.activation = activation;
        expect_refused(prepared, NI_STATUS_INVALID_ARGUMENT,
                       "activation is " + std::to_string(activation) + ", expected 0 (none), 1 (relu) or 2 (silu)");
    }
}

TEST(ActivationApi, UnknownActivationsAreRefused) {
    for (const char* name : kForwards) expect_unknown(name);
    for (const char* name : kBackwards) expect_unknown(name);
    expect_unknown(kReduction);
}

/// Everything that is ReLU's alone, given to another activation.
void expect_of_relu(const char* name, const std::vector<std::string>& arguments) {
    SCOPED_TRACE(name);
    for (const int32_t activation : {NI_ACTIVATION_NONE, NI_ACTIVATION_SILU}) {
        for (const std::string& given : arguments) {
            PreparedCall prepared(function_of(name));
            prepared.call.activation = activation;
            for (const std::string& other : arguments) {
                if (other != given) prepared.call.at[other] = nullptr;
            }
            expect_refused(prepared, NI_STATUS_INVALID_ARGUMENT,
                           "activation is " + std::to_string(activation) + ", expected 1 (relu), because " + given +
                               " is not null");
            prepared.call.at[given] = nullptr;
            EXPECT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
        }
    }
}

TEST(ActivationApi, ResidualAndMaskAreRefusedWithoutRelu) {
    for (const char* name : kForwards) expect_of_relu(name, {"residual", "mask"});
    for (const char* name : kBackwards) expect_of_relu(name, {"mask", "dresidual"});
    expect_of_relu(kReduction, {"mask"});
}

TEST(ActivationApi, GradientOfTheResidualWantsAMask) {
    for (const char* name : kBackwards) {
        PreparedCall prepared(function_of(name));
        prepared.call.at["mask"] = nullptr;
        expect_refused(prepared, NI_STATUS_NULL_POINTER,
                       "mask is null, expected that of the forward, because dresidual is not null");
        prepared.call.at["dresidual"] = nullptr;
        EXPECT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
    }
}

TEST(ActivationApi, BackwardInferenceNeedsXForZAndTheWeightGradientOnly) {
    PreparedCall prepared(function_of("ni_batchnorm_act_backward_inference"));
    prepared.call.at["x"] = prepared.call.at["dweight"] = nullptr;
    EXPECT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
    prepared.call.at["mask"] = prepared.call.at["dresidual"] = nullptr;
    for (const int32_t activation : {NI_ACTIVATION_RELU, NI_ACTIVATION_SILU}) {
        PreparedCall without(function_of("ni_batchnorm_act_backward_inference"));
        without.call.activation = activation;
        for (const char* name : {"x", "dweight", "mask", "dresidual"}) without.call.at[name] = nullptr;
        expect_refused(without, NI_STATUS_NULL_POINTER, "x is null");
    }
    prepared.call.activation = NI_ACTIVATION_NONE;
    EXPECT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
}

TEST(ActivationApi, ReductionNeedsInvstdForZOnly) {
    for (const int32_t activation : {NI_ACTIVATION_RELU, NI_ACTIVATION_SILU}) {
        PreparedCall prepared(function_of(kReduction));
        prepared.call.activation = activation;
        prepared.call.at["invstd"] = prepared.call.at["mask"] = nullptr;
        expect_refused(prepared, NI_STATUS_NULL_POINTER, "invstd is null");
    }
    PreparedCall prepared(function_of(kReduction));
    prepared.call.activation = NI_ACTIVATION_NONE;
    prepared.call.at["invstd"] = prepared.call.at["mask"] = nullptr;
    EXPECT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
}

/// One channel of four values, normalized to -1.34, -0.45, 0.45, 1.34.
struct Numbers {
    ni_channel_shape shape{sizeof(ni_channel_shape), NI_DATA_TYPE_FLOAT64, NI_LAYOUT_NCS, 0, 1, 1, 4};
    ni_group_shape groups{sizeof(ni_group_shape), NI_DATA_TYPE_FLOAT64, NI_LAYOUT_NCS, 0, 1, 1, 4, 1};
    std::array<double, 4> x{1, 2, 3, 4}, residual{2, 0, -1, 1}, y{}, dy{1, 2, 4, 8}, dx{}, dresidual{};
    double mean = 0, invstd = 0, dbias = 0;
    uint8_t mask = 0;
};
const double kUnit = 1 / std::sqrt(5.0);

TEST(ActivationApi, ReluOfTheSumWithAResidual) {
    Numbers a;
    a.mask = 0xF0;
    ASSERT_EQ(ni_batchnorm_act_forward_training(&a.shape, a.x.data(), nullptr, nullptr, 0, 0, nullptr, nullptr, &a.mean,
                                                &a.invstd, a.y.data(), NI_ACTIVATION_RELU, a.residual.data(), &a.mask),
              NI_STATUS_OK);
    EXPECT_EQ(a.mask, 0xF9);
    EXPECT_DOUBLE_EQ(a.y[0], 2 - 3 * kUnit);
    EXPECT_EQ(a.y[1], 0.0);
    EXPECT_EQ(a.y[2], 0.0);
    EXPECT_DOUBLE_EQ(a.y[3], 1 + 3 * kUnit);
    ASSERT_EQ(ni_batchnorm_act_backward_training(&a.shape, a.dy.data(), a.x.data(), nullptr, nullptr, &a.mean,
                                                 &a.invstd, NI_GRADIENT_MODE_OVERWRITE, a.dx.data(), nullptr, &a.dbias,
                                                 NI_ACTIVATION_RELU, &a.mask, a.dresidual.data()),
              NI_STATUS_OK);
    EXPECT_EQ(a.dresidual, (std::array<double, 4>{1, 0, 0, 8}));
    EXPECT_EQ(a.dbias, 9.0);
    std::array<double, 4> dx{};
    ASSERT_EQ(ni_batchnorm_backward_training(&a.shape, a.dresidual.data(), a.x.data(), nullptr, &a.mean, &a.invstd,
                                             NI_GRADIENT_MODE_OVERWRITE, dx.data(), nullptr, nullptr),
              NI_STATUS_OK);
    EXPECT_EQ(a.dx, dx);
}

TEST(ActivationApi, BackwardsComputeZFromTheBias) {
    // z: -0.34, 0.55, 1.45, 2.34; without the bias only the last two would pass.
    const double bias = 1;
    Numbers a;
    ASSERT_EQ(ni_groupnorm_act_forward(&a.groups, a.x.data(), nullptr, &bias, 0, &a.mean, &a.invstd, a.y.data(),
                                       NI_ACTIVATION_RELU, nullptr, nullptr),
              NI_STATUS_OK);
    EXPECT_EQ(a.y[0], 0.0);
    EXPECT_DOUBLE_EQ(a.y[1], 1 - kUnit);
    ASSERT_EQ(ni_groupnorm_act_backward(&a.groups, a.dy.data(), a.x.data(), nullptr, &bias, &a.mean, &a.invstd,
                                        NI_GRADIENT_MODE_OVERWRITE, nullptr, nullptr, &a.dbias, NI_ACTIVATION_RELU,
                                        nullptr, nullptr),
              NI_STATUS_OK);
    EXPECT_EQ(a.dbias, 14.0);
}

TEST(ActivationApi, SiluOfInstancesAndOfInference) {
    Numbers a;
    const auto silu = [](double z) { return z / (1 + std::exp(-z)); };
    const auto slope = [](double z) { return (1 + z / (1 + std::exp(z))) / (1 + std::exp(-z)); };
    ASSERT_EQ(ni_instancenorm_act_forward(&a.shape, a.x.data(), nullptr, nullptr, 0, 0.1, nullptr, nullptr, &a.mean,
                                          &a.invstd, a.y.data(), NI_ACTIVATION_SILU, nullptr, nullptr),
              NI_STATUS_OK);
    double sum = 0;
    for (size_t i = 0; i < 4; ++i) {
        const double z = (2 * static_cast<double>(i) - 3) * kUnit;
        EXPECT_NEAR(a.y[i], silu(z), 1e-15);
        sum += a.dy[i] * slope(z);
    }
    ASSERT_EQ(ni_instancenorm_act_backward(&a.shape, a.dy.data(), a.x.data(), nullptr, nullptr, &a.mean, &a.invstd,
                                           NI_GRADIENT_MODE_OVERWRITE, nullptr, nullptr, &a.dbias, NI_ACTIVATION_SILU,
                                           nullptr, nullptr),
              NI_STATUS_OK);
    EXPECT_NEAR(a.dbias, sum, 1e-13);
    const double mean = 2, var = 4;
    ASSERT_EQ(ni_batchnorm_act_forward_inference(&a.shape, a.x.data(), nullptr, nullptr, 0, &mean, &var, a.y.data(),
                                                 NI_ACTIVATION_SILU, nullptr, nullptr),
              NI_STATUS_OK);
    EXPECT_NEAR(a.y[3], silu(1), 1e-15);
    ASSERT_EQ(ni_batchnorm_act_backward_inference(&a.shape, a.dy.data(), a.x.data(), nullptr, nullptr, 0, &mean, &var,
                                                  NI_GRADIENT_MODE_OVERWRITE, a.dx.data(), nullptr, nullptr,
                                                  NI_ACTIVATION_SILU, nullptr, nullptr),
              NI_STATUS_OK);
    EXPECT_NEAR(a.dx[3], 8 * slope(1) / 2, 1e-14);
}

/// Two ranks with two of the values each, which know the statistics and then the sums of both.
TEST(ActivationApi, PartsOfTwoRanksAreOneBatch) {
    for (const bool adds : {true, false}) {
        SCOPED_TRACE(adds ? "relu of a sum" : "silu");
        const int32_t activation = adds ? NI_ACTIVATION_RELU : NI_ACTIVATION_SILU;
        const double weight = -1.5, bias = 0.25;
        Numbers whole, parts;
        double dbias = 0, dweight = 0;
        ASSERT_EQ(ni_batchnorm_act_forward_training(
                      &whole.shape, whole.x.data(), &weight, &bias, 0, 0, nullptr, nullptr, &whole.mean, &whole.invstd,
                      whole.y.data(), activation, adds ? whole.residual.data() : nullptr, adds ? &whole.mask : nullptr),
                  NI_STATUS_OK);
        ASSERT_EQ(ni_batchnorm_act_backward_training(
                      &whole.shape, whole.dy.data(), whole.x.data(), &weight, &bias, &whole.mean, &whole.invstd,
                      NI_GRADIENT_MODE_OVERWRITE, whole.dx.data(), &dweight, &dbias, activation,
                      adds ? &whole.mask : nullptr, adds ? whole.dresidual.data() : nullptr),
                  NI_STATUS_OK);

        parts.shape.spatial = 2;
        uint8_t masks[2] = {};
        double sum_dy = 0, sum_dy_xmu = 0;
        for (size_t rank = 0; rank < 2; ++rank) {
            const size_t at = 2 * rank;
            double dy = 0, dy_xmu = 0;
            ASSERT_EQ(ni_channel_act_apply(&parts.shape, &parts.x[at], &whole.mean, &whole.invstd, &weight, &bias,
                                           &parts.y[at], activation, adds ? &parts.residual[at] : nullptr,
                                           adds ? &masks[rank] : nullptr),
                      NI_STATUS_OK);
            ASSERT_EQ(
                ni_channel_act_backward_reduce(&parts.shape, &parts.dy[at], &parts.x[at], &whole.mean, &whole.invstd,
                                               &weight, &bias, &dy, &dy_xmu, activation, adds ? &masks[rank] : nullptr),
                NI_STATUS_OK);
            sum_dy += dy;
            sum_dy_xmu += dy_xmu;
        }
        EXPECT_DOUBLE_EQ(sum_dy, dbias);
        EXPECT_DOUBLE_EQ(sum_dy_xmu * whole.invstd, dweight);
        for (size_t rank = 0; rank < 2; ++rank) {
            const size_t at = 2 * rank;
            ASSERT_EQ(
                ni_channel_act_backward_apply(&parts.shape, &parts.dy[at], &parts.x[at], &whole.mean, &whole.invstd,
                                              &weight, &bias, &sum_dy, &sum_dy_xmu, 4, &parts.dx[at], activation,
                                              adds ? &masks[rank] : nullptr, adds ? &parts.dresidual[at] : nullptr),
                NI_STATUS_OK);
        }
        EXPECT_EQ(parts.y, whole.y);
        EXPECT_EQ(parts.dresidual, whole.dresidual);
        EXPECT_EQ(masks[0] | masks[1] << 2, whole.mask);
        for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(parts.dx[i], whole.dx[i], 1e-14) << i;
    }
}

/// Without an activation, the functions are those without it in their names.
TEST(ActivationApi, NoneIsThePlainCall) {
    for (const auto& [name, plain] : {std::pair{"ni_batchnorm_act_forward_training", "ni_batchnorm_forward_training"},
                                      {"ni_batchnorm_act_forward_inference", "ni_batchnorm_forward_inference"},
                                      {"ni_batchnorm_act_backward_training", "ni_batchnorm_backward_training"},
                                      {"ni_batchnorm_act_backward_inference", "ni_batchnorm_backward_inference"},
                                      {"ni_channel_act_apply", "ni_channel_apply"},
                                      {"ni_channel_act_backward_reduce", "ni_channel_backward_reduce"},
                                      {"ni_channel_act_backward_apply", "ni_channel_backward_apply"},
                                      {"ni_groupnorm_act_forward", "ni_groupnorm_forward"},
                                      {"ni_groupnorm_act_backward", "ni_groupnorm_backward"},
                                      {"ni_instancenorm_act_forward", "ni_instancenorm_forward"},
                                      {"ni_instancenorm_act_backward", "ni_instancenorm_backward"}}) {
        SCOPED_TRACE(name);
        PreparedCall with(function_of(name)), without(function_of(plain));
        with.call.activation = NI_ACTIVATION_NONE;
        for (const char* argument : {"residual", "mask", "dresidual"}) with.call.at[argument] = nullptr;
        ASSERT_EQ(with.run(), NI_STATUS_OK) << ni_last_error_message();
        ASSERT_EQ(without.run(), NI_STATUS_OK) << ni_last_error_message();
        for (const Argument& argument : function_of(plain).arguments) {
            EXPECT_EQ(memcmp(with.call.at[argument.name], without.call.at[argument.name], without.bytes_of(argument)),
                      0)
                << argument.name;
        }
    }
}

}  // namespace
}  // namespace ni::test
