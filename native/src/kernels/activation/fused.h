// The backward of a normalization with an activation, piece by piece.
#pragma once

#include <stdint.h>

#include <algorithm>

#include "kernels/activation/fusion.h"
#include "kernels/channel/channel_pass.h"
#include "kernels/channel/constant_arrays.h"
#include "kernels/registry.h"

namespace ni {

/// The constants that make z from x. Those of a contiguous tensor are by plane, and begin anew after so many of them.
template <class E>
struct ZConstants {
    using Constants = ApplyConstants<typename E::Constant>;

    const Constants* by_plane;
    int64_t spatial, planes;
    const ConstantArrays<Constants>* by_channel;  ///< of a tensor that is taken as rows

    const Constants& at(int64_t offset) const { return by_plane[offset / spatial % planes]; }
};

/// The constants that make a copy: adding -0 keeps the sign of zeros.
template <class Constant>
constexpr ApplyConstants<Constant> kCopy = {Constant(0), Constant(1), -Constant(0)};

/// dx from dy and x, or from dy alone where ApplyConstants say so. Where keeps_g is set,
/// planes keep g in the place of dx when they are reduced.
template <class E>
struct FusedGradient {
    using Data = typename E::Data;
    using Constant = typename E::Constant;

    const Kernels<E>& kernels;
    const FusedBackward<E>& with;
    const ZConstants<E> z;
    const Data *dy, *x;
    Data* dx;
    Store store, dresidual_store;
    bool keeps_g;

    bool writes() const { return dx || with.dresidual; }

    GradientSums reduce(int64_t offset, const Planes& planes) const {
        GradientSums sums;
        if (keeps_g) {
            kernels.planes_gated_scale(dy + offset, x + offset, mask(offset), planes, z.at(offset), with.activation,
                                       Constant(1), Store::kCached, dx + offset, {nullptr, Store::kCached});
            kernels.planes_backward_reduce(dx + offset, x + offset, planes, z.at(offset).center, &sums);
            return sums;
        }
        kernels.planes_gated_reduce(dy + offset, x + offset, mask(offset), planes, z.at(offset), with.activation,
                                    &sums);
        return sums;
    }

    /// Rows from the channel on that is number `channel` of the constants.
    void reduce(int64_t offset, const Rows& rows, int64_t channel, double* sum_dy, double* sum_dy_xmu) const {
        kernels.rows_gated_reduce(dy + offset, x + offset, mask(offset), rows, z.by_channel->from(channel),
                                  with.activation, sum_dy, sum_dy_xmu);
    }

    void apply(int64_t offset, const Planes& planes, const BackwardConstants<Constant>& constants) const {
        if (!dx) return write_dresidual(offset, planes);
        if (keeps_g) {
            return kernels.planes_backward_apply(dx + offset, x + offset, planes, constants, Store::kCached,
                                                 dx + offset);
        }
        kernels.planes_gated_apply(dy + offset, x + offset, mask(offset), planes, z.at(offset), with.activation,
                                   constants, store, dx + offset, dresidual(offset));
    }
    void apply(int64_t offset, const Planes& planes, const ApplyConstants<Constant>& constants) const {
        if (!dx) return write_dresidual(offset, planes);
        if (keeps_g) return kernels.planes_apply(dx + offset, planes, constants, Store::kCached, dx + offset);
        kernels.planes_gated_scale(dy + offset, x + offset, mask(offset), planes, z.at(offset), with.activation,
                                   constants.scale, store, dx + offset, dresidual(offset));
    }
    void apply(int64_t offset, const Rows& rows, const ConstantArrays<BackwardConstants<Constant>>& constants,
               int64_t channel) const {
        if (!dx) return write_dresidual(offset, {rows.count, rows.stride, rows.channels});
        kernels.rows_gated_apply(dy + offset, x + offset, mask(offset), rows, z.by_channel->from(channel),
                                 with.activation, constants.from(channel), store, dx + offset, dresidual(offset));
    }
    void apply(int64_t offset, const Rows& rows, const ConstantArrays<ApplyConstants<Constant>>& constants,
               int64_t channel) const {
        if (!dx) return write_dresidual(offset, {rows.count, rows.stride, rows.channels});
        kernels.rows_gated_scale(dy + offset, x + offset, mask(offset), rows, z.by_channel->from(channel),
                                 with.activation, constants.from(channel).scale, store, dx + offset, dresidual(offset));
    }

private:
    Mask<const uint8_t> mask(int64_t offset) const { return {with.mask, offset}; }

    Beside<Data> dresidual(int64_t offset) const {
        return {with.dresidual ? with.dresidual + offset : nullptr, dresidual_store};
    }

    /// g alone, of a mask, which takes no constants.
    void write_dresidual(int64_t offset, const Planes& planes) const {
        if (!with.dresidual) return;
        kernels.planes_gated_scale(dy + offset, x + offset, mask(offset), planes, kCopy<Constant>, with.activation,
                                   Constant(1), dresidual_store, with.dresidual + offset, {nullptr, store});
    }
};

}  // namespace ni
