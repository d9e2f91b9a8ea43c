// Per-channel normalization over whole tensors, on the kernels of one instruction set. What each computes is said at
// the function of the same name in the C headers. Arguments are valid; std::bad_alloc is the only exception, and it
// comes before anything is written.
#pragma once

#include <stdint.h>

#include "kernels/activation/fusion.h"
#include "kernels/channel/channel_constants.h"
#include "kernels/channel/channel_tensor.h"
#include "kernels/registry.h"

namespace ni {

/// Running mean and variance, both null when they are not tracked: each becomes keep * running + add * batch.
template <class Parameter>
struct RunningBuffers {
    Parameter* mean;
    Parameter* var;
    double keep, add;

    void move(int64_t c, double batch_mean, double batch_var) const {
        if (mean) mean[c] = static_cast<Parameter>(keep * static_cast<double>(mean[c]) + add * batch_mean);
        if (var) var[c] = static_cast<Parameter>(keep * static_cast<double>(var[c]) + add * batch_var);
    }
};

/// The functions for one data type.
template <class E>
struct ChannelNorm {
    using Data = typename E::Data;
    using Constant = typename E::Constant;
    using Parameter = typename E::Parameter;

    const Kernels<E>& kernels;
    const ChannelTensor& tensor;

    void statistics(const Data* x, double* mean, double* m2) const;

    void apply(const Data* x, const double* mean, const double* invstd, const Affine<Parameter>& affine, Data* y,
               const FusedForward<E>& fused = {}) const;

    /// invstd and weight are read for z, where there is an activation: otherwise both may be null.
    void backward_reduce(const Data* dy, const Data* x, const double* mean, const double* invstd,
                         const Parameter* weight, double* sum_dy, double* sum_dy_xmu,
                         const FusedBackward<E>& fused = {}) const;

    void backward_apply(const Data* dy, const Data* x, const double* mean, const double* invstd,
                        const Parameter* weight, const double* sum_dy, const double* sum_dy_xmu, double count, Data* dx,
                        const FusedBackward<E>& fused = {}) const;

    void forward_training(const Data* x, const Affine<Parameter>& affine, double eps,
                          const RunningBuffers<Parameter>& running, double* saved_mean, double* saved_invstd, Data* y,
                          const FusedForward<E>& fused = {}) const;

    void forward_inference(const Data* x, const Affine<Parameter>& affine, double eps, const Parameter* mean,
                           const Parameter* var, Data* y, const FusedForward<E>& fused = {}) const;

    void backward_training(const Data* dy, const Data* x, const Parameter* weight, const double* saved_mean,
                           const double* saved_invstd, Data* dx, const ParameterGradients<Parameter>& gradients,
                           const FusedBackward<E>& fused = {}) const;

    void backward_inference(const Data* dy, const Data* x, const Parameter* weight, double eps, const Parameter* mean,
                            const Parameter* var, Data* dx, const ParameterGradients<Parameter>& gradients,
                            const FusedBackward<E>& fused = {}) const;
};

}  // namespace ni
