// What belongs to no layer: facts about the build, the thread limit, messages, callers from many threads.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "api/functions.h"

namespace ni::test {
namespace {

TEST(Runtime, AbiInfoIsWhatTheHeadersSay) {
    ni_abi_info info;
    memset(&info, 0xA5, sizeof info);
    info.struct_size = sizeof info;
    ASSERT_EQ(ni_get_abi_info(&info), NI_STATUS_OK);
    EXPECT_EQ(info.struct_size, sizeof(ni_abi_info));
    EXPECT_EQ(info.abi_version, ni_abi_version());
    EXPECT_EQ(info.channel_shape_size, sizeof(ni_channel_shape));
    EXPECT_EQ(info.group_shape_size, sizeof(ni_group_shape));
    EXPECT_EQ(info.row_shape_size, sizeof(ni_row_shape));
    EXPECT_EQ(info.status_count, NI_STATUS_INTERNAL_ERROR + 1U);
    EXPECT_EQ(info.data_type_count, NI_DATA_TYPE_BFLOAT16 + 1U);
    EXPECT_EQ(info.layout_count, NI_LAYOUT_NSC + 1U);
    EXPECT_EQ(info.gradient_mode_count, NI_GRADIENT_MODE_ACCUMULATE + 1U);
    EXPECT_EQ(info.activation_count, NI_ACTIVATION_SILU + 1U);
    EXPECT_EQ(info.pointer_size, sizeof(void*));
}

TEST(Runtime, AbiInfoOfAnotherSizeIsRefusedAndNotWritten) {
    EXPECT_EQ(ni_get_abi_info(nullptr), NI_STATUS_NULL_POINTER);
    EXPECT_STREQ(ni_last_error_message(), "info is null");
    for (const uint32_t size : {0U, 4U, static_cast<uint32_t>(sizeof(ni_abi_info)) + 4U, UINT32_MAX}) {
        ni_abi_info info, before;
        memset(&info, 0xA5, sizeof info);
        info.struct_size = size;
        before = info;
        EXPECT_EQ(ni_get_abi_info(&info), NI_STATUS_INVALID_ARGUMENT);
        EXPECT_EQ(memcmp(&info, &before, sizeof info), 0);
        EXPECT_NE(std::string(ni_last_error_message()).find(std::to_string(size)), std::string::npos);
    }
}

#if !defined(_WIN32)
void one_handler(int) {}
void another_handler(int) {}

TEST(Runtime, FaultHandlersOfTheProgramComeBackAndOthersStay) {
    struct sigaction before_fpe, before_trap;
    ASSERT_EQ(sigaction(SIGFPE, nullptr, &before_fpe), 0);
    ASSERT_EQ(sigaction(SIGTRAP, nullptr, &before_trap), 0);
    signal(SIGFPE, one_handler);
    signal(SIGTRAP, SIG_DFL);
    EXPECT_EQ(ni_save_fault_handlers(), NI_STATUS_OK);
    // What a library does that is loaded now.
    signal(SIGFPE, another_handler);
    signal(SIGTRAP, another_handler);
    EXPECT_EQ(ni_restore_fault_handlers(), NI_STATUS_OK);
    struct sigaction fpe, trap;
    sigaction(SIGFPE, &before_fpe, &fpe);
    sigaction(SIGTRAP, &before_trap, &trap);
    EXPECT_EQ(fpe.sa_handler, one_handler);
    EXPECT_EQ(trap.sa_handler, another_handler);
}
#endif

TEST(Runtime, BuildInfoIsOneLine) {
    const std::string info = ni_build_info();
    EXPECT_EQ(info.find("NormInterop "), 0U) << info;
    EXPECT_NE(info.find("scalar"), std::string::npos) << info;
    EXPECT_EQ(info.find('\n'), std::string::npos) << info;
}

TEST(Runtime, ActiveIsaIsTheOneThatTheEnvironmentNames) {
    const char* isa = nullptr;
    ASSERT_EQ(ni_active_isa(&isa), NI_STATUS_OK) << ni_last_error_message();
    const char* wanted = getenv("NORMINTEROP_ISA");
    if (wanted != nullptr && *wanted != '\0') {
        EXPECT_STREQ(isa, wanted);
    } else {
        EXPECT_NE(std::string(ni_build_info()).find(isa), std::string::npos);
    }
    EXPECT_EQ(ni_active_isa(nullptr), NI_STATUS_NULL_POINTER);
    EXPECT_STREQ(ni_last_error_message(), "name is null");
}

TEST(Runtime, TheThreadLimitCanBeSetAndRestored) {
    const int32_t initial = ni_thread_limit();
    EXPECT_GE(initial, 1);
    EXPECT_EQ(ni_set_thread_limit(3), NI_STATUS_OK);
    EXPECT_EQ(ni_thread_limit(), 3);
    for (const int32_t wrong : {-1, 1025, INT32_MIN, INT32_MAX}) {
        EXPECT_EQ(ni_set_thread_limit(wrong), NI_STATUS_INVALID_ARGUMENT);
        EXPECT_NE(std::string(ni_last_error_message()).find("limit is " + std::to_string(wrong)), std::string::npos);
        EXPECT_EQ(ni_thread_limit(), 3);
    }
    EXPECT_EQ(ni_set_thread_limit(1024), NI_STATUS_OK);
    EXPECT_EQ(ni_thread_limit(), 1024);
    EXPECT_EQ(ni_set_thread_limit(0), NI_STATUS_OK);
    EXPECT_EQ(ni_thread_limit(), initial);
}

TEST(Runtime, MessagesBelongToTheirThread) {
    EXPECT_EQ(ni_set_thread_limit(-7), NI_STATUS_INVALID_ARGUMENT);
    const std::string mine = ni_last_error_message();
    std::string fresh, theirs;
    std::thread other([&] {
        fresh = ni_last_error_message();
        EXPECT_EQ(ni_set_thread_limit(-8), NI_STATUS_INVALID_ARGUMENT);
        theirs = ni_last_error_message();
    });
    other.join();
    EXPECT_EQ(ni_last_error_message(), mine);
    EXPECT_NE(mine.find("-7"), std::string::npos);
    EXPECT_NE(theirs.find("-8"), std::string::npos);
    EXPECT_EQ(fresh.find("-7"), std::string::npos) << fresh;
}

/// Forward and backward over one tensor.
struct Pass {
    Pass(int64_t batch, int64_t channels, int64_t spatial, ni_layout layout)
        : shape{sizeof(ni_channel_shape), NI_DATA_TYPE_FLOAT32, layout, 0, batch, channels, spatial},
          x(static_cast<size_t>(batch * channels * spatial)),
          y(x.size()),
          dx(x.size()),
          gradients(static_cast<size_t>(2 * channels)),
          saved(static_cast<size_t>(2 * channels)) {
        for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 2654435761U % 10007) / 5000.0F - 1.0F;
    }
    bool run() {
        double *mean = saved.data(), *invstd = mean + shape.channels;
        float *dweight = gradients.data(), *dbias = dweight + shape.channels;
        return ni_batchnorm_forward_training(&shape, x.data(), nullptr, nullptr, 1e-5, 0.1, nullptr, nullptr, mean,
                                             invstd, y.data()) == NI_STATUS_OK &&
               ni_batchnorm_backward_training(&shape, y.data(), x.data(), nullptr, mean, invstd,
                                              NI_GRADIENT_MODE_OVERWRITE, dx.data(), dweight, dbias) == NI_STATUS_OK;
    }
    template <class T>
    static bool same(const std::vector<T>& a, const std::vector<T>& b) {
        return memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
    }
    bool operator==(const Pass& other) const {
        return same(y, other.y) && same(dx, other.dx) && same(gradients, other.gradients) && same(saved, other.saved);
    }

    ni_channel_shape shape;
    std::vector<float> x, y, dx, gradients;
    std::vector<double> saved;
};

TEST(Runtime, ManyCallersAtOnceGetTheBitsOfOne) {
    const Pass large_ncs(2, 8, 8192, NI_LAYOUT_NCS), few_ncs(2, 2, 40000, NI_LAYOUT_NCS);
    const Pass large_nsc(4, 64, 512, NI_LAYOUT_NSC), small(4, 3, 20, NI_LAYOUT_NCS);
    std::vector<std::thread> callers;
    std::vector<int> wrong(16);
    for (size_t t = 0; t < wrong.size(); ++t) {
        callers.emplace_back([&, t] {
            const Pass* const kinds[] = {&large_ncs, &few_ncs, &large_nsc, &small};
            Pass expected = *kinds[t % 4];
            expected.shape.max_threads = 1;
            Pass mine = *kinds[t % 4];
            wrong[t] += expected.run() ? 0 : 1000;
            for (int round = 0; round < 50; ++round) wrong[t] += mine.run() && mine == expected ? 0 : 1;
        });
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(wrong, std::vector<int>(wrong.size(), 0));
}

}  // namespace
}  // namespace ni::test
