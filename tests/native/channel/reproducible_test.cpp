// The same bits on every instruction set, for every number of threads, and with either kind of store.
#include <gtest/gtest.h>

#include "channel/shapes.h"
#include "channel/tensors.h"
#include "parallel/cache.h"
#include "support/bits.h"
#include "support/share.h"
#include "support/tables.h"

namespace ni::test {
namespace {

class Reproducible : public testing::TestWithParam<const KernelTable*> {
protected:
    static void expect_scalar_bits(const TensorCase& shape, const std::vector<int32_t>& thread_counts) {
        const BatchNormInputs in(shape);
        const EveryResult expected = every_result(kScalarKernels, shape, in, 1);
        for (const int32_t threads : thread_counts) {
            SCOPED_TRACE(testing::Message() << shape << ", " << threads << " threads");
            expect_same_bits(every_result(*GetParam(), shape, in, threads), expected);
            if (HasFailure()) return;
        }
    }
};

INSTANTIATE_TEST_SUITE_P(All, Reproducible, testing::ValuesIn(supported_tables()),
                         [](const auto& tested) { return std::string(tested.param->isa); });

TEST_P(Reproducible, SmallTensorsOfEveryKindOfInput) {
    for (const Fill fill : kFills) {
        for (TensorCase shape : share(small_shapes(), static_cast<size_t>(fill))) {
            if (shape.batch == 3) continue;
            shape.fill = fill;
            expect_scalar_bits(shape, {1});
        }
    }
}

TEST_P(Reproducible, LargeTensorsOnAnyNumberOfThreads) {
    size_t turn = 0;
    for (const TensorCase& shape : large_shapes()) expect_scalar_bits(shape, share<int32_t>({1, 2, 3, 8}, turn++));
}

TEST_P(Reproducible, LargeTensorsOfUnusualInputOnAnyNumberOfThreads) {
    size_t turn = 1;
    for (const Fill fill : {Fill::kOffset, Fill::kHuge, Fill::kNan}) {
        const std::vector<int32_t> threads = share<int32_t>({1, 2, 3, 8}, turn++);
        expect_scalar_bits({4, 3, 30011, false, fill}, threads);
        expect_scalar_bits({8, 16, 2500, true, fill}, threads);
    }
}

TEST_P(Reproducible, OutputsLargerThanTheCacheAndMisaligned) {
    // In place, stores go through the cache; into another buffer of this size, past it.
    const int64_t elements = std::min<int64_t>(parallel::last_level_cache_bytes() / 8 + 4096, 16 << 20);
    for (const bool channels_last : {false, true}) {
        const TensorCase shape{4, 50, elements / 200 + 1, channels_last};
        SCOPED_TRACE(testing::Message() << shape);
        const BatchNormInputs in(shape);
        std::vector<float> cached = in.x, streamed(in.x.size() + 3);
        for (float* y : {cached.data(), streamed.data() + 3}) {
            layer(*GetParam(), shape, 2)
                .forward_inference(y == cached.data() ? y : in.x.data(), in.affine(), in.eps, in.running_mean.data(),
                                   in.running_var.data(), y);
        }
        EXPECT_EQ(streamed[0], 0.0F);
        streamed.erase(streamed.begin(), streamed.begin() + 3);
        EXPECT_TRUE(same_bits(cached, streamed));
    }
}

}  // namespace
}  // namespace ni::test
