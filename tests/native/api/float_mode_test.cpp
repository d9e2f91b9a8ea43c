// The floating-point mode of the caller's thread reaches no result, and stays the caller's.
#if defined(__x86_64__)
#include <gtest/gtest.h>
#include <norminterop/norminterop.h>
#include <xmmintrin.h>

#include <cstring>
#include <vector>

namespace {

constexpr unsigned kFlushDenormals = 0x9FC0, kTowardZero = 0x7F80;

/// Inference of denormal data; weight and bias absent, so that outputs stay denormal. Large enough for several threads.
std::vector<float> run(int32_t threads) {
    const int64_t channels = 64, spatial = 4096;
    const ni_channel_shape shape{
        sizeof(ni_channel_shape), NI_DATA_TYPE_FLOAT32, NI_LAYOUT_NCS, threads, 1, channels, spatial};
    std::vector<float> x(static_cast<size_t>(channels * spatial)), y(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
        const auto bits = static_cast<uint32_t>(i * 31 % 8388607 + 1);  // every exponent field 0
        std::memcpy(&x[i], &bits, sizeof bits);
    }
    const std::vector<float> mean(64, 0.0F), var(64, 3.0F);
    EXPECT_EQ(ni_batchnorm_forward_inference(&shape, x.data(), nullptr, nullptr, 0, mean.data(), var.data(), y.data()),
              NI_STATUS_OK)
        << ni_last_error_message();
    return y;
}

TEST(FloatMode, OfTheCallerReachesNoResultAndStays) {
    const std::vector<float> expected = run(1);
    for (const unsigned mode : {kFlushDenormals, kTowardZero}) {
        for (const int32_t threads : {1, 2, 8}) {
            const unsigned before = _mm_getcsr();
            _mm_setcsr(mode);
            const std::vector<float> got = run(threads);
            const unsigned after = _mm_getcsr();
            _mm_setcsr(before);
            EXPECT_EQ(after & ~63U, mode & ~63U);
            EXPECT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0) << threads << " threads";
        }
    }
}

}  // namespace
#endif
