// Forward kernels of a normalization with what follows it: the sum with a residual, and an activation. Every step
// rounds to the data type, so that they give what separate passes give.
//
// What is normalized and stored is a float in 16 bits' case as well: a float has these numbers exactly, the sum of two
// of them comes out the same as in double (24 bits are more than twice theirs, and two), and what SiLU loses in float
// is far below their last digit.
#pragma once

#include "kernels/activation/loops.inl"
#include "kernels/activation/mask_bits.inl"
#include "kernels/activation/silu.inl"
#include "kernels/channel/results.inl"
#include "kernels/channel/rows.inl"
#include "kernels/channel/runs.inl"
#include "kernels/kernel_types.h"
#include "simd/elements.h"

namespace {
namespace ni_activation {

/// A vector as it would come back from memory.
template <class E, class V>
NI_INLINE Lanes<E> stored(V v) {
    if constexpr (kIsSixteenBits<E>) {
        return from_bits(E(), to_bits(E(), v));
    } else {
        return v;
    }
}

NI_INLINE F32 zero_like(F32) { return f32_zero(); }
NI_INLINE Wide zero_like(Wide) { return {f64_zero(), f64_zero()}; }

/// ReLU and SiLU as types, so that loops are made for each.
struct Relu {};
struct Silu {};

template <class V>
NI_INLINE V relu(V z) {
    const V zero = zero_like(z);
    return if_at_least(zero, z, zero, z);
}

// What becomes of a vector of z that is not rounded yet, whose first element is number `at` of the piece: a vector that
// is not either.

/// An activation alone. To round before ReLU would change nothing: it changes no sign, and what it makes a 0 is written
/// as one.
template <class E>
struct OnlyRelu {
    template <class V>
    NI_INLINE V finish(const OnlyRelu&, V z, int64_t, int) {
        return relu(z);
    }
};
template <class E>
struct OnlySilu {
    template <class V>
    NI_INLINE Lanes<E> finish(const OnlySilu&, V z, int64_t, int) {
        return ni_silu::silu<Parameter<E>>(stored<E>(z));
    }
};
/// ReLU of the sum with a residual. The sum of two numbers is 0 only where it is exactly that, so it can be rounded
/// later.
template <class E>
struct ReluOfSum {
    const Data<E>* residual;

    template <class V>
    NI_INLINE Lanes<E> sum(const ReluOfSum& self, V z, int64_t at, int lanes) {
        return add(stored<E>(z), load_lanes<E>(self.residual + at, lanes));
    }
    template <class V>
    NI_INLINE Lanes<E> finish(const ReluOfSum& self, V z, int64_t at, int lanes) {
        return relu(sum(self, z, at, lanes));
    }
};

/// Elements by channel, in the vector that their constants have.
template <class E>
NI_INLINE Vec<E> load_row(const Data<E>* x, int lanes) {
    return converted<E>(load_lanes<E>(x, lanes));
}

/// z of some elements by channel, not rounded.
template <class E>
NI_INLINE Vec<E> normalized_row(const Data<E>* x, int lanes, Vec<E> center, Vec<E> scale, Vec<E> offset) {
    return madd(sub(load_row<E>(x, lanes), center), scale, offset);
}

template <class E, class Finish>
NI_INLINE void activate_planes(const Data<E>* x, const ni::Planes& planes,
                               const ni::ApplyConstants<Constant<E>>& constants, ni::Store store_kind, Data<E>* y,
                               const Finish& f) {
    const auto prepared = Normalized<E>::prepared(constants);
    const Normalized<E> normalized(prepared);
    for (int64_t p = 0; p < planes.count; ++p) {
        const int64_t at = p * planes.stride;
        write_elements<E>(
            planes.length, store_kind, y + at, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                return Finish::finish(f, normalized(load_lanes<E>(x + at + i, lanes)), at + i, lanes);
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
    write_rows<E>(
        rows, store_kind,
        y, [&](int64_t c, int lanes) __attribute__((always_inline)) { return load_by_channel<E>(constants, c, lanes); },
        [&](const ByChannel<E>& k, int64_t at, int lanes) __attribute__((always_inline)) {
            return Finish::finish(f, normalized_row<E>(x + at, lanes, k.center, k.scale, k.offset), at, lanes);
        });
}

/// ReLU of z, or of its sum with a residual, of elements from number `at` of the piece on; their bits go to put(bits).
template <class E, class V, class Put>
NI_INLINE Lanes<E> relu_with_bits(const Data<E>* residual, V z, int64_t at, int lanes, Put put) {
    const Lanes<E> v = residual != nullptr ? ReluOfSum<E>::sum({residual}, z, at, lanes) : stored<E>(z);
    const Lanes<E> zero = zero_like(v);
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
    write_elements<E>(
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
    write_rows<E>(
        rows, ni::Store::kCached,
        y, [&](int64_t c, int lanes) __attribute__((always_inline)) { return load_by_channel<E>(constants, c, lanes); },
        [&](const ByChannel<E>& k, int64_t at, int lanes) __attribute__((always_inline)) {
            BitWriter bits = BitWriter::from(mask, at);
            const auto put = [&](uint32_t open) __attribute__((always_inline)) { bits.put(open, lanes); };
            const auto v = relu_with_bits<E>(residual, normalized_row<E>(x + at, lanes, k.center, k.scale, k.offset),
                                             at, lanes, put);
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
    const auto prepared = Normalized<E>::prepared(constants);
    const Normalized<E> normalized(prepared);
    for (int64_t p = 0; p < planes.count; ++p) {
        const int64_t at = p * planes.stride;
        activate_run_masked<E>(
            planes.length, at, residual, store_kind, y, mask, [&](int64_t i, int lanes) __attribute__((always_inline)) {
                return normalized(load_lanes<E>(x + at + i, lanes));
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
                return normalized_row<E>(x + at + c, lanes, k.center, k.scale, k.offset);
            });
    }
}

}  // namespace
