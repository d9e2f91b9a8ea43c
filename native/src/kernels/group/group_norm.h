// Per-group normalization over whole tensors, on the kernels of one instruction set: GroupNorm, and InstanceNorm with
// one channel per group. What each computes is said at the functions of norminterop/group.h. Arguments are valid;
// std::bad_alloc is the only exception, and it comes before anything is written.
#pragma once

#include <stdint.h>

#include "kernels/channel/channel_norm.h"
#include "kernels/group/group_tensor.h"
#include "kernels/registry.h"

namespace ni {

/// The functions for one data type.
template <class E>
struct GroupNorm {
    using Data = typename E::Data;
    using Constant = typename E::Constant;
    using Parameter = typename E::Parameter;

    const Kernels<E>& kernels;
    const GroupTensor& tensor;

    /// `running` takes up the samples' average; only with one channel per group and more than one position.
    void forward(const Data* x, const Affine<Parameter>& affine, double eps, const RunningBuffers<Parameter>& running,
                 double* saved_mean, double* saved_invstd, Data* y, const FusedForward<E>& fused = {}) const;

    void backward(const Data* dy, const Data* x, const Parameter* weight, const double* saved_mean,
                  const double* saved_invstd, Data* dx, const ParameterGradients<Parameter>& gradients,
                  const FusedBackward<E>& fused = {}) const;
};

}  // namespace ni
