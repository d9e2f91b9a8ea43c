// Tensors, layers and gradients for the tests of whole per-channel passes.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "kernels/channel/channel_norm.h"
#include "support/fill.h"

namespace ni::test {

struct TensorCase {
    int64_t batch, channels, spatial;
    bool channels_last = false;
    Fill fill = Fill::kNormal;

    int64_t elements() const { return batch * channels * spatial; }
    int64_t values_per_channel() const { return batch * spatial; }
    /// Where element (n, c, s) is.
    int64_t at(int64_t n, int64_t c, int64_t s) const {
        return channels_last ? (n * spatial + s) * channels + c : (n * channels + c) * spatial + s;
    }
    int64_t channel_of(int64_t element) const {
        return channels_last ? element % channels : element / spatial % channels;
    }
    ChannelTensor tensor(int32_t max_threads = 1) const {
        return {batch, channels, spatial, channels_last, max_threads};
    }
};
std::ostream& operator<<(std::ostream& out, const TensorCase& shape);
/// The shape as a part of a test's name.
std::string shape_name(const testing::TestParamInfo<TensorCase>& tested);

/// The functions of BatchNorm on a tensor of floats.
class FloatLayer : public ChannelNorm<Float32> {
public:
    FloatLayer(const KernelTable& table, const ChannelTensor& shape)
        : ChannelNorm<Float32>{*table.float32, shape_}, shape_(shape) {}
    FloatLayer(const FloatLayer&) = delete;
    FloatLayer& operator=(const FloatLayer&) = delete;

private:
    const ChannelTensor shape_;
};
inline FloatLayer layer(const KernelTable& table, const TensorCase& shape, int32_t threads = 1) {
    return {table, shape.tensor(threads)};
}

/// Everything a BatchNorm takes. x has the fill of the case; all else is ordinary.
struct BatchNormInputs {
    explicit BatchNormInputs(const TensorCase& shape);
    Affine<float> affine() const { return {weight.data(), bias.data()}; }

    std::vector<float> x, dy, weight, bias, running_mean, running_var;
    double eps = 1e-5, momentum = 0.1;
};

struct Training {
    std::vector<float> y, running_mean, running_var;
    std::vector<double> mean, invstd;
};
struct Gradients {
    std::vector<float> dx, weight, bias;
};

Training forward_training(const KernelTable& kernels, const TensorCase& shape, const BatchNormInputs& in,
                          int32_t threads = 1);
std::vector<float> forward_inference(const KernelTable& kernels, const TensorCase& shape, const BatchNormInputs& in,
                                     int32_t threads = 1);
Gradients backward_training(const KernelTable& kernels, const TensorCase& shape, const BatchNormInputs& in,
                            const Training& forward, int32_t threads = 1);
Gradients backward_inference(const KernelTable& kernels, const TensorCase& shape, const BatchNormInputs& in,
                             int32_t threads = 1);

/// Forward and backward, training and inference, and the four exported parts.
struct EveryResult {
    Training training;
    Gradients training_gradients, inference_gradients;
    std::vector<float> inference, part_y, part_dx;
    std::vector<double> part_mean, part_m2, part_sum_dy, part_sum_dy_xmu;
};
EveryResult every_result(const KernelTable& kernels, const TensorCase& shape, const BatchNormInputs& in,
                         int32_t threads = 1);
void expect_same_bits(const EveryResult& a, const EveryResult& b);

}  // namespace ni::test
