#include "kernels/channel/channel_norm.h"

#include "kernels/channel/channel_constants.h"
#include "kernels/channel/channel_pass.h"
#include "kernels/channel/constant_arrays.h"

namespace ni {
namespace {

/// What an elementwise pass reads and writes. Of the constants, BackwardConstants make dx from dy and x, ApplyConstants
/// make y from x alone, or dx from dy alone: then that one input stands in `dy`.
struct ElementwisePass {
    const KernelTable& kernels;
    const float* dy;
    const float* x;
    float* dx;  ///< the output; null where only sums are wanted
    Store store;

    void apply(int64_t offset, const Planes& planes, const BackwardConstants& constants) const {
        if (dx) kernels.planes_backward_apply(dy + offset, x + offset, planes, constants, store, dx + offset);
    }
    void apply(int64_t offset, const Planes& planes, const ApplyConstants& constants) const {
        if (dx) kernels.planes_apply(dy + offset, planes, constants, store, dx + offset);
    }
    void apply(int64_t offset, const Rows& rows, const BackwardArrays& constants) const {
        if (dx) kernels.rows_backward_apply(dy + offset, x + offset, rows, constants, store, dx + offset);
    }
    void apply(int64_t offset, const Rows& rows, const ApplyArrays& constants) const {
        if (dx) kernels.rows_apply(dy + offset, rows, constants, store, dx + offset);
    }
};

/// Moments of every channel, finish(channel, moments) -> ApplyConstants, and with them y from x. y may be null.
template <class Finish>
void moments_pass(const KernelTable& kernels, const ChannelTensor& tensor, const float* x, Finish finish, float* y) {
    const Store store = store_for(tensor, x == y);
    if (!tensor.as_rows()) {
        planes_pass<Moments>(
            tensor, y != nullptr,
            [&](int64_t, int64_t offset, const Planes& planes) {
                Moments moments;
                kernels.planes_moments(x + offset, planes, &moments);
                return moments;
            },
            finish,
            [&](int64_t offset, const Planes& planes, const ApplyConstants& constants) {
                if (y) kernels.planes_apply(x + offset, planes, constants, store, y + offset);
            });
        return;
    }
    ConstantArrays<ApplyConstants> constants(tensor.channels);
    rows_reduce<Moments>(
        tensor,
        [&](int64_t offset, const Rows& rows, int64_t, double* mean, double* m2) {
            kernels.rows_moments(x + offset, rows, mean, m2);
        },
        [&](int64_t c, const Moments& moments) { constants.set(c, finish(c, moments)); });
    if (!y) return;
    rows_map(tensor, [&](int64_t offset, const Rows& rows, int64_t c) {
        kernels.rows_apply(x + offset, rows, constants.from(c), store, y + offset);
    });
}

/// Gradient sums of every channel around center(channel), finish(channel, sums) -> Constants, and with them dx.
template <class Constants, class Center, class Finish>
void gradients_pass(const ChannelTensor& tensor, const ElementwisePass& pass, Center center, Finish finish) {
    if (!tensor.as_rows()) {
        planes_pass<GradientSums>(
            tensor, pass.dx != nullptr,
            [&](int64_t c, int64_t offset, const Planes& planes) {
                GradientSums sums;
                const auto high = static_cast<float>(center(c));
                pass.kernels.planes_backward_reduce(pass.dy + offset, pass.x + offset, planes, high, &sums);
                return sums;
            },
            [&](int64_t c, const GradientSums& sums) -> Constants { return finish(c, recentered(sums, center(c))); },
            [&](int64_t offset, const Planes& planes, const Constants& constants) {
                pass.apply(offset, planes, constants);
            });
        return;
    }
    const Scratch<float> high(tensor.channels);
    for (int64_t c = 0; c < tensor.channels; ++c) high.data()[c] = static_cast<float>(center(c));
    ConstantArrays<Constants> constants(tensor.channels);
    rows_reduce<GradientSums>(
        tensor,
        [&](int64_t offset, const Rows& rows, int64_t c, double* dy, double* dy_xmu) {
            pass.kernels.rows_backward_reduce(pass.dy + offset, pass.x + offset, rows, high.data() + c, dy, dy_xmu);
        },
        [&](int64_t c, const GradientSums& sums) { constants.set(c, finish(c, recentered(sums, center(c)))); });
    if (!pass.dx) return;
    rows_map(tensor, [&](int64_t offset, const Rows& rows, int64_t c) { pass.apply(offset, rows, constants.from(c)); });
}

/// Elementwise with known statistics: constants_of(channel) -> Constants, and with them the output of `pass`.
template <class Constants, class ConstantsOf>
void map_pass(const ChannelTensor& tensor, const ElementwisePass& pass, ConstantsOf constants_of) {
    if (!tensor.as_rows()) {
        const Scratch<Constants> constants(tensor.channels);
        for (int64_t c = 0; c < tensor.channels; ++c) constants.data()[c] = constants_of(c);
        planes_map(tensor, [&](int64_t offset, const Planes& planes, int64_t c) {
            pass.apply(offset, planes, constants.data()[c]);
        });
        return;
    }
    ConstantArrays<Constants> constants(tensor.channels);
    for (int64_t c = 0; c < tensor.channels; ++c) constants.set(c, constants_of(c));
    rows_map(tensor, [&](int64_t offset, const Rows& rows, int64_t c) { pass.apply(offset, rows, constants.from(c)); });
}

double weight_of(const float* weight, int64_t c) { return weight ? static_cast<double>(weight[c]) : 1.0; }
double bias_of(const float* bias, int64_t c) { return bias ? static_cast<double>(bias[c]) : 0.0; }

void store_gradient(float* gradient, int64_t c, double value, bool accumulate) {
    if (gradient) gradient[c] = static_cast<float>(accumulate ? static_cast<double>(gradient[c]) + value : value);
}

/// The output gradient times a constant. Adding -0 keeps the sign of zeros.
ApplyConstants scale_only(double scale) { return {0.0F, static_cast<float>(scale), -0.0F}; }

}  // namespace

void channel_statistics(const KernelTable& kernels, const ChannelTensor& tensor, const float* x, double* mean,
                        double* m2) {
    moments_pass(
        kernels, tensor, x,
        [&](int64_t c, const Moments& moments) {
            mean[c] = moments.mean;
            m2[c] = moments.m2;
            return ApplyConstants{};
        },
        nullptr);
}

void channel_apply(const KernelTable& kernels, const ChannelTensor& tensor, const float* x, const double* mean,
                   const double* invstd, const Affine& affine, float* y) {
    const ElementwisePass pass{kernels, x, x, y, store_for(tensor, x == y)};
    map_pass<ApplyConstants>(tensor, pass, [&](int64_t c) {
        return apply_constants(mean[c], invstd[c], weight_of(affine.weight, c), bias_of(affine.bias, c));
    });
}

void channel_backward_reduce(const KernelTable& kernels, const ChannelTensor& tensor, const float* dy, const float* x,
                             const double* mean, double* sum_dy, double* sum_dy_xmu) {
    const ElementwisePass pass{kernels, dy, x, nullptr, Store::kCached};
    gradients_pass<ApplyConstants>(
        tensor, pass, [&](int64_t c) { return mean[c]; },
        [&](int64_t c, const GradientSums& sums) {
            sum_dy[c] = sums.dy;
            sum_dy_xmu[c] = sums.dy_xmu;
            return ApplyConstants{};
        });
}

void channel_backward_apply(const KernelTable& kernels, const ChannelTensor& tensor, const float* dy, const float* x,
                            const double* mean, const double* invstd, const float* weight, const double* sum_dy,
                            const double* sum_dy_xmu, double count, float* dx) {
    const ElementwisePass pass{kernels, dy, x, dx, store_for(tensor, dx == dy || dx == x)};
    map_pass<BackwardConstants>(tensor, pass, [&](int64_t c) {
        return backward_constants(mean[c], invstd[c], weight_of(weight, c), {sum_dy[c], sum_dy_xmu[c]}, count);
    });
}

void batchnorm_forward_training(const KernelTable& kernels, const ChannelTensor& tensor, const float* x,
                                const Affine& affine, double eps, const RunningBuffers& running, double* saved_mean,
                                double* saved_invstd, float* y) {
    const auto count = static_cast<double>(tensor.values_per_channel());
    const auto move = [&](float& buffer, double batch) {
        buffer = static_cast<float>((1 - running.momentum) * static_cast<double>(buffer) + running.momentum * batch);
    };
    moments_pass(
        kernels, tensor, x,
        [&](int64_t c, const Moments& moments) {
            const double invstd = invstd_of(moments.m2 / count, eps);
            if (running.mean) move(running.mean[c], moments.mean);
            if (running.var) move(running.var[c], moments.m2 / (count - 1));
            if (saved_mean) saved_mean[c] = moments.mean;
            if (saved_invstd) saved_invstd[c] = invstd;
            return apply_constants(moments.mean, invstd, weight_of(affine.weight, c), bias_of(affine.bias, c));
        },
        y);
}

void batchnorm_forward_inference(const KernelTable& kernels, const ChannelTensor& tensor, const float* x,
                                 const Affine& affine, double eps, const float* mean, const float* var, float* y) {
    const ElementwisePass pass{kernels, x, x, y, store_for(tensor, x == y)};
    map_pass<ApplyConstants>(tensor, pass, [&](int64_t c) {
        const double invstd = invstd_of(static_cast<double>(var[c]), eps);
        return apply_constants(static_cast<double>(mean[c]), invstd, weight_of(affine.weight, c),
                               bias_of(affine.bias, c));
    });
}

void batchnorm_backward_training(const KernelTable& kernels, const ChannelTensor& tensor, const float* dy,
                                 const float* x, const float* weight, const double* saved_mean,
                                 const double* saved_invstd, float* dx, const ParameterGradients& gradients) {
    const auto count = static_cast<double>(tensor.values_per_channel());
    const ElementwisePass pass{kernels, dy, x, dx, store_for(tensor, dx == dy || dx == x)};
    gradients_pass<BackwardConstants>(
        tensor, pass, [&](int64_t c) { return saved_mean[c]; },
        [&](int64_t c, const GradientSums& sums) {
            const auto constants =
                backward_constants(saved_mean[c], saved_invstd[c], weight_of(weight, c), sums, count);
            store_gradient(gradients.weight, c, sums.dy_xmu * saved_invstd[c], gradients.accumulate);
            store_gradient(gradients.bias, c, sums.dy, gradients.accumulate);
            return constants;
        });
}

void batchnorm_backward_inference(const KernelTable& kernels, const ChannelTensor& tensor, const float* dy,
                                  const float* x, const float* weight, double eps, const float* mean, const float* var,
                                  float* dx, const ParameterGradients& gradients) {
    // Without dweight nobody wants the products, and x is not read: dy stands in for it.
    const ElementwisePass pass{kernels, dy, gradients.weight ? x : dy, dx, store_for(tensor, dx == dy || dx == x)};
    const auto scale = [&](int64_t c) {
        return scale_only(weight_of(weight, c) * invstd_of(static_cast<double>(var[c]), eps));
    };
    if (!gradients.weight && !gradients.bias) {
        map_pass<ApplyConstants>(tensor, pass, scale);
        return;
    }
    gradients_pass<ApplyConstants>(
        tensor, pass, [&](int64_t c) { return static_cast<double>(mean[c]); },
        [&](int64_t c, const GradientSums& sums) {
            const auto constants = scale(c);
            const double invstd = invstd_of(static_cast<double>(var[c]), eps);
            store_gradient(gradients.weight, c, sums.dy_xmu * invstd, gradients.accumulate);
            store_gradient(gradients.bias, c, sums.dy, gradients.accumulate);
            return constants;
        });
}

}  // namespace ni
