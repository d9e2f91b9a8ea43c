// Forward kernels of a normalization with what follows it: the sum with a residual, and an activation. Every step
// rounds to the data type, so that they give what separate passes give.
//
// Once they are normalized, numbers of 16 bits are taken as floats, not as doubles: a float has them exactly, the sum
// of two of them comes out the same either way (24 bits are more than twice theirs, and two), and what SiLU loses in
// float is far below their last digit.
#pragma once

#include "kernels/activation/loops.inl"
#include "kernels/activation/mask_bits.inl"
#include "kernels/activation/silu.inl"
#include "kernels/channel/rows.inl"
#include "kernels/channel/runs.inl"
#include "kernels/kernel_types.h"
#include "simd/elements.h"

namespace {
namespace ni_activation {

/// A 16-bit type whose vectors are floats.
template <class E>
struct Narrow {
    using Data = typename E::Data;
    using Parameter = typename E::Parameter;
    using Constant = float;
};

/// The data type that activations of E's elements are computed as.
template <class E>
struct As {
    using Type = E;
};
template <>
struct As<ni::Float16> {
    using Type = Narrow<ni::Float16>;
};
template <>
struct As<ni::BFloat16> {
    using Type = Narrow<ni::BFloat16>;
};
template <class E>
using Plain = typename As<E>::Type;

NI_INLINE F32 to_floats(ni::Float16, U16 v) { return f32_from_half(v); }
NI_INLINE F32 to_floats(ni::BFloat16, U16 v) { return f32_from_bfloat16(v); }
NI_INLINE U16 from_floats(ni::Float16, F32 v) { return half_from_f32(v); }
NI_INLINE U16 from_floats(ni::BFloat16, F32 v) { return bfloat16_from_f32(v); }

/// A vector as it would come back from memory.
NI_INLINE F32 stored(ni::Float32, F32 v) { return v; }
NI_INLINE Wide stored(ni::Float64, Wide v) { return v; }
template <class E>
NI_INLINE F32 stored(E, Wide v) {
    return to_floats(E(), to_bits(E(), v));
}
template <class E>
NI_INLINE F32 stored(Narrow<E>, F32 v) {
    return to_floats(E(), from_floats(E(), v));
}

}  // namespace ni_activation

template <class E>
struct Elements<ni_activation::Narrow<E>> {
    NI_INLINE F32 load(const uint16_t* p) { return ni_activation::to_floats(E(), u16_load(p)); }
    NI_INLINE F32 load_first(const uint16_t* p, int n) { return ni_activation::to_floats(E(), u16_load_first(p, n)); }
    NI_INLINE void store(uint16_t* p, F32 v) { u16_store(p, ni_activation::from_floats(E(), v)); }
    NI_INLINE void store_first(uint16_t* p, F32 v, int n) { u16_store_first(p, ni_activation::from_floats(E(), v), n); }
    NI_INLINE void stream(uint16_t* p, F32 v) { u16_stream(p, ni_activation::from_floats(E(), v)); }
};

namespace ni_activation {

/// ReLU and SiLU as types, so that loops are made for each.
struct Relu {};
struct Silu {};

template <class E>
NI_INLINE Vec<E> activated(E, Relu, Vec<E> z) {
    const Vec<E> zero = splat(Constant<E>(0));
    return if_at_least(zero, z, zero, z);
}
template <class E>
NI_INLINE Vec<E> activated(E, Silu, Vec<E> z) {
    return ni_silu::silu<Constant<E>>(z);
}

// What becomes of a vector of z that is not rounded yet, whose first element is number `at` of the piece: a vector of
// Out that is not either.

/// An activation alone. To round before ReLU would change nothing: it changes no sign, and what it makes a 0 is written
/// as one.
template <class E>
struct OnlyRelu {
    using Out = E;
    NI_INLINE Vec<E> finish(const OnlyRelu&, Vec<E> z, int64_t, int) { return activated(E(), Relu(), z); }
};
template <class E>
struct OnlySilu {
    using Out = Plain<E>;
    NI_INLINE Vec<Out> finish(const OnlySilu&, Vec<E> z, int64_t, int) {
        return activated(Out(), Silu(), stored(E(), z));
    }
};
/// ReLU of the sum with a residual. The sum of two numbers is 0 only where it is exactly that, so it can be rounded
/// later.
template <class E>
struct ReluOfSum {
    using Out = Plain<E>;
    const Data<E>* residual;

    NI_INLINE Vec<Out> sum(const ReluOfSum& self, Vec<E> z, int64_t at, int lanes) {
        return add(stored(E(), z), load_lanes<Out>(self.residual + at, lanes));
    }
    NI_INLINE Vec<Out> finish(const ReluOfSum& self, Vec<E> z, int64_t at, int lanes) {
        return activated(Out(), Relu(), sum(self, z, at, lanes));
    }
};

/// z of some elements, not rounded.
template <class E>
NI_INLINE Vec<E> normalized(const Data<E>* x, int lanes, Vec<E> center, Vec<E> scale, Vec<E> offset) {
    return madd(sub(load_lanes<E>(x, lanes), center), scale, offset);
}

template <class E, class Finish>
NI_INLINE void activate_planes(const Data<E>* x, const ni::Planes& planes,
                               const ni::ApplyConstants<Constant<E>>& constants, ni::Store store_kind, Data<E>* y,
                               const Finish& f) {
    const Vec<E> center = splat(constants.center), scale = splat(constants.scale), offset = splat(constants.offset);
    for (int64_t p = 0; p < planes.count; ++p) {
        const int64_t at = p * planes.stride;
        write_elements<typename Finish::Out>(
            planes.length, store_kind, y + at, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                return Finish::finish(f, normalized<E>(x + at + i, lanes, center, scale, offset), at + i, lanes);
            });
    }
}

/// The constants of some channels.
template <class E>
struct ByChannel {
    Vec<E> center, scale, offset;
};
template <class E>
NI_INLINE ByChannel<E> load_by_channel(const ni::ApplyArrays<Constant<E>>& arrays, int64_t c, int lanes) {
    return {load_values<E>(arrays.center + c, lanes), load_values<E>(arrays.scale + c, lanes),
            load_values<E>(arrays.offset + c, lanes)};
}

template <class E, class Finish>
NI_INLINE void activate_rows(const Data<E>* x, const ni::Rows& rows, const ni::ApplyArrays<Constant<E>>& constants,
                             ni::Store store_kind, Data<E>* y, const Finish& f) {
    write_rows<typename Finish::Out>(
        rows, store_kind,
        y, [&](int64_t c, int lanes) __attribute__((always_inline)) { return load_by_channel<E>(constants, c, lanes); },
        [&](const ByChannel<E>& k, int64_t at, int lanes) __attribute__((always_inline)) {
            return Finish::finish(f, normalized<E>(x + at, lanes, k.center, k.scale, k.offset), at, lanes);
        });
}

/// ReLU of z, or of its sum with a residual, of elements from number `at` of the piece on; their bits go to put(bits).
template <class E, class Put>
NI_INLINE Vec<Plain<E>> relu_with_bits(const Data<E>* residual, Vec<E> z, int64_t at, int lanes, Put put) {
    using Out = Plain<E>;
    const Vec<Out> zero = splat(Constant<Out>(0));
    const Vec<Out> v = residual != nullptr ? ReluOfSum<E>::sum({residual}, z, at, lanes) : stored(E(), z);
    const uint32_t closed = at_least(zero, v);
    put(~closed & ((1U << lanes) - 1U));
    return select(closed, zero, v);
}

/// One run with a mask, from element `at` of the piece on: write_elements() takes vectors in the order of memory, and
/// so do the bits. z(offset, lanes) gives some elements of the run.
template <class E, class Z>
NI_INLINE void activate_run_masked(int64_t length, int64_t at, const Data<E>* residual, ni::Store store_kind,
                                   Data<E>* y, const ni::Mask<uint8_t>& mask, Z z) {
    BitWriter bits = BitWriter::from(mask, at);
    write_elements<Plain<E>>(
        length, store_kind, y + at, [&](int64_t i, int lanes) __attribute__((always_inline)) {
            return relu_with_bits<E>(
                residual, z(i, lanes), at + i,
                lanes, [&](uint32_t open) __attribute__((always_inline)) { bits.put(open, lanes); });
        });
    bits.finish();
}

/// Rows with a mask, all of which begin with a byte of it, some at a time: a vector's bits are bytes of their own.
template <class E>
NI_INLINE void activate_rows_masked(const Data<E>* x, const Data<E>* residual, const ni::Rows& rows,
                                    const ni::ApplyArrays<Constant<E>>& constants, Data<E>* y,
                                    const ni::Mask<uint8_t>& mask) {
    write_rows<Plain<E>>(
        rows, ni::Store::kCached,
        y, [&](int64_t c, int lanes) __attribute__((always_inline)) { return load_by_channel<E>(constants, c, lanes); },
        [&](const ByChannel<E>& k, int64_t at, int lanes) __attribute__((always_inline)) {
            BitWriter bits = BitWriter::from(mask, at);
            const auto put = [&](uint32_t open) __attribute__((always_inline)) { bits.put(open, lanes); };
            const auto v =
                relu_with_bits<E>(residual, normalized<E>(x + at, lanes, k.center, k.scale, k.offset), at, lanes, put);
            bits.finish();
            return v;
        });
}

/// Calls body(finish) with what the arguments say.
template <class E, class Body>
NI_INLINE void with_finish(const Data<E>* residual, ni::Activation activation, Body body) {
    if (activation == ni::Activation::kSilu) return body(OnlySilu<E>());
    if (residual != nullptr) return body(ReluOfSum<E>{residual});
    body(OnlyRelu<E>());
}

}  // namespace ni_activation

template <class E>
void planes_activate(const Data<E>* x, const Data<E>* residual, const ni::Planes& planes,
                     const ni::ApplyConstants<Constant<E>>& constants, ni::Activation activation, ni::Store store_kind,
                     Data<E>* y, const ni::Mask<uint8_t>& mask) {
    using namespace ni_activation;
    if (mask.bytes == nullptr) {
        return with_finish<E>(
            residual, activation, [&](const auto& f) __attribute__((always_inline)) {
                activate_planes<E>(x, planes, constants, store_kind, y, f);
            });
    }
    const Vec<E> center = splat(constants.center), scale = splat(constants.scale), offset = splat(constants.offset);
    for (int64_t p = 0; p < planes.count; ++p) {
        const int64_t at = p * planes.stride;
        activate_run_masked<E>(
            planes.length, at, residual, store_kind, y, mask, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                return normalized<E>(x + at + i, lanes, center, scale, offset);
            });
    }
}

template <class E>
void rows_activate(const Data<E>* x, const Data<E>* residual, const ni::Rows& rows,
                   const ni::ApplyArrays<Constant<E>>& constants, ni::Activation activation, ni::Store store_kind,
                   Data<E>* y, const ni::Mask<uint8_t>& mask) {
    using namespace ni_activation;
    if (mask.bytes == nullptr) {
        return with_finish<E>(
            residual, activation, [&](const auto& f) __attribute__((always_inline)) {
                activate_rows<E>(x, rows, constants, store_kind, y, f);
            });
    }
    if (store_kind == ni::Store::kCached && mask.first % 8 == 0 && rows.stride % 8 == 0) {
        return activate_rows_masked<E>(x, residual, rows, constants, y, mask);
    }
    for (int64_t r = 0; r < rows.count; ++r) {
        const int64_t at = r * rows.stride;
        activate_run_masked<E>(
            rows.channels, at, residual, store_kind, y, mask, [&](int64_t c, int lanes) __attribute__((always_inline)) {
                const ByChannel<E> k = load_by_channel<E>(constants, c, lanes);
                return normalized<E>(x + at + c, lanes, k.center, k.scale, k.offset);
            });
    }
}

}  // namespace
