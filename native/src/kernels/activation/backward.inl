// Backward kernels of a normalization with an activation: g, the gradient of the activation's input, is made of dy
// where it is used, and rounded to the data type as if it had been written.
#pragma once

#include "kernels/activation/forward.inl"
#include "kernels/channel/planes.inl"
#include "kernels/channel/rows.inl"
#include "kernels/kernel_types.h"

namespace {
namespace ni_activation {

/// The largest z that is at most 0 when it is stored. In 16 bits, that is what is rounded to 0, from double with ties
/// in float before.
template <class E>
constexpr double kLargestClosed = 0;
template <>
constexpr double kLargestClosed<ni::Float16> = 0x1p-25;
template <>
constexpr double kLargestClosed<ni::BFloat16> = 0x1p-134;
template <class E>
constexpr double kLargestClosedWide = 0;
template <>
constexpr double kLargestClosedWide<ni::Float16> = 0x1p-25 + 0x1p-49;
template <>
constexpr double kLargestClosedWide<ni::BFloat16> = 0x1p-134 + 0x1p-150;
template <class E>
NI_INLINE F32 largest_closed(F32) {
    return splat(static_cast<float>(kLargestClosed<E>));
}
template <class E>
NI_INLINE Wide largest_closed(Wide) {
    return splat(kLargestClosedWide<E>);
}

/// ReLU with a mask, as a type beside Relu and Silu.
struct Masked {};

/// What makes g beside z.
template <class E>
struct Gate {
    const Data<E>* dy;
    ni::Mask<const uint8_t> mask;
};

/// dy of some elements in a vector like z's.
template <class E, class V>
NI_INLINE V load_like(V, const Data<E>* dy, int lanes) {
    V v;
    convert(load_lanes<E>(dy, lanes), v);
    return v;
}

/// g of some elements from number `at` of the piece on, in a vector like z's; z(): the same elements, not rounded.
template <class E, class Z>
NI_INLINE auto gradient(Relu, const Gate<E>& gate, int64_t at, int lanes, Z z) {
    const auto v = z();
    return if_at_least(largest_closed<E>(v), v, zero_like(v), load_like<E>(v, gate.dy + at, lanes));
}
template <class E, class Z>
NI_INLINE auto gradient(Masked, const Gate<E>& gate, int64_t at, int lanes, Z z) {
    const uint32_t open = bits_at(gate.mask.bytes, gate.mask.first + at, lanes);
    const auto dy = load_like<E>(decltype(z()){}, gate.dy + at, lanes);
    return select(open, dy, zero_like(dy));
}
template <class E, class Z>
NI_INLINE auto gradient(Silu, const Gate<E>& gate, int64_t at, int lanes, Z z) {
    const Lanes<E> dy = load_lanes<E>(gate.dy + at, lanes);
    auto g = z();
    convert(stored<E>(mul(dy, ni_silu::silu_derivative<Parameter<E>>(stored<E>(g)))), g);
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

    template <class V>
    NI_METHOD V write(Masked, V g, int64_t at, int lanes) const {
        if (out_ == nullptr) return g;
        if (lanes != 16) {
            Elements<E>::store_first(out_ + at, g, lanes);
        } else {
            streaming_ ? Elements<E>::stream(out_ + at, g) : Elements<E>::store(out_ + at, g);
        }
        return g;
    }
    template <class K, class V>
    NI_METHOD V write(K, V g, int64_t, int) const {
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

/// The two gradient sums in T and the Constant, as sum_gradients(). g(offset, lanes) is the gradient of some elements.
template <class E, class T, class Gradient>
NI_INLINE void sum_gated(T, const Data<E>* dy, const Data<E>* x, const ni::Planes& planes, Lanes<E> center, Gradient g,
                         ni::GradientSums* out) {
    Sums<T> sums;
    Sums<Constant<E>> products;
    start(sums);
    start(products);
    const auto mean = as<T>(center);
    reduce_elements<E>(
        planes,
        [&](auto density, int64_t i) __attribute__((always_inline)) {
            prefetch_group(density, dy + i);
            prefetch_group(density, x + i);
        },
        [&](int a, int64_t i, int lanes) __attribute__((always_inline)) {
            const auto off = sub(as<T>(load_lanes<E>(x + i, lanes)), mean);
            const auto d = lanes == 16 ? off : keep_first(off, lanes);
            const auto gradient = as<T>(g(i, lanes));
            sums.part[a] = add(sums.part[a], gradient);
            add_product(products.part[a], gradient, d);
        },
        [&]() __attribute__((always_inline)) {
            empty(sums);
            empty(products);
        });
    *out = {total(sums), total(products)};
}

/// z of some elements, not rounded.
template <class E>
NI_INLINE Lanes<E> z_of(const Normalized<E>& normalized, const Data<E>* x, int lanes) {
    return normalized(load_lanes<E>(x, lanes));
}

}  // namespace ni_activation

template <class E>
void planes_gated_reduce(const Data<E>* dy, const Data<E>* x, const ni::Mask<const uint8_t>& mask,
                         const ni::Planes& planes, const ni::ApplyConstants<Constant<E>>& z, ni::Activation activation,
                         ni::GradientSums* out) {
    using namespace ni_activation;
    const auto prepared = Normalized<E>::prepared(z);
    const Normalized<E> normalized(prepared);
    const Gate<E> gate{dy, mask};
    const auto center = static_cast<double>(z.center);
    with_kind(
        mask, activation, [&](auto kind) __attribute__((always_inline)) {
            const auto g = [&](int64_t i, int lanes) __attribute__((always_inline)) {
                return gradient<E>(
                    kind, gate, i,
                    lanes, [&]() __attribute__((always_inline)) { return z_of<E>(normalized, x + i, lanes); });
            };
            sum_around<E>(
                center, planes,
                [&](auto type, Lanes<E> near)
                    __attribute__((always_inline)) { sum_gated<E>(type, dy, x, planes, near, g, out); },
                out);
            mend_gradient_sums<E>(
                x, planes, z.center, [&](int64_t i) { return first_lane(g(i, 1)); }, *out);
        });
}

template <class E>
void planes_gated_apply(const Data<E>* dy, const Data<E>* x, const ni::Mask<const uint8_t>& mask,
                        const ni::Planes& planes, const ni::ApplyConstants<Constant<E>>& z, ni::Activation activation,
                        const ni::BackwardConstants<Constant<E>>& constants, ni::Store store_kind, Data<E>* dx,
                        const ni::Beside<Data<E>>& g_too) {
    using namespace ni_activation;
    const auto prepared = Normalized<E>::prepared(z);
    const Normalized<E> normalized(prepared);
    const InputGradient<E> input_gradient(constants);
    const Gate<E> gate{dy, mask};
    const ni_activation::Beside<E> beside(g_too, store_kind, dx, planes.length);
    with_kind(
        mask, activation, [&](auto kind) __attribute__((always_inline)) {
            write_gated_planes<E>(
                planes, store_kind, dx, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                    const Lanes<E> g = gradient<E>(
                        kind, gate, i,
                        lanes, [&]() __attribute__((always_inline)) { return z_of<E>(normalized, x + i, lanes); });
                    const Lanes<E> input = load_lanes<E>(x + i, lanes);
                    return input_gradient(Plain(), beside.write(kind, g, i, lanes), input, input);
                });
        });
}

template <class E>
void planes_gated_scale(const Data<E>* dy, const Data<E>* x, const ni::Mask<const uint8_t>& mask,
                        const ni::Planes& planes, const ni::ApplyConstants<Constant<E>>& z, ni::Activation activation,
                        Constant<E> factor, ni::Store store_kind, Data<E>* dx, const ni::Beside<Data<E>>& g_too) {
    using namespace ni_activation;
    const auto prepared = Normalized<E>::prepared(z),
               scale_only = Normalized<E>::prepared({0, factor, -Constant<E>(0)});
    const Normalized<E> normalized(prepared), scaled(scale_only);
    const Gate<E> gate{dy, mask};
    const ni_activation::Beside<E> beside(g_too, store_kind, dx, planes.length);
    with_kind(
        mask, activation, [&](auto kind) __attribute__((always_inline)) {
            write_gated_planes<E>(
                planes, store_kind, dx, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                    const Lanes<E> g = gradient<E>(
                        kind, gate, i,
                        lanes, [&]() __attribute__((always_inline)) { return z_of<E>(normalized, x + i, lanes); });
                    return scaled(beside.write(kind, g, i, lanes));
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
        if (!kSumsOfRowsMayFail<E> || (is_finite(both.dy) && is_finite(both.dy_xmu))) continue;
        const Vec<E> center = splat(z.center[c]), scale = splat(z.scale[c]), offset = splat(z.offset[c]);
        const auto g = [&](int64_t i) {
            return first_lane(gradient<E>(kind, gate, c + i, 1,
                                          [&]() { return normalized_row<E>(x + c + i, 1, center, scale, offset); }));
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
                    const Vec<E> d = sub(load_row<E>(x + at, lanes), k.z.center);
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
                            return normalized_row<E>(x + at, lanes, k.z.center, k.z.scale, k.z.offset);
                        });
                    return mul(beside.write(kind, g, at, lanes), k.factor);
                });
        });
}

}  // namespace
