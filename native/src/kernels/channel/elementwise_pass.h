// What a per-channel pass does element by element, with or without an activation that follows.
#pragma once

#include <stdint.h>

#include "kernels/activation/fused.h"
#include "kernels/channel/channel_pass.h"
#include "kernels/channel/constant_arrays.h"
#include "kernels/registry.h"

namespace ni {

/// What it reads and writes. Of the constants, BackwardConstants make dx from dy and x, ApplyConstants make y from x
/// alone, or dx from dy alone: then that one input stands in `dy`.
template <class E>
struct ElementwisePass {
    using Data = typename E::Data;
    using Constant = typename E::Constant;
    using FromOne = ApplyConstants<Constant>;
    using FromBoth = BackwardConstants<Constant>;

    const Kernels<E>& kernels;
    const Data* dy;
    const Data* x;
    Data* dx;  ///< the output; null where only sums are wanted
    Store store;
    const FusedForward<E>* follows = nullptr;    ///< what follows in a forward
    const FusedGradient<E>* gradient = nullptr;  ///< what writes dx of a backward after that

    Output wanted() const { return {dx || (gradient && gradient->writes()), elements_to_line(dx)}; }

    void operator()(int64_t offset, const Planes& planes, const FromBoth& constants) const {
        if (gradient) return gradient->apply(offset, planes, constants);
        if (dx) kernels.planes_backward_apply(dy + offset, x + offset, planes, constants, store, dx + offset);
    }
    void operator()(int64_t offset, const Planes& planes, const FromOne& constants) const {
        if (follows) return activate(offset, planes, constants);
        if (gradient) return gradient->apply(offset, planes, constants);
        if (dx) kernels.planes_apply(dy + offset, planes, constants, store, dx + offset);
    }

    /// Rows from channel c on.
    void operator()(int64_t offset, const Rows& rows, const ConstantArrays<FromBoth>& constants, int64_t c) const {
        if (gradient) return gradient->apply(offset, rows, constants, c);
        if (dx) kernels.rows_backward_apply(dy + offset, x + offset, rows, constants.from(c), store, dx + offset);
    }
    void operator()(int64_t offset, const Rows& rows, const ConstantArrays<FromOne>& constants, int64_t c) const {
        if (follows) return activate(offset, rows, constants.from(c));
        if (gradient) return gradient->apply(offset, rows, constants, c);
        if (dx) kernels.rows_apply(dy + offset, rows, constants.from(c), store, dx + offset);
    }

    /// The gradient sums of planes of a channel, and of rows from channel c on.
    GradientSums reduce(int64_t offset, const Planes& planes, Constant center) const {
        if (gradient) return gradient->reduce(offset, planes);
        GradientSums sums;
        kernels.planes_backward_reduce(dy + offset, x + offset, planes, center, &sums);
        return sums;
    }
    void reduce(int64_t offset, const Rows& rows, int64_t c, const Constant* center, double* sum_dy,
                double* sum_dy_xmu) const {
        if (gradient) return gradient->reduce(offset, rows, c, sum_dy, sum_dy_xmu);
        kernels.rows_backward_reduce(dy + offset, x + offset, rows, center, sum_dy, sum_dy_xmu);
    }

private:
    const Data* residual(int64_t offset) const { return follows->residual ? follows->residual + offset : nullptr; }
    void activate(int64_t offset, const Planes& planes, const FromOne& constants) const {
        kernels.planes_activate(x + offset, residual(offset), planes, constants, follows->activation, store,
                                dx + offset, {follows->mask, offset});
    }
    void activate(int64_t offset, const Rows& rows, const ApplyArrays<Constant>& constants) const {
        kernels.rows_activate(x + offset, residual(offset), rows, constants, follows->activation, store, dx + offset,
                              {follows->mask, offset});
    }
};

/// What writes dx of a backward with an activation, and the memory that takes.
template <class E>
class FusedGradientScratch {
    using Constants = ApplyConstants<typename E::Constant>;

public:
    /// Of the constants that make z from x there are `count`: by channel where a tensor is taken as rows, otherwise by
    /// plane of `spatial` elements. Whoever makes the pass sets them before it is run. `reduces`: the pass
    /// reduces all elements before it writes dx.
    FusedGradientScratch(const ElementwisePass<E>& pass, const FusedBackward<E>& with, int64_t elements,
                         int64_t spatial, int64_t count, bool as_rows, bool reduces)
        : by_plane_(as_rows ? 0 : count),
          by_channel_(as_rows ? count : 0),
          gradient_{pass.kernels,
                    with,
                    {by_plane_.data(), spatial, count, &by_channel_},
                    pass.dy,
                    pass.x,
                    pass.dx,
                    pass.store,
                    store_for(elements, with.dresidual, pass.dy),
                    reduces && !as_rows && keeps_g(pass, with)} {}
    FusedGradientScratch(const FusedGradientScratch&) = delete;
    FusedGradientScratch& operator=(const FusedGradientScratch&) = delete;

    void set_plane(int64_t plane, const Constants& z) { by_plane_.data()[plane] = z; }
    void set_channel(int64_t channel, const Constants& z) { by_channel_.set(channel, z); }
    const FusedGradient<E>* gradient() const { return &gradient_; }

private:
    /// The gradient of SiLU takes so long that it is not made twice. Channels last, the tensor would have to be read
    /// once more for that.
    static bool keeps_g(const ElementwisePass<E>& pass, const FusedBackward<E>& with) {
        return with.activation == Activation::kSilu && pass.dx && pass.dx != pass.x;
    }

    const Scratch<Constants> by_plane_;
    ConstantArrays<Constants> by_channel_;
    const FusedGradient<E> gradient_;
};

}  // namespace ni
