// Kernels of rows with a weight and a bias for each element: LayerNorm, RMSNorm, and GroupNorm of single positions.
#pragma once

#include "kernels/channel/planes.inl"

namespace {

template <class E>
void affine_apply(const Data<E>* x, int64_t length, const ni::ApplyConstants<Constant<E>>& constants,
                  const ni::Affine<Parameter<E>>& affine, ni::Store store_kind, Data<E>* y) {
    const Vec<E> center = splat(constants.center), scale = splat(constants.scale), offset = splat(constants.offset);
    const auto normalized = [&](int64_t i, int lanes) __attribute__((always_inline)) {
        return madd(sub(load_lanes<E>(x + i, lanes), center), scale, offset);
    };
    const Parameter<E>*const weight = affine.weight, *const bias = affine.bias;
    if (bias == nullptr) {
        write_run<E>(
            length, store_kind, y, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                return mul(normalized(i, lanes), load_values<E>(weight + i, lanes));
            });
    } else if (weight == nullptr) {
        write_run<E>(
            length, store_kind, y, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                return add(normalized(i, lanes), load_values<E>(bias + i, lanes));
            });
    } else {
        write_run<E>(
            length, store_kind, y, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                return madd(normalized(i, lanes), load_values<E>(weight + i, lanes), load_values<E>(bias + i, lanes));
            });
    }
}

template <class E>
void affine_backward_reduce(const Data<E>* dy, const Data<E>* x, const ni::Planes& run, Constant<E> center,
                            const Parameter<E>* weight, ni::GradientSums* out) {
    sum_gradients<E>(
        x, run,
        center, [&](auto density, int64_t i) __attribute__((always_inline)) { prefetch_group(density, dy + i); },
        [&](int64_t i, int lanes) __attribute__((always_inline)) {
            return mul(load_lanes<E>(dy + i, lanes), load_values<E>(weight + i, lanes));
        },
        out);
    mend_gradient_sums<E>(
        x, run, center, [&](int64_t i) { return static_cast<double>(dy[i]) * static_cast<double>(weight[i]); }, *out);
}

template <class E>
void affine_backward_apply(const Data<E>* dy, const Data<E>* x, int64_t length,
                           const ni::BackwardConstants<Constant<E>>& constants, const Parameter<E>* weight,
                           ni::Store store_kind, Data<E>* dx) {
    const Vec<E> center = splat(constants.center), invstd = splat(constants.invstd), scale = splat(constants.scale);
    const Vec<E> slope = splat(constants.slope), offset = splat(constants.offset);
    write_run<E>(
        length, store_kind, dx, [&](int64_t i, int lanes) __attribute__((always_inline)) {
            const Vec<E> normalized = mul(sub(load_lanes<E>(x + i, lanes), center), invstd);
            // dy * weight may leave the range of a float where its product with the scale does not.
            const Vec<E> gradient = mul(load_lanes<E>(dy + i, lanes), scale);
            return madd(gradient, load_values<E>(weight + i, lanes), madd(normalized, slope, offset));
        });
}

}  // namespace
