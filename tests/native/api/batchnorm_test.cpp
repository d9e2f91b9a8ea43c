// What the C functions of BatchNorm compute, on cases that can be checked by eye.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "norminterop/norminterop.h"

namespace ni::test {
namespace {

ni_channel_shape shape_of(int64_t batch, int64_t channels, int64_t spatial, ni_layout layout = NI_LAYOUT_NCS) {
    return {sizeof(ni_channel_shape), NI_DATA_TYPE_FLOAT32, layout, 0, batch, channels, spatial};
}

TEST(BatchNormApi, NormalizesTwoChannelsOfThreeSamples) {
    const ni_channel_shape shape = shape_of(3, 2, 1);
    const std::vector<float> x = {-1, 8, 0, 0, 1, -8};
    std::vector<float> y(6), mean = {0, 0}, var = {1, 1};
    std::vector<double> saved_mean(2), saved_invstd(2);
    ASSERT_EQ(ni_batchnorm_forward_training(&shape, x.data(), nullptr, nullptr, 1e-5, 0.1, mean.data(), var.data(),
                                            saved_mean.data(), saved_invstd.data(), y.data()),
              NI_STATUS_OK);
    const float expected[] = {-1.2247F, 1.2247F, 0, 0, 1.2247F, -1.2247F};
    for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(y[i], expected[i], 1e-4F);
    EXPECT_EQ(mean, (std::vector<float>{0, 0}));
    EXPECT_FLOAT_EQ(var[0], 1.0F);  // 0.9 * 1 + 0.1 * 1: unbiased
    EXPECT_FLOAT_EQ(var[1], 7.3F);  // 0.9 * 1 + 0.1 * 64
    EXPECT_EQ(saved_mean, (std::vector<double>{0, 0}));
    EXPECT_NEAR(saved_invstd[0], 1 / std::sqrt(2.0 / 3 + 1e-5), 1e-7);
    EXPECT_NEAR(saved_invstd[1], 1 / std::sqrt(128.0 / 3 + 1e-5), 1e-7);
}

TEST(BatchNormApi, BothLayoutsAreTheSameTensor) {
    constexpr int64_t kBatch = 3, kChannels = 5, kSpatial = 7;
    std::vector<float> ncs(kBatch * kChannels * kSpatial), nsc(ncs.size()), y_ncs(ncs.size()), y_nsc(ncs.size());
    const auto at = [](int64_t n, int64_t c, int64_t s, bool last) {
        return static_cast<size_t>(last ? (n * kSpatial + s) * kChannels + c : (n * kChannels + c) * kSpatial + s);
    };
    const auto each = [&](const auto& visit) {
        for (int64_t n = 0; n < kBatch; ++n)
            for (int64_t c = 0; c < kChannels; ++c)
                for (int64_t s = 0; s < kSpatial; ++s) visit(at(n, c, s, false), at(n, c, s, true), c);
    };
    each([&](size_t i, size_t j, int64_t c) {
        ncs[i] = nsc[j] = static_cast<float>((i * 37 % 101) * static_cast<size_t>(c + 1));
    });
    const ni_channel_shape first = shape_of(kBatch, kChannels, kSpatial);
    const ni_channel_shape last = shape_of(kBatch, kChannels, kSpatial, NI_LAYOUT_NSC);
    const auto forward = [](const ni_channel_shape& shape, const std::vector<float>& x, std::vector<float>& y) {
        return ni_batchnorm_forward_training(&shape, x.data(), nullptr, nullptr, 1e-5, 0.1, nullptr, nullptr, nullptr,
                                             nullptr, y.data());
    };
    ASSERT_EQ(forward(first, ncs, y_ncs), NI_STATUS_OK);
    ASSERT_EQ(forward(last, nsc, y_nsc), NI_STATUS_OK);
    each([&](size_t i, size_t j, int64_t) { EXPECT_NEAR(y_ncs[i], y_nsc[j], 1e-6F); });
}

TEST(BatchNormApi, BackwardAddsToGradientsOnlyWhenToldTo) {
    const ni_channel_shape shape = shape_of(3, 1, 1);
    const float x[] = {-1, 0, 1}, dy[] = {1, 2, 4};
    const double mean = 0, invstd = 1;
    float dweight = 100, dbias = 200;
    const auto backward = [&](int32_t mode) {
        return ni_batchnorm_backward_training(&shape, dy, x, nullptr, &mean, &invstd, mode, nullptr, &dweight, &dbias);
    };
    ASSERT_EQ(backward(NI_GRADIENT_MODE_ACCUMULATE), NI_STATUS_OK);
    EXPECT_EQ(dweight, 103.0F);
    EXPECT_EQ(dbias, 207.0F);
    ASSERT_EQ(backward(NI_GRADIENT_MODE_OVERWRITE), NI_STATUS_OK);
    EXPECT_EQ(dweight, 3.0F);
    EXPECT_EQ(dbias, 7.0F);
}

}  // namespace
}  // namespace ni::test
