#include "kernels/channel/channel_norm.h"

#include "kernels/activation/fused.h"
#include "kernels/channel/channel_pass.h"
#include "kernels/channel/constant_arrays.h"
#include "kernels/channel/elementwise_pass.h"

namespace ni {
namespace {

/// Moments of every channel, finish(channel, moments) -> ApplyConstants, and with them y from x, by `pass`.
template <class E, class Finish>
void moments_pass(const ChannelTensor& tensor, const ElementwisePass<E>& pass, Finish finish) {
    using Constant = typename E::Constant;
    if (!tensor.as_rows()) {
        planes_pass<Moments>(
            tensor, pass.wanted(),
            [&](int64_t, int64_t offset, const Planes& planes) {
                Moments moments;
                pass.kernels.planes_moments(pass.x + offset, planes, &moments);
                return moments;
            },
            finish, pass);
        return;
    }
    ConstantArrays<ApplyConstants<Constant>> constants(tensor.channels);
    const RowTensors rows_of{tensor};
    const RowSumsScratch row_sums(rows_of);
    rows_reduce<Moments>(
        rows_of, row_sums.from(0),
        [&](int64_t offset, const Rows& rows, int64_t, double* mean, double* m2) {
            pass.kernels.rows_moments(pass.x + offset, rows, mean, m2);
        },
        [&](int64_t c, const Moments& moments) { constants.set(c, finish(c, moments)); });
    if (!pass.wanted().wanted) return;
    rows_map(rows_of, [&](int64_t offset, const Rows& rows, int64_t c) { pass(offset, rows, constants, c); });
}

/// Gradient sums of every channel around center(channel), finish(channel, sums) -> Constants, and with them dx.
template <class Constants, class E, class Center, class Finish>
void gradients_pass(const ChannelTensor& tensor, const ElementwisePass<E>& pass, Center center, Finish finish) {
    using Constant = typename E::Constant;
    if (!tensor.as_rows()) {
        planes_pass<GradientSums>(
            tensor, pass.wanted(),
            [&](int64_t c, int64_t offset, const Planes& planes) {
                return pass.reduce(offset, planes, static_cast<Constant>(center(c)));
            },
            [&](int64_t c, const GradientSums& sums) -> Constants {
                return finish(c, recentered<Constant>(sums, center(c)));
            },
            pass);
        return;
    }
    const Scratch<Constant> high(tensor.channels);
    for (int64_t c = 0; c < tensor.channels; ++c) high.data()[c] = static_cast<Constant>(center(c));
    ConstantArrays<Constants> constants(tensor.channels);
    const RowTensors rows_of{tensor};
    const RowSumsScratch row_sums(rows_of);
    rows_reduce<GradientSums>(
        rows_of, row_sums.from(0),
        [&](int64_t offset, const Rows& rows, int64_t c, double* dy, double* dy_xmu) {
            pass.reduce(offset, rows, c, high.data() + c, dy, dy_xmu);
        },
        [&](int64_t c, const GradientSums& sums) {
            constants.set(c, finish(c, recentered<Constant>(sums, center(c))));
        });
    if (!pass.wanted().wanted) return;
    rows_map(rows_of, [&](int64_t offset, const Rows& rows, int64_t c) { pass(offset, rows, constants, c); });
}

/// set(channel) for all channels; each takes a root and a division or two, which is worth sharing.
template <class Set>
void for_each_channel(const ChannelTensor& tensor, Set set) {
    constexpr int64_t kTile = 256;
    auto tile = [&](int64_t index) {
        const int64_t end = std::min(tensor.channels, (index + 1) * kTile);
        for (int64_t c = index * kTile; c < end; ++c) set(c);
    };
    const int32_t threads = parallel::threads_for(tensor.elements(), tensor.max_threads);
    parallel::for_each(parallel::ceil_div(tensor.channels, kTile), tensor.channels < 4 * kTile ? 1 : threads, tile);
}

/// Elementwise with known statistics: constants_of(channel) -> Constants, and with them the output of `pass`.
template <class Constants, class E, class ConstantsOf>
void map_pass(const ChannelTensor& tensor, const ElementwisePass<E>& pass, ConstantsOf constants_of) {
    if (!tensor.as_rows()) {
        const Scratch<Constants> by_channel(tensor.channels);
        for_each_channel(tensor, [&](int64_t c) { by_channel.data()[c] = constants_of(c); });
        planes_map(tensor, [&](int64_t offset, const Planes& planes, int64_t c) {
            pass(offset, planes, by_channel.data()[c]);
        });
        return;
    }
    ConstantArrays<Constants> constants(tensor.channels);
    for_each_channel(tensor, [&](int64_t c) { constants.set(c, constants_of(c)); });
    rows_map(RowTensors{tensor},
             [&](int64_t offset, const Rows& rows, int64_t c) { pass(offset, rows, constants, c); });
}

/// The constants that make z from x, and y where nothing follows.
template <class Constant, class Parameter>
ApplyConstants<Constant> z_constants(const Affine<Parameter>& affine, int64_t c, double mean, double invstd) {
    return apply_constants<Constant>(mean, invstd, value_or(affine.weight, c, 1), value_or(affine.bias, c, 0));
}

/// Those of every channel, for a backward with the statistics of the forward.
template <class E>
auto z_of_forward(const double* mean, const double* invstd, const typename E::Parameter* weight,
                  const FusedBackward<E>& fused) {
    const Affine<typename E::Parameter> affine{weight, fused.bias};
    return [=](int64_t c) { return z_constants<typename E::Constant>(affine, c, mean[c], invstd[c]); };
}

/// run(pass) for a backward pass, which makes g of dy where there was an activation: z_of(channel) -> ApplyConstants.
/// `reduces` is FusedGradientScratch's.
template <class E, class ZOf, class Run>
void run_backward(const ChannelTensor& tensor, ElementwisePass<E> pass, const FusedBackward<E>& fused, bool reduces,
                  ZOf z_of, Run run) {
    if (!fused) return run(pass);
    FusedGradientScratch<E> gradient(pass, fused, tensor.elements(), tensor.spatial, tensor.channels, tensor.as_rows(),
                                     reduces);
    for (int64_t c = 0; c < tensor.channels; ++c) {
        tensor.as_rows() ? gradient.set_channel(c, z_of(c)) : gradient.set_plane(c, z_of(c));
    }
    pass.gradient = gradient.gradient();
    run(pass);
}

/// The output gradient times a constant. Adding -0 keeps the sign of zeros.
template <class Constant>
ApplyConstants<Constant> scale_only(double scale) {
    return {Constant(0), static_cast<Constant>(scale), -Constant(0)};
}

}  // namespace

template <class E>
void ChannelNorm<E>::statistics(const Data* x, double* mean, double* m2) const {
    const ElementwisePass<E> pass{kernels, x, x, nullptr, Store::kCached};
    moments_pass(tensor, pass, [&](int64_t c, const Moments& moments) {
        mean[c] = moments.mean;
        m2[c] = moments.m2;
        return ApplyConstants<Constant>{};
    });
}

template <class E>
void ChannelNorm<E>::apply(const Data* x, const double* mean, const double* invstd, const Affine<Parameter>& affine,
                           Data* y, const FusedForward<E>& fused) const {
    const Store store = store_for(tensor.elements(), y, x, fused.residual);
    const ElementwisePass<E> pass{kernels, x, x, y, store, fused ? &fused : nullptr};
    map_pass<ApplyConstants<Constant>>(tensor, pass,
                                       [&](int64_t c) { return z_constants<Constant>(affine, c, mean[c], invstd[c]); });
}

template <class E>
void ChannelNorm<E>::backward_reduce(const Data* dy, const Data* x, const double* mean, const double* invstd,
                                     const Parameter* weight, double* sum_dy, double* sum_dy_xmu,
                                     const FusedBackward<E>& fused) const {
    const ElementwisePass<E> sums_only{kernels, dy, x, nullptr, Store::kCached};
    const auto z = z_of_forward(mean, invstd, weight, fused);
    run_backward(tensor, sums_only, fused, true, z, [&](const ElementwisePass<E>& pass) {
        gradients_pass<ApplyConstants<Constant>>(
            tensor, pass, [&](int64_t c) { return mean[c]; },
            [&](int64_t c, const GradientSums& sums) {
                sum_dy[c] = sums.dy;
                sum_dy_xmu[c] = sums.dy_xmu;
                return ApplyConstants<Constant>{};
            });
    });
}

template <class E>
void ChannelNorm<E>::backward_apply(const Data* dy, const Data* x, const double* mean, const double* invstd,
                                    const Parameter* weight, const double* sum_dy, const double* sum_dy_xmu,
                                    double count, Data* dx, const FusedBackward<E>& fused) const {
    const ElementwisePass<E> plain{kernels, dy, x, dx, store_for(tensor.elements(), dx, dy, x)};
    const auto z = z_of_forward(mean, invstd, weight, fused);
    run_backward(tensor, plain, fused, false, z, [&](const ElementwisePass<E>& pass) {
        map_pass<BackwardConstants<Constant>>(tensor, pass, [&](int64_t c) {
            const double scale = value_or(weight, c, 1) * invstd[c];
            return backward_constants<Constant>(mean[c], invstd[c], scale, scale, sum_dy[c] / count,
                                                sum_dy_xmu[c] / count);
        });
    });
}

template <class E>
void ChannelNorm<E>::forward_training(const Data* x, const Affine<Parameter>& affine, double eps,
                                      const RunningBuffers<Parameter>& running, double* saved_mean,
                                      double* saved_invstd, Data* y, const FusedForward<E>& fused) const {
    const auto count = static_cast<double>(tensor.values_per_channel());
    const Store store = store_for(tensor.elements(), y, x, fused.residual);
    const ElementwisePass<E> pass{kernels, x, x, y, store, fused ? &fused : nullptr};
    moments_pass(tensor, pass, [&](int64_t c, const Moments& moments) {
        const double invstd = invstd_of(moments.m2 / count, eps);
        // Caffe allows a single value, whose variance is 0 either way.
        running.move(c, moments.mean, moments.m2 / std::max(count - 1, 1.0));
        if (saved_mean) saved_mean[c] = moments.mean;
        if (saved_invstd) saved_invstd[c] = invstd;
        return z_constants<Constant>(affine, c, moments.mean, invstd);
    });
}

template <class E>
void ChannelNorm<E>::forward_inference(const Data* x, const Affine<Parameter>& affine, double eps,
                                       const Parameter* mean, const Parameter* var, Data* y,
                                       const FusedForward<E>& fused) const {
    const Store store = store_for(tensor.elements(), y, x, fused.residual);
    const ElementwisePass<E> pass{kernels, x, x, y, store, fused ? &fused : nullptr};
    map_pass<ApplyConstants<Constant>>(tensor, pass, [&](int64_t c) {
        const double invstd = invstd_of(static_cast<double>(var[c]), eps);
        return z_constants<Constant>(affine, c, static_cast<double>(mean[c]), invstd);
    });
}

template <class E>
void ChannelNorm<E>::backward_training(const Data* dy, const Data* x, const Parameter* weight, const double* saved_mean,
                                       const double* saved_invstd, Data* dx,
                                       const ParameterGradients<Parameter>& gradients,
                                       const FusedBackward<E>& fused) const {
    const auto count = static_cast<double>(tensor.values_per_channel());
    const ElementwisePass<E> plain{kernels, dy, x, dx, store_for(tensor.elements(), dx, dy, x)};
    const auto z = z_of_forward(saved_mean, saved_invstd, weight, fused);
    run_backward(tensor, plain, fused, true, z, [&](const ElementwisePass<E>& pass) {
        gradients_pass<BackwardConstants<Constant>>(
            tensor, pass, [&](int64_t c) { return saved_mean[c]; },
            [&](int64_t c, const GradientSums& sums) {
                const double scale = value_or(weight, c, 1) * saved_invstd[c];
                const auto constants = backward_constants<Constant>(saved_mean[c], saved_invstd[c], scale, scale,
                                                                    sums.dy / count, sums.dy_xmu / count);
                gradients.store(c, sums.dy_xmu * saved_invstd[c], sums.dy);
                return constants;
            });
    });
}

template <class E>
void ChannelNorm<E>::backward_inference(const Data* dy, const Data* x, const Parameter* weight, double eps,
                                        const Parameter* mean, const Parameter* var, Data* dx,
                                        const ParameterGradients<Parameter>& gradients,
                                        const FusedBackward<E>& fused) const {
    const auto invstd = [&](int64_t c) { return invstd_of(static_cast<double>(var[c]), eps); };
    const auto scale = [&](int64_t c) { return scale_only<Constant>(value_or(weight, c, 1) * invstd(c)); };
    // Without dweight nobody wants the products, and x is not read but for z: dy stands in for it.
    const Data* const factor = gradients.weight || fused.reads_x() ? x : dy;
    const ElementwisePass<E> plain{kernels, dy, factor, dx, store_for(tensor.elements(), dx, dy, x)};
    const auto z = [&](int64_t c) {
        return z_constants<Constant, Parameter>({weight, fused.bias}, c, static_cast<double>(mean[c]), invstd(c));
    };
    const bool reduces = gradients.weight || gradients.bias;
    run_backward(tensor, plain, fused, reduces, z, [&](const ElementwisePass<E>& pass) {
        if (!reduces) {
            map_pass<ApplyConstants<Constant>>(tensor, pass, scale);
            return;
        }
        gradients_pass<ApplyConstants<Constant>>(
            tensor, pass, [&](int64_t c) { return static_cast<double>(mean[c]); },
            [&](int64_t c, const GradientSums& sums) {
                const auto constants = scale(c);
                gradients.store(c, sums.dy_xmu * invstd(c), sums.dy);
                return constants;
            });
    });
}

template struct ChannelNorm<Float32>;
template struct ChannelNorm<Float64>;
template struct ChannelNorm<Float16>;
template struct ChannelNorm<BFloat16>;

}  // namespace ni
