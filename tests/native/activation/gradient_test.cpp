// The backward of a layer with an activation against differences of its forward, in double.
#include <gtest/gtest.h>

#include <cmath>

#include "activation/fused_case.h"
#include "support/tables.h"

namespace ni::test {
namespace {

/// What every gradient is that of: the sum of y times dy.
double loss(const LayerCase& layer, const LayerInputs<Float64>& in, const LayerOptions& options) {
    const LayerResults<Float64> out = run_layer(*supported_tables().back(), layer, in, options);
    double sum = 0;
    for (size_t i = 0; i < out.y.size(); ++i) sum += out.y[i] * in.dy[i];
    return sum;
}

/// Moves each of `numbers`, which are some of the inputs, up and down.
void expect_differences(const char* what, const LayerCase& layer, LayerInputs<Float64>& in,
                        std::vector<double>& numbers, const std::vector<double>& gradient,
                        const LayerOptions& options) {
    SCOPED_TRACE(what);
    constexpr double kStep = 1e-5;
    for (size_t i = 0; i < numbers.size(); ++i) {
        const double before = numbers[i];
        numbers[i] = before + kStep;
        const double above = loss(layer, in, options);
        numbers[i] = before - kStep;
        const double below = loss(layer, in, options);
        numbers[i] = before;
        ASSERT_NEAR(gradient[i], (above - below) / (2 * kStep), 1e-7 * (1 + std::abs(gradient[i]))) << "element " << i;
    }
}

TEST(FusedGradient, IsThatOfTheForward) {
    for (const LayerCase& layer : {LayerCase{Family::kBatch, 2, 3, 5}, LayerCase{Family::kBatch, 2, 3, 5, 1, true},
                                   LayerCase{Family::kGroup, 2, 4, 5, 2}, LayerCase{Family::kGroup, 2, 4, 5, 2, true},
                                   LayerCase{Family::kGroup, 3, 8, 1, 2}, LayerCase{Family::kInstance, 2, 3, 6}}) {
        for (const Following& following : kFollowing) {
            SCOPED_TRACE(testing::Message() << layer << ", " << following);
            LayerInputs<Float64> in = fused_inputs<Float64>(layer, following);
            const LayerOptions options = fused_options(following);
            // No z may change its sign on the way.
            LayerInputs<Float64> plain = in;
            plain.residual.clear();
            const std::vector<double> normalized = run_layer(*supported_tables().back(), layer, plain).y;
            for (const double z : Steps<Float64>(Activation::kNone, normalized, in.residual).z)
                ASSERT_GT(std::abs(z), 1e-3);
            const LayerResults<Float64> out = run_layer(*supported_tables().back(), layer, in, options);
            expect_differences("dx", layer, in, in.x, out.dx, options);
            expect_differences("dweight", layer, in, in.weight, out.dweight, options);
            expect_differences("dbias", layer, in, in.bias, out.dbias, options);
            if (following.residual) expect_differences("dresidual", layer, in, in.residual, out.dresidual, options);
        }
    }
}

}  // namespace
}  // namespace ni::test
