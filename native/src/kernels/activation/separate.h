// What follows a normalization as a pass of its own, over a copy of the tensor: for the few shapes whose normalization
// knows nothing of tiles. Those are rows, and small.
#pragma once

#include <stdint.h>

#include <algorithm>

#include "kernels/activation/fused.h"
#include "kernels/activation/fusion.h"
#include "kernels/channel/channel_constants.h"
#include "kernels/channel/channel_pass.h"
#include "kernels/channel/constant_arrays.h"
#include "kernels/registry.h"
#include "kernels/row/row_tensor.h"

namespace ni {

/// Parts of all elements: body(begin, planes), by several threads.
template <class Body>
void for_each_part(const RowTensor& tensor, Body body) {
    auto each = [&](int64_t part) {
        const int64_t begin = part * kLeastShare, length = std::min(kLeastShare, tensor.elements() - begin);
        body(begin, Planes{1, length, length});
    };
    const int32_t threads = parallel::threads_for(tensor.elements(), tensor.max_threads);
    parallel::for_each(parallel::ceil_div(tensor.elements(), kLeastShare), threads, each);
}

/// The forward: the layer writes z(), then run() makes y of it.
template <class E>
class SeparateForward {
    using Data = typename E::Data;
    using Constant = typename E::Constant;

public:
    SeparateForward(const Kernels<E>& kernels, const RowTensor& tensor, const FusedForward<E>& with, const Data* x,
                    Data* y)
        : kernels_(kernels), tensor_(tensor), with_(with), x_(x), y_(y), z_(with ? tensor.elements() : 0) {}

    Data* z() const { return with_ ? z_.data() : y_; }

    void run() const {
        if (!with_) return;
        const Store store = store_for(tensor_.elements(), y_, x_, with_.residual);
        for_each_part(tensor_, [&](int64_t at, const Planes& part) {
            kernels_.planes_activate(z() + at, with_.residual ? with_.residual + at : nullptr, part, kCopy<Constant>,
                                     with_.activation, store, y_ + at, {with_.mask, at});
        });
    }

private:
    const Kernels<E>& kernels_;
    const RowTensor& tensor_;
    const FusedForward<E>& with_;
    const Data* x_;
    Data* y_;
    const Scratch<Data> z_;
};

/// The backward: g() is what the layer takes for dy, run() writes what else there is to write.
template <class E>
class SeparateBackward {
    using Data = typename E::Data;
    using Constant = typename E::Constant;
    using Parameter = typename E::Parameter;

public:
    SeparateBackward(const Kernels<E>& kernels, const RowTensor& tensor, const FusedBackward<E>& with, const Data* dy,
                     const Data* x, const Parameter* weight, const double* mean, const double* invstd)
        : kernels_(kernels), tensor_(tensor), with_(with), dy_(dy), g_(with ? tensor.elements() : 0) {
        if (!with) return;
        if (with.reads_x()) normalize(x, {weight, with.bias}, mean, invstd);
        for_each_part(tensor, [&](int64_t at, const Planes& part) {
            Data* const g = g_.data() + at;
            kernels.planes_gated_scale(dy + at, g, {with.mask, at}, part, kCopy<Constant>, with.activation, Constant(1),
                                       Store::kCached, g, {nullptr, Store::kCached});
        });
    }

    const Data* g() const { return with_ ? g_.data() : dy_; }

    void run() const {
        if (!with_.dresidual) return;
        const Store store = store_for(tensor_.elements(), with_.dresidual, dy_);
        for_each_part(tensor_, [&](int64_t at, const Planes& part) {
            kernels_.planes_apply(g() + at, part, kCopy<Constant>, store, with_.dresidual + at);
        });
    }

private:
    /// z in the place of g, by the same kernels as in the forward.
    void normalize(const Data* x, const Affine<Parameter>& affine, const double* mean, const double* invstd) const {
        const int64_t length = tensor_.group_length();
        auto each = [&](int64_t group) {
            const int64_t at = group * length, c = at % tensor_.length;
            const auto constants = apply_constants<Constant>(mean[group], invstd[group], 1, 0);
            if (!affine.weight && !affine.bias) {
                kernels_.planes_apply(x + at, {1, length, length}, constants, Store::kCached, g_.data() + at);
                return;
            }
            const Affine<Parameter> here{affine.weight ? affine.weight + c : nullptr,
                                         affine.bias ? affine.bias + c : nullptr};
            kernels_.affine_apply(x + at, {1, length, length}, arrays_of(constants), here, Store::kCached,
                                  g_.data() + at);
        };
        const int32_t threads = parallel::threads_for(tensor_.elements(), tensor_.max_threads);
        parallel::for_each(tensor_.statistics(), threads, each);
    }

    const Kernels<E>& kernels_;
    const RowTensor& tensor_;
    const FusedBackward<E>& with_;
    const Data* dy_;
    const Scratch<Data> g_;
};

}  // namespace ni
