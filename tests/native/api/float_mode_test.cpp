// The floating-point mode of the caller's thread reaches no result, and stays the caller's.
#if defined(__x86_64__) || defined(__aarch64__)
#include <gtest/gtest.h>
#include <norminterop/norminterop.h>

#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace {

#if defined(__x86_64__)
/// MXCSR: denormals are zero, toward zero.
constexpr uint64_t kModes[] = {0x9FC0, 0x7F80};
/// Without the exceptions that were raised.
uint64_t float_mode() { return _mm_getcsr() & ~63U; }
void set_float_mode(uint64_t mode) { _mm_setcsr(static_cast<uint32_t>(mode)); }
#else
/// FPCR: denormals are zero, toward zero, halves without infinity.
constexpr uint64_t kModes[] = {1U << 24, 3U << 22, 1U << 26};
uint64_t float_mode() {
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode) : : "memory");
    return mode;
}
void set_float_mode(uint64_t mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory"); }
#endif

/// Inference of denormal data, and of all kinds of halves; weight and bias absent, so that outputs stay as small. Large
/// enough for several threads.
std::vector<uint32_t> run(int32_t type, int32_t threads) {
    const int64_t channels = 64, spatial = 4096;
    const ni_channel_shape shape{sizeof(ni_channel_shape), type, NI_LAYOUT_NCS, threads, 1, channels, spatial};
    std::vector<uint32_t> x(static_cast<size_t>(channels * spatial)), y(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
        const bool halves = type == NI_DATA_TYPE_FLOAT16;                        // two of them in each
        x[i] = static_cast<uint32_t>(halves ? i * 7919 : i * 31 % 8388607 + 1);  // as floats, every exponent field 0
    }
    const std::vector<float> mean(64, 0.0F), var(64, 3.0F);
    EXPECT_EQ(ni_batchnorm_forward_inference(&shape, x.data(), nullptr, nullptr, 0, mean.data(), var.data(), y.data()),
              NI_STATUS_OK)
        << ni_last_error_message();
    return y;
}

TEST(FloatMode, OfTheCallerReachesNoResultAndStays) {
    for (const int32_t type : {NI_DATA_TYPE_FLOAT32, NI_DATA_TYPE_FLOAT16}) {
        const std::vector<uint32_t> expected = run(type, 1);
        for (const uint64_t mode : kModes) {
            for (const int32_t threads : {1, 2, 8}) {
                SCOPED_TRACE(testing::Message() << "type " << type << ", mode " << mode << ", threads " << threads);
                const uint64_t before = float_mode();
                set_float_mode(mode);
                const std::vector<uint32_t> got = run(type, threads);
                const uint64_t after = float_mode();
                set_float_mode(before);
                EXPECT_EQ(after, mode);
                EXPECT_EQ(got, expected);
            }
        }
    }
}

}  // namespace
#endif
