#include "channel/tensors.h"

#include <cmath>
#include <limits>

#include "support/bits.h"

namespace ni::test {
namespace {

/// An output that nobody wrote shows as a NaN.
template <class T>
std::vector<T> unwritten(int64_t count) {
    return std::vector<T>(static_cast<size_t>(count), std::numeric_limits<T>::quiet_NaN());
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const TensorCase& shape) {
    return out << "(" << shape.batch << ", " << shape.channels << ", " << shape.spatial << ") "
               << (shape.channels_last ? "NSC, " : "NCS, ") << name_of(shape.fill);
}

std::string shape_name(const testing::TestParamInfo<TensorCase>& tested) {
    const TensorCase& shape = tested.param;
    return std::to_string(shape.batch) + "x" + std::to_string(shape.channels) + "x" + std::to_string(shape.spatial) +
           (shape.channels_last ? "_nsc" : "_ncs");
}

BatchNormInputs::BatchNormInputs(const TensorCase& shape)
    : x(filled(shape.fill, shape.elements(), 1)),
      dy(normals(shape.elements(), 2)),
      weight(normals(shape.channels, 3)),
      bias(normals(shape.channels, 4)),
      running_mean(normals(shape.channels, 5)),
      running_var(normals(shape.channels, 6)) {
    for (float& value : running_var) value = value * value + 0.1F;
}

Training forward_training(const KernelTable& kernels, const TensorCase& shape, const BatchNormInputs& in,
                          int32_t threads) {
    Training out{unwritten<float>(shape.elements()), in.running_mean, in.running_var, unwritten<double>(shape.channels),
                 unwritten<double>(shape.channels)};
    layer(kernels, shape, threads)
        .forward_training(in.x.data(), in.affine(), in.eps,
                          {out.running_mean.data(), out.running_var.data(), 1 - in.momentum, in.momentum},
                          out.mean.data(), out.invstd.data(), out.y.data());
    return out;
}

std::vector<float> forward_inference(const KernelTable& kernels, const TensorCase& shape, const BatchNormInputs& in,
                                     int32_t threads) {
    std::vector<float> y = unwritten<float>(shape.elements());
    layer(kernels, shape, threads)
        .forward_inference(in.x.data(), in.affine(), in.eps, in.running_mean.data(), in.running_var.data(), y.data());
    return y;
}

Gradients backward_training(const KernelTable& kernels, const TensorCase& shape, const BatchNormInputs& in,
                            const Training& forward, int32_t threads) {
    Gradients out{unwritten<float>(shape.elements()), unwritten<float>(shape.channels),
                  unwritten<float>(shape.channels)};
    layer(kernels, shape, threads)
        .backward_training(in.dy.data(), in.x.data(), in.weight.data(), forward.mean.data(), forward.invstd.data(),
                           out.dx.data(), {out.weight.data(), out.bias.data(), false});
    return out;
}

Gradients backward_inference(const KernelTable& kernels, const TensorCase& shape, const BatchNormInputs& in,
                             int32_t threads) {
    Gradients out{unwritten<float>(shape.elements()), unwritten<float>(shape.channels),
                  unwritten<float>(shape.channels)};
    layer(kernels, shape, threads)
        .backward_inference(in.dy.data(), in.x.data(), in.weight.data(), in.eps, in.running_mean.data(),
                            in.running_var.data(), out.dx.data(), {out.weight.data(), out.bias.data(), false});
    return out;
}

EveryResult every_result(const KernelTable& kernels, const TensorCase& shape, const BatchNormInputs& in,
                         int32_t threads) {
    EveryResult r;
    r.training = forward_training(kernels, shape, in, threads);
    r.inference = forward_inference(kernels, shape, in, threads);
    r.training_gradients = backward_training(kernels, shape, in, r.training, threads);
    r.inference_gradients = backward_inference(kernels, shape, in, threads);

    r.part_mean = r.part_m2 = r.part_sum_dy = r.part_sum_dy_xmu = unwritten<double>(shape.channels);
    r.part_y = r.part_dx = unwritten<float>(shape.elements());
    layer(kernels, shape, threads).statistics(in.x.data(), r.part_mean.data(), r.part_m2.data());
    const auto count = static_cast<double>(shape.values_per_channel());
    std::vector<double> invstd;
    for (const double m2 : r.part_m2) {
        const double denominator = m2 / count + in.eps;
        invstd.push_back(denominator == 0 ? 0 : 1 / std::sqrt(denominator));
    }
    layer(kernels, shape, threads).apply(in.x.data(), r.part_mean.data(), invstd.data(), in.affine(), r.part_y.data());
    layer(kernels, shape, threads)
        .backward_reduce(in.dy.data(), in.x.data(), r.part_mean.data(), nullptr, nullptr, r.part_sum_dy.data(),
                         r.part_sum_dy_xmu.data());
    layer(kernels, shape, threads)
        .backward_apply(in.dy.data(), in.x.data(), r.part_mean.data(), invstd.data(), in.weight.data(),
                        r.part_sum_dy.data(), r.part_sum_dy_xmu.data(), count, r.part_dx.data());
    return r;
}

void expect_same_bits(const EveryResult& a, const EveryResult& b) {
    EXPECT_TRUE(same_bits(a.training.y, b.training.y));
    EXPECT_TRUE(same_bits(a.training.mean, b.training.mean));
    EXPECT_TRUE(same_bits(a.training.invstd, b.training.invstd));
    EXPECT_TRUE(same_bits(a.training.running_mean, b.training.running_mean));
    EXPECT_TRUE(same_bits(a.training.running_var, b.training.running_var));
    EXPECT_TRUE(same_bits(a.inference, b.inference));
    EXPECT_TRUE(same_bits(a.training_gradients.dx, b.training_gradients.dx));
    EXPECT_TRUE(same_bits(a.training_gradients.weight, b.training_gradients.weight));
    EXPECT_TRUE(same_bits(a.training_gradients.bias, b.training_gradients.bias));
    EXPECT_TRUE(same_bits(a.inference_gradients.dx, b.inference_gradients.dx));
    EXPECT_TRUE(same_bits(a.inference_gradients.weight, b.inference_gradients.weight));
    EXPECT_TRUE(same_bits(a.inference_gradients.bias, b.inference_gradients.bias));
    EXPECT_TRUE(same_bits(a.part_mean, b.part_mean));
    EXPECT_TRUE(same_bits(a.part_m2, b.part_m2));
    EXPECT_TRUE(same_bits(a.part_y, b.part_y));
    EXPECT_TRUE(same_bits(a.part_sum_dy, b.part_sum_dy));
    EXPECT_TRUE(same_bits(a.part_sum_dy_xmu, b.part_sum_dy_xmu));
    EXPECT_TRUE(same_bits(a.part_dx, b.part_dx));
}

}  // namespace ni::test
