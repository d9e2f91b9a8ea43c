// The four exported parts, which a synchronized BatchNorm communicates between, are the fused passes in pieces.
#include <gtest/gtest.h>

#include "channel/oracle.h"
#include "channel/shapes.h"
#include "support/bits.h"
#include "support/share.h"
#include "support/tables.h"

namespace ni::test {
namespace {

void expect_parts(const TensorCase& shape) {
    SCOPED_TRACE(testing::Message() << shape);
    const BatchNormInputs in(shape);
    const EveryResult r = every_result(*supported_tables().back(), shape, in, 2);
    EXPECT_TRUE(same_bits(r.part_mean, r.training.mean));
    EXPECT_TRUE(same_bits(r.part_y, r.training.y));
    EXPECT_TRUE(same_bits(r.part_dx, r.training_gradients.dx));
    const std::vector<float> bias(r.part_sum_dy.begin(), r.part_sum_dy.end());
    EXPECT_TRUE(same_bits(bias, r.training_gradients.bias));

    const Exact exact = exact_training(shape, in);
    const auto count = static_cast<long double>(shape.values_per_channel());
    std::vector<long double> m2;
    for (const long double var : exact.var) m2.push_back(var * count);
    EXPECT_LE(largest_error(r.part_m2, m2), 2e-6 * largest(m2));
    const double terms = std::sqrt(static_cast<double>(shape.values_per_channel()));
    EXPECT_LE(largest_error(r.part_sum_dy, exact.sum_dy), 1e-6 * (terms + largest(exact.sum_dy)));
    EXPECT_LE(largest_error(r.part_sum_dy_xmu, exact.sum_dy_xmu), 1e-6 * (terms + largest(exact.sum_dy_xmu)));
}

TEST(Parts, ComposeToTheFusedPassesToTheBit) {
    for (const TensorCase& shape : share(small_shapes(), 0)) expect_parts(shape);
    for (const TensorCase& shape : share(large_shapes(), 0)) expect_parts(shape);
}

TEST(Parts, BackwardApplyDividesByTheCountItIsGiven) {
    // Two ranks with the same data: twice the sums over twice the count are the same gradients.
    const TensorCase shape{2, 3, 50};
    const BatchNormInputs in(shape);
    const EveryResult r = every_result(*supported_tables().back(), shape, in);
    std::vector<double> sum_dy = r.part_sum_dy, sum_dy_xmu = r.part_sum_dy_xmu;
    for (double& sum : sum_dy) sum *= 2;
    for (double& sum : sum_dy_xmu) sum *= 2;
    std::vector<float> dx(in.x.size());
    layer(*supported_tables().back(), shape)
        .backward_apply(in.dy.data(), in.x.data(), r.training.mean.data(), r.training.invstd.data(), in.weight.data(),
                        sum_dy.data(), sum_dy_xmu.data(), 200, dx.data());
    EXPECT_TRUE(same_bits(dx, r.training_gradients.dx));
}

}  // namespace
}  // namespace ni::test
