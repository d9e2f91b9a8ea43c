// Backward kernels of a normalization with an activation: g, the gradient of the activation's input, is made of dy
// where it is used, and rounded to the data type as if it had been written.
#pragma once

#include "kernels/activation/forward.inl"
#include "kernels/channel/planes.inl"
#include "kernels/channel/rows.inl"
#include "kernels/kernel_types.h"

namespace {
namespace ni_activation {

NI_INLINE F32 as_stored(ni::Float32, F32 v) { return v; }
NI_INLINE Wide as_stored(ni::Float64, Wide v) { return v; }
/// From floats to the vector that E computes in, rounded to E on the way.
template <class E>
NI_INLINE Wide as_stored(E, F32 v) {
    return from_bits(E(), from_floats(E(), v));
}

/// The largest z that is at most 0 when it is stored. In 16 bits, that is what is rounded to 0, with ties in float
/// before.
template <class E>
constexpr Constant<E> kLargestClosed = 0;
template <>
constexpr double kLargestClosed<ni::Float16> = 0x1p-25 + 0x1p-49;
template <>
constexpr double kLargestClosed<ni::BFloat16> = 0x1p-134 + 0x1p-150;

/// ReLU with a mask, as a type beside Relu and Silu.
struct Masked {};

/// What makes g beside z.
template <class E>
struct Gate {
    const Data<E>* dy;
    ni::Mask<const uint8_t> mask;
};

/// g of some elements from number `at` of the piece on; z(): the same elements, not rounded.
template <class E, class Z>
NI_INLINE Vec<E> gradient(Relu, const Gate<E>& gate, int64_t at, int lanes, Z z) {
    return if_at_least(splat(kLargestClosed<E>), z(), splat(Constant<E>(0)), load_lanes<E>(gate.dy + at, lanes));
}
template <class E, class Z>
NI_INLINE Vec<E> gradient(Masked, const Gate<E>& gate, int64_t at, int lanes, Z) {
    const uint32_t open = bits_at(gate.mask.bytes, gate.mask.first + at, lanes);
    return select(open, load_lanes<E>(gate.dy + at, lanes), splat(Constant<E>(0)));
}
template <class E, class Z>
NI_INLINE Vec<E> gradient(Silu, const Gate<E>& gate, int64_t at, int lanes, Z z) {
    using Out = Plain<E>;
    const Vec<Out> dy = load_lanes<Out>(gate.dy + at, lanes);
    const Vec<E> g = as_stored(E(), mul(dy, ni_silu::silu_derivative<Constant<Out>>(stored(E(), z()))));
    // Beyond the elements, z may be anything.
    return lanes == 16 ? g : keep_first(g, lanes);
}

/// Writes vector(offset, lanes) for all elements of all planes.
template <class E, class Vector>
NI_INLINE void write_gated_planes(const ni::Planes& planes, ni::Store store_kind, Data<E>* out, Vector vector) {
    for (int64_t p = 0; p < planes.count; ++p) {
        const int64_t at = p * planes.stride;
        write_elements<E>(
            planes.length, store_kind,
            out + at, [&](int64_t i, int lanes) __attribute__((always_inline)) { return vector(at + i, lanes); });
    }
}

/// Where g itself goes, if it is wanted: beside dx, element by element.
template <class E>
class Beside {
public:
    /// Past the cache where that is wanted and whole vectors of dx, in runs of `length`, lie as those of g do.
    Beside(const ni::Beside<Data<E>>& g, ni::Store store_of_dx, const Data<E>* dx, int64_t length)
        : out_(g.data),
          streaming_(g.store == ni::Store::kStreaming && store_of_dx == ni::Store::kStreaming && length >= kGroup &&
                     (reinterpret_cast<uintptr_t>(g.data) - reinterpret_cast<uintptr_t>(dx)) % ni::kStreamAlignment ==
                         0) {}

    inline __attribute__((always_inline)) Vec<E> write(Masked, Vec<E> g, int64_t at, int lanes) const {
        if (out_ == nullptr) return g;
        if (lanes != 16) {
            Elements<E>::store_first(out_ + at, g, lanes);
        } else {
            streaming_ ? Elements<E>::stream(out_ + at, g) : Elements<E>::store(out_ + at, g);
        }
        return g;
    }
    template <class K>
    inline __attribute__((always_inline)) Vec<E> write(K, Vec<E> g, int64_t, int) const {
        return g;
    }

private:
    Data<E>* out_;
    bool streaming_;
};

/// Calls body(Relu), body(Masked) or body(Silu).
template <class Body>
NI_INLINE void with_kind(const ni::Mask<const uint8_t>& mask, ni::Activation activation, Body body) {
    if (activation == ni::Activation::kSilu) return body(Silu());
    if (mask.bytes != nullptr) return body(Masked());
    body(Relu());
}

/// The two gradient sums, as sum_gradients(). g(offset, lanes, d) is the gradient of elements that are d off the
/// center.
template <class E, class Gradient>
NI_INLINE void sum_gated(const Data<E>* dy, const Data<E>* x, const ni::Planes& planes, Vec<E> center, Gradient g,
                         ni::GradientSums* out) {
    Sums<E> sums, products;
    start(sums);
    start(products);
    reduce_elements<E>(
        planes,
        [&](auto density, int64_t i) __attribute__((always_inline)) {
            prefetch_group(density, dy + i);
            prefetch_group(density, x + i);
        },
        [&](int a, int64_t i, int lanes) __attribute__((always_inline)) {
            const Vec<E> off = sub(load_lanes<E>(x + i, lanes), center), d = lanes == 16 ? off : keep_first(off, lanes);
            const Vec<E> gradient = g(i, lanes, d);
            sums.part[a] = add(sums.part[a], gradient);
            products.part[a] = madd(gradient, d, products.part[a]);
        },
        [&]() __attribute__((always_inline)) {
            empty(sums);
            empty(products);
        });
    *out = {total(sums), total(products)};
}

/// The first of some elements.
template <class E, class V>
NI_INLINE double first_of(V v) {
    Constant<E> lanes[16];
    store(lanes, v);
    return static_cast<double>(lanes[0]);
}

}  // namespace ni_activation

template <class E>
void planes_gated_reduce(const Data<E>* dy, const Data<E>* x, const ni::Mask<const uint8_t>& mask,
                         const ni::Planes& planes, const ni::ApplyConstants<Constant<E>>& z, ni::Activation activation,
                         ni::GradientSums* out) {
    using namespace ni_activation;
    const Vec<E> center = splat(z.center), scale = splat(z.scale), offset = splat(z.offset);
    const Gate<E> gate{dy, mask};
    with_kind(
        mask, activation, [&](auto kind) __attribute__((always_inline)) {
            const auto g = [&](int64_t i, int lanes, Vec<E> d) __attribute__((always_inline)) {
                return gradient<E>(
                    kind, gate, i, lanes, [&]() __attribute__((always_inline)) { return madd(d, scale, offset); });
            };
            sum_gated<E>(dy, x, planes, center, g, out);
            mend_gradient_sums<E>(
                x, planes, z.center,
                [&](int64_t i) { return first_of<E>(g(i, 1, sub(load_lanes<E>(x + i, 1), center))); }, *out);
        });
}

template <class E>
void planes_gated_apply(const Data<E>* dy, const Data<E>* x, const ni::Mask<const uint8_t>& mask,
                        const ni::Planes& planes, const ni::ApplyConstants<Constant<E>>& z, ni::Activation activation,
                        const ni::BackwardConstants<Constant<E>>& constants, ni::Store store_kind, Data<E>* dx,
                        const ni::Beside<Data<E>>& g_too) {
    using namespace ni_activation;
    const Vec<E> center = splat(z.center), z_scale = splat(z.scale), z_offset = splat(z.offset);
    const Vec<E> invstd = splat(constants.invstd), scale = splat(constants.scale);
    const Vec<E> slope = splat(constants.slope), offset = splat(constants.offset);
    const Gate<E> gate{dy, mask};
    const ni_activation::Beside<E> beside(g_too, store_kind, dx, planes.length);
    with_kind(
        mask, activation, [&](auto kind) __attribute__((always_inline)) {
            write_gated_planes<E>(
                planes, store_kind, dx, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                    const Vec<E> d = sub(load_lanes<E>(x + i, lanes), center);
                    const Vec<E> g = gradient<E>(
                        kind, gate, i,
                        lanes, [&]() __attribute__((always_inline)) { return madd(d, z_scale, z_offset); });
                    return madd(beside.write(kind, g, i, lanes), scale, madd(mul(d, invstd), slope, offset));
                });
        });
}

template <class E>
void planes_gated_scale(const Data<E>* dy, const Data<E>* x, const ni::Mask<const uint8_t>& mask,
                        const ni::Planes& planes, const ni::ApplyConstants<Constant<E>>& z, ni::Activation activation,
                        Constant<E> factor, ni::Store store_kind, Data<E>* dx, const ni::Beside<Data<E>>& g_too) {
    using namespace ni_activation;
    const Vec<E> center = splat(z.center), scale = splat(z.scale), offset = splat(z.offset), by = splat(factor);
    const Gate<E> gate{dy, mask};
    const ni_activation::Beside<E> beside(g_too, store_kind, dx, planes.length);
    with_kind(
        mask, activation, [&](auto kind) __attribute__((always_inline)) {
            write_gated_planes<E>(
                planes, store_kind, dx, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                    const Vec<E> g = gradient<E>(
                        kind, gate, i, lanes, [&]() __attribute__((always_inline)) {
                            return normalized<E>(x + i, lanes, center, scale, offset);
                        });
                    return mul(beside.write(kind, g, i, lanes), by);
                });
        });
}

namespace ni_activation {

/// z of a vector of a strip, from its deviations from the center.
template <class E, int Vectors>
NI_INLINE Vec<E> z_of_strip(Vec<E> d, const ni::ApplyArrays<Constant<E>>& z, int64_t c, int64_t v, int lanes) {
    return madd(d, constants_of_strip<Vectors>(z.scale + c, v, lanes),
                constants_of_strip<Vectors>(z.offset + c, v, lanes));
}

template <class E, class K>
NI_INLINE void gated_sums_of_rows(K kind, const Gate<E>& gate, const Data<E>* x, const ni::Rows& rows,
                                  const ni::ApplyArrays<Constant<E>> z, double* sum_dy, double* sum_dy_xmu) {
    const int64_t ahead = prefetch_distance(rows);
    sum_rows<E>(
        rows, sum_dy, sum_dy_xmu,
        [&](auto strip, int64_t row, int64_t c, int64_t v, int lanes, Vec<E>& sum, Vec<E>& product)
            __attribute__((always_inline)) {
                constexpr int kVectors = decltype(strip)::kVectors;
                const int64_t at = row + c + 16 * v;
                const int n = kVectors == 1 ? lanes : 16;
                if (ahead != 0) {
                    ni::prefetch(gate.dy + at + ahead);
                    ni::prefetch(x + at + ahead);
                }
                const Vec<E> mean = constants_of_strip<kVectors>(z.center + c, v, lanes);
                const Vec<E> d = sub(load_of_strip<E, kVectors>(x + row + c, v, lanes), mean);
                const Vec<E> g = gradient<E>(
                    kind, gate, at,
                    n, [&]() __attribute__((always_inline)) { return z_of_strip<E, kVectors>(d, z, c, v, lanes); });
                sum = add(sum, g);
                product = madd(g, d, product);
            });
    for (int64_t c = 0; c < rows.channels; ++c) {
        ni::GradientSums both{sum_dy[c], sum_dy_xmu[c]};
        if (!kSumsMayFail<E> || (is_finite(both.dy) && is_finite(both.dy_xmu))) continue;
        const Vec<E> center = splat(z.center[c]), scale = splat(z.scale[c]), offset = splat(z.offset[c]);
        const auto g = [&](int64_t i) {
            return first_of<E>(gradient<E>(kind, gate, c + i, 1,
                                           [&]() { return normalized<E>(x + c + i, 1, center, scale, offset); }));
        };
        mend_gradient_sums<E>(x + c, {rows.count, rows.stride, 1}, z.center[c], g, both);
        sum_dy[c] = both.dy;
        sum_dy_xmu[c] = both.dy_xmu;
    }
}

/// Constants of some channels.
template <class E>
struct GatedByChannel {
    ByChannel<E> z;
    Vec<E> invstd, scale, slope, offset;
};
template <class E>
struct ScaledByChannel {
    ByChannel<E> z;
    Vec<E> factor;
};

}  // namespace ni_activation

template <class E>
void rows_gated_reduce(const Data<E>* dy, const Data<E>* x, const ni::Mask<const uint8_t>& mask, const ni::Rows& rows,
                       const ni::ApplyArrays<Constant<E>>& z, ni::Activation activation, double* sum_dy,
                       double* sum_dy_xmu) {
    using namespace ni_activation;
    const Gate<E> gate{dy, mask};
    with_kind(
        mask, activation, [&](auto kind) __attribute__((always_inline)) {
            gated_sums_of_rows<E>(kind, gate, x, rows, z, sum_dy, sum_dy_xmu);
        });
}

template <class E>
void rows_gated_apply(const Data<E>* dy, const Data<E>* x, const ni::Mask<const uint8_t>& mask, const ni::Rows& rows,
                      const ni::ApplyArrays<Constant<E>>& z, ni::Activation activation,
                      const ni::BackwardArrays<Constant<E>>& constants, ni::Store store_kind, Data<E>* dx,
                      const ni::Beside<Data<E>>& g_too) {
    using namespace ni_activation;
    const Gate<E> gate{dy, mask};
    const ni_activation::Beside<E> beside(g_too, store_kind, dx, rows.channels);
    with_kind(
        mask, activation, [&](auto kind) __attribute__((always_inline)) {
            write_rows<E>(
                rows, store_kind, dx,
                [&](int64_t c, int lanes) __attribute__((always_inline)) {
                    return GatedByChannel<E>{
                        load_by_channel<E>(z, c, lanes), load_values<E>(constants.invstd + c, lanes),
                        load_values<E>(constants.scale + c, lanes), load_values<E>(constants.slope + c, lanes),
                        load_values<E>(constants.offset + c, lanes)};
                },
                [&](const GatedByChannel<E>& k, int64_t at, int lanes) __attribute__((always_inline)) {
                    const Vec<E> d = sub(load_lanes<E>(x + at, lanes), k.z.center);
                    const Vec<E> g = gradient<E>(
                        kind, gate, at,
                        lanes, [&]() __attribute__((always_inline)) { return madd(d, k.z.scale, k.z.offset); });
                    return madd(beside.write(kind, g, at, lanes), k.scale, madd(mul(d, k.invstd), k.slope, k.offset));
                });
        });
}

template <class E>
void rows_gated_scale(const Data<E>* dy, const Data<E>* x, const ni::Mask<const uint8_t>& mask, const ni::Rows& rows,
                      const ni::ApplyArrays<Constant<E>>& z, ni::Activation activation, const Constant<E>* factor,
                      ni::Store store_kind, Data<E>* dx, const ni::Beside<Data<E>>& g_too) {
    using namespace ni_activation;
    const Gate<E> gate{dy, mask};
    const ni_activation::Beside<E> beside(g_too, store_kind, dx, rows.channels);
    with_kind(
        mask, activation, [&](auto kind) __attribute__((always_inline)) {
            write_rows<E>(
                rows, store_kind, dx,
                [&](int64_t c, int lanes) __attribute__((always_inline)) {
                    return ScaledByChannel<E>{load_by_channel<E>(z, c, lanes), load_values<E>(factor + c, lanes)};
                },
                [&](const ScaledByChannel<E>& k, int64_t at, int lanes) __attribute__((always_inline)) {
                    const Vec<E> g = gradient<E>(
                        kind, gate, at, lanes, [&]() __attribute__((always_inline)) {
                            return normalized<E>(x + at, lanes, k.z.center, k.z.scale, k.z.offset);
                        });
                    return mul(beside.write(kind, g, at, lanes), k.factor);
                });
        });
}

}  // namespace
