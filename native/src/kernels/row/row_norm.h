// Per-row normalization over whole tensors, on the kernels of one instruction set: LayerNorm, RMSNorm, and GroupNorm
// where a channel has one position. What each computes is said at the functions of norminterop/row.h. Arguments are
// valid; std::bad_alloc is the only exception, and it comes before anything is written.
#pragma once

#include <stdint.h>

#include "kernels/channel/channel_constants.h"
#include "kernels/registry.h"
#include "kernels/row/row_tensor.h"

namespace ni {

/// The functions for one data type.
template <class E>
struct RowNorm {
    using Data = typename E::Data;
    using Constant = typename E::Constant;
    using Parameter = typename E::Parameter;

    const Kernels<E>& kernels;
    const RowTensor& tensor;
    /// LayerNorm takes the mean off; RMSNorm does not, and has no use for a saved mean.
    bool centered;

    void forward(const Data* x, const Affine<Parameter>& affine, double eps, double* saved_mean, double* saved_invstd,
                 Data* y) const;

    void backward(const Data* dy, const Data* x, const Parameter* weight, const double* saved_mean,
                  const double* saved_invstd, Data* dx, const ParameterGradients<Parameter>& gradients) const;

    static constexpr int64_t kTogether = 4, kLongRow = 2048;

    int64_t rows_together() const;
    template <class Finish>
    void forward_together(const Data* x, const Affine<Parameter>& affine, const Finish& finish, Store store,
                          Data* y) const;
};

}  // namespace ni
