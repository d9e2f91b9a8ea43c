// What the C functions of the layers compute, on cases that can be checked by eye.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "norminterop/norminterop.h"

namespace ni::test {
namespace {

/// Planes of `positions` times 1, 2, 3 and so on.
template <class T>
std::vector<T> planes(int64_t count, int64_t positions) {
    std::vector<T> values;
    for (int64_t i = 0; i < count * positions; ++i) values.push_back(static_cast<T>(i / positions + 1));
    return values;
}

ni_row_shape rows_of(int64_t rows, int64_t length, ni_data_type type = NI_DATA_TYPE_FLOAT32) {
    return {sizeof(ni_row_shape), type, 0, 0, rows, length};
}
ni_channel_shape channels_of(int64_t batch, int64_t channels, int64_t spatial, ni_data_type type) {
    return {sizeof(ni_channel_shape), type, NI_LAYOUT_NCS, 0, batch, channels, spatial};
}

TEST(LayersApi, LayerNormOverPlanesOfOneTwoThree) {
    const ni_row_shape shape = rows_of(1, 12);
    const std::vector<float> x = planes<float>(3, 4);
    std::vector<float> y(12);
    double mean = 0, invstd = 0;
    ASSERT_EQ(ni_layernorm_forward(&shape, x.data(), nullptr, nullptr, 1e-5, &mean, &invstd, y.data()), NI_STATUS_OK);
    for (size_t i = 0; i < 12; ++i) EXPECT_NEAR(y[i], static_cast<float>(i / 4) * 1.2247F - 1.2247F, 1e-4F);
    EXPECT_EQ(mean, 2.0);
    EXPECT_NEAR(invstd, 1 / std::sqrt(2.0 / 3 + 1e-5), 1e-12);
}

TEST(LayersApi, GroupNormOverPlanesOfOneToFour) {
    for (const ni_layout layout : {NI_LAYOUT_NCS, NI_LAYOUT_NSC}) {
        const ni_group_shape shape{sizeof(ni_group_shape), NI_DATA_TYPE_FLOAT32, layout, 0, 1, 4, 6, 2};
        std::vector<float> x = planes<float>(4, 6), y(24);
        const auto channel = [&](size_t i) { return layout == NI_LAYOUT_NCS ? i / 6 : i % 4; };
        for (size_t i = 0; i < 24; ++i) x[i] = static_cast<float>(channel(i) + 1);
        double mean[2], invstd[2];
        ASSERT_EQ(ni_groupnorm_forward(&shape, x.data(), nullptr, nullptr, 1e-5, mean, invstd, y.data()), NI_STATUS_OK);
        for (size_t i = 0; i < 24; ++i) EXPECT_NEAR(y[i], channel(i) % 2 == 0 ? -1.0F : 1.0F, 1e-4F);
        EXPECT_EQ(mean[0], 1.5);
        EXPECT_EQ(mean[1], 3.5);
    }
}

TEST(LayersApi, InstanceNormOfConstantPlanesIsZeroAndMovesTheBuffers) {
    const ni_channel_shape shape = channels_of(2, 3, 4, NI_DATA_TYPE_FLOAT32);
    std::vector<float> x = planes<float>(3, 4), mean(3, 0.0F), var(3, 1.0F), y(24, 7.0F);
    const std::vector<float> first = x;
    for (const float value : first) x.push_back(value + 1);  // the second sample
    ASSERT_EQ(ni_instancenorm_forward(&shape, x.data(), nullptr, nullptr, 1e-5, 0.3, mean.data(), var.data(), nullptr,
                                      nullptr, y.data()),
              NI_STATUS_OK);
    EXPECT_EQ(y, std::vector<float>(24, 0.0F));
    for (size_t c = 0; c < 3; ++c) {
        EXPECT_FLOAT_EQ(mean[c], 0.3F * (static_cast<float>(c) + 1.5F));
        EXPECT_FLOAT_EQ(var[c], 0.7F);
    }
}

TEST(LayersApi, InstanceNormAveragesUnbiasedVariancesOfSamples) {
    const ni_channel_shape shape = channels_of(2, 1, 2, NI_DATA_TYPE_FLOAT64);
    const double x[] = {1, 3, 0, 8};
    double mean = 10, var = 20, y[4];
    ASSERT_EQ(ni_instancenorm_forward(&shape, x, nullptr, nullptr, 0, 0.5, &mean, &var, nullptr, nullptr, y),
              NI_STATUS_OK);
    EXPECT_DOUBLE_EQ(mean, 0.5 * 10 + 0.5 * (2 + 4) / 2);
    EXPECT_DOUBLE_EQ(var, 0.5 * 20 + 0.5 * (2 + 32) / 2);
    EXPECT_DOUBLE_EQ(y[0], -1);
    EXPECT_DOUBLE_EQ(y[3], 1);
}

TEST(LayersApi, RmsNormDividesByTheRootOfTheMeanSquare) {
    const ni_row_shape shape = rows_of(2, 2, NI_DATA_TYPE_FLOAT64);
    const double x[] = {1, 7, -6, 8}, weight[] = {2, 3}, dy[] = {1, 0, 0, 1};
    double y[4], invrms[2], dx[4], dweight[2] = {100, 200};
    ASSERT_EQ(ni_rmsnorm_forward(&shape, x, weight, 0, invrms, y), NI_STATUS_OK);
    EXPECT_DOUBLE_EQ(invrms[0], 0.2);
    EXPECT_DOUBLE_EQ(invrms[1], 1 / std::sqrt(50.0));
    EXPECT_DOUBLE_EQ(y[0], 2.0 / 5);
    EXPECT_DOUBLE_EQ(y[1], 21.0 / 5);
    ASSERT_EQ(ni_rmsnorm_backward(&shape, dy, x, weight, invrms, NI_GRADIENT_MODE_ACCUMULATE, dx, dweight),
              NI_STATUS_OK);
    EXPECT_DOUBLE_EQ(dweight[0], 100 + 0.2);
    EXPECT_DOUBLE_EQ(dweight[1], 200 + 8 / std::sqrt(50.0));
    EXPECT_DOUBLE_EQ(dx[0], 0.2 * (2 - 0.2 * 0.2));  // g = 2, 0; x^ = 0.2, 1.4; mean(g x^) = 0.2
    EXPECT_DOUBLE_EQ(dx[1], 0.2 * (0 - 1.4 * 0.2));
}

TEST(LayersApi, CaffeKeepsSumsAndAllowsASingleValue) {
    const ni_channel_shape shape = channels_of(1, 2, 2, NI_DATA_TYPE_FLOAT64);
    const double x[] = {1, 3, 5, 5};
    double mean[] = {10, 20}, var[] = {30, 40}, y[4];
    ASSERT_EQ(ni_caffe_batchnorm_forward_training(&shape, x, 0, 0.5, mean, var, nullptr, nullptr, y), NI_STATUS_OK);
    EXPECT_DOUBLE_EQ(mean[0], 0.5 * 10 + 2);
    EXPECT_DOUBLE_EQ(mean[1], 0.5 * 20 + 5);
    EXPECT_DOUBLE_EQ(var[0], 0.5 * 30 + 2);
    EXPECT_DOUBLE_EQ(var[1], 0.5 * 40);
    EXPECT_DOUBLE_EQ(y[0], -1);
    EXPECT_DOUBLE_EQ(y[2], 0);
    const ni_channel_shape single = channels_of(1, 2, 1, NI_DATA_TYPE_FLOAT64);
    ASSERT_EQ(ni_caffe_batchnorm_forward_training(&single, x, 1e-5, 0.5, mean, var, nullptr, nullptr, y), NI_STATUS_OK);
    EXPECT_DOUBLE_EQ(var[0], 0.25 * 30 + 1);
    EXPECT_EQ(y[0], 0.0);
}

/// 1, 2, 3, 4 as half and as bfloat16, with parameters in float: y = -1.342, -0.447, 0.447, 1.342 times 2, plus 1.
TEST(LayersApi, SixteenBitDataTakesFloatParameters) {
    struct Bits {
        ni_data_type type;
        uint16_t x[4], y[4];
    };
    for (const Bits& bits :
         {Bits{NI_DATA_TYPE_FLOAT16, {0x3C00, 0x4000, 0x4200, 0x4400}, {0xBEBC, 0x2EC2, 0x3F94, 0x435E}},
          Bits{NI_DATA_TYPE_BFLOAT16, {0x3F80, 0x4000, 0x4040, 0x4080}, {0xBFD7, 0x3DD8, 0x3FF2, 0x406C}}}) {
        const ni_row_shape shape = rows_of(1, 4, bits.type);
        const float weight[] = {2, 2, 2, 2}, bias[] = {1, 1, 1, 1};
        uint16_t y[4];
        ASSERT_EQ(ni_layernorm_forward(&shape, bits.x, weight, bias, 0, nullptr, nullptr, y), NI_STATUS_OK);
        for (int i = 0; i < 4; ++i) EXPECT_NEAR(y[i], bits.y[i], 1) << "element " << i;
    }
}

TEST(LayersApi, GroupsOfOneChannelAreInstances) {
    const std::vector<float> x = {1, 2, 4, 8, -1, 0, 3, 3};
    const ni_channel_shape channels = channels_of(2, 2, 2, NI_DATA_TYPE_FLOAT32);
    const ni_group_shape groups{sizeof(ni_group_shape), NI_DATA_TYPE_FLOAT32, NI_LAYOUT_NCS, 0, 2, 2, 2, 2};
    std::vector<float> of_groups(8), of_instances(8, 7.0F);
    ASSERT_EQ(ni_groupnorm_forward(&groups, x.data(), nullptr, nullptr, 1e-5, nullptr, nullptr, of_groups.data()),
              NI_STATUS_OK);
    ASSERT_EQ(ni_instancenorm_forward(&channels, x.data(), nullptr, nullptr, 1e-5, 0.1, nullptr, nullptr, nullptr,
                                      nullptr, of_instances.data()),
              NI_STATUS_OK);
    EXPECT_EQ(of_groups, of_instances);
}

}  // namespace
}  // namespace ni::test
