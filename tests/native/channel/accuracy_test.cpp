// The bar of accuracy, where libraries that keep a mean in one float lose digits.
#include <gtest/gtest.h>

#include <cmath>

#include "channel/oracle.h"
#include "support/tables.h"

namespace ni::test {
namespace {

struct Accuracy {
    double offset;
    bool channels_last;
};
/// GoogleTest would print the bytes, padding included.
std::ostream& operator<<(std::ostream& out, const Accuracy& accuracy) { return out << "offset " << accuracy.offset; }

class OffsetData : public testing::TestWithParam<Accuracy> {
protected:
    OffsetData() {
        in_.x = normals(shape_.elements(), 11, GetParam().offset);
        in_.weight.assign(in_.weight.size(), 1.0F);
        in_.bias.assign(in_.bias.size(), 0.0F);
        in_.running_mean.assign(in_.weight.size(), 0.0F);
        in_.running_var.assign(in_.weight.size(), 0.0F);
        in_.momentum = 1.0;
    }
    const KernelTable& kernels_ = *supported_tables().back();
    const TensorCase shape_{8, 16, 32 * 32, GetParam().channels_last};
    BatchNormInputs in_{shape_};
};

INSTANTIATE_TEST_SUITE_P(Accuracy, OffsetData,
                         testing::Values(Accuracy{0, false}, Accuracy{1e2, false}, Accuracy{1e3, false},
                                         Accuracy{1e4, false}, Accuracy{0, true}, Accuracy{1e2, true},
                                         Accuracy{1e3, true}, Accuracy{1e4, true}),
                         [](const auto& tested) {
                             return (tested.param.channels_last ? "nsc_offset_" : "ncs_offset_") +
                                    std::to_string(static_cast<int>(tested.param.offset));
                         });

TEST_P(OffsetData, OutputIsWithinTwoMillionthsAndBuffersWithinOne) {
    const Training out = forward_training(kernels_, shape_, in_);
    const Exact exact = exact_training(shape_, in_);
    EXPECT_LE(largest_error(out.y, exact.y), 2e-6);
    for (int64_t c = 0; c < shape_.channels; ++c) {
        // Of a mean near 0, the deviation (1) is the measure.
        const double scale = std::max(1.0, static_cast<double>(std::abs(exact.mean[c])));
        EXPECT_NEAR(static_cast<double>(out.running_mean[c]), static_cast<double>(exact.mean[c]), 1e-6 * scale);
        const auto unbiased = static_cast<double>(exact.unbiased[c]);
        EXPECT_NEAR(static_cast<double>(out.running_var[c]), unbiased, 1e-6 * unbiased);
    }
}

TEST_P(OffsetData, GradientsAreWithinTwoMillionths) {
    const Gradients got = backward_training(kernels_, shape_, in_, forward_training(kernels_, shape_, in_));
    const Exact exact = exact_training(shape_, in_);
    EXPECT_LE(largest_error(got.dx, exact.dx), 2e-6);
    EXPECT_LE(largest_error(got.bias, exact.sum_dy), 2e-6 * std::sqrt(8 * 32 * 32));
    EXPECT_LE(largest_error(got.weight, exact.dweight), 2e-6 * std::sqrt(8 * 32 * 32));
}

/// Data whose first values say nothing about the rest, which is where a shifted sum is worst.
TEST(Accuracy, FirstValuesFarFromTheMean) {
    for (const bool channels_last : {false, true}) {
        for (const double head : {0.5, 1.0, 1.7, 3.0, 30.0, 1e4}) {
            const TensorCase shape{4, 2, 4096, channels_last};
            SCOPED_TRACE(testing::Message() << shape << ", first values off by " << head);
            BatchNormInputs in(shape);
            for (int64_t n = 0; n < shape.batch; ++n)
                for (int64_t c = 0; c < shape.channels; ++c)
                    for (int64_t s = 0; s < 16; ++s) in.x[shape.at(n, c, s)] += static_cast<float>(head);
            const Training out = forward_training(*supported_tables().back(), shape, in);
            const Exact exact = exact_training(shape, in);
            EXPECT_LE(largest_error(out.y, exact.y), 4e-7 * largest(exact.y));
            EXPECT_LE(largest_error(out.mean, exact.mean), 2e-7 * std::sqrt(largest(exact.var)));
        }
    }
}

/// A channel of two values, whose squares all round to the same side in every partial sum: the worst that is known of
/// single precision sums. The bar for normal data does not hold here, but the error must stay of that order.
TEST(Accuracy, RoundingsThatDoNotCancel) {
    struct Values {
        float head, a, b;
        int64_t period;
    };
    for (const bool channels_last : {false, true}) {
        for (const Values& v : {Values{0.0F, 1.67F, 0.53F, 64}, Values{-1.30579F, -0.350018F, 2.67076F, 4},
                                Values{1.26659F, 0.473966F, -2.6976F, 8}, Values{0.792896F, 2.74045F, 1.28527F, 32}}) {
            for (const int64_t spatial : {64, 4096}) {
                const TensorCase shape{1, 1, spatial, channels_last};
                SCOPED_TRACE(testing::Message() << shape << ", values " << v.a << " and " << v.b);
                BatchNormInputs in(shape);
                in.weight = {1.0F};
                in.bias = {0.0F};
                for (int64_t s = 0; s < spatial; ++s) in.x[s] = s < 16 ? v.head : s / v.period % 2 == 0 ? v.b : v.a;
                const Training out = forward_training(*supported_tables().back(), shape, in);
                EXPECT_LE(largest_error(out.y, exact_training(shape, in).y), 2e-6);
            }
        }
    }
}

}  // namespace
}  // namespace ni::test
