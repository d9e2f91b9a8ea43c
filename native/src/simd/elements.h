// The vectors that kernel bodies are written against: 16 elements of a data type, in the precision that its sums and
// results are computed in. Float32 computes in float; Float64 and the 16-bit types compute in double, or in float where
// that is exact enough (channel/results.inl), so that a 16-bit result is the exact one, rounded, or its neighbour.
// Included after one of the instruction sets' headers.
//
// E is a data type of kernels/kernel_types.h. Functions of vectors are overloaded for F32 and Wide; they are those of
// contract.h, on 16 lanes. There is one difference: madd(a, b, c), a * b + c, rounds once for F32, twice for Wide.
#pragma once

#include "kernels/kernel_types.h"

namespace {

/// 16 doubles.
struct Wide {
    F64 low, high;
};

NI_INLINE F32 splat(float a) { return f32_set(a); }
NI_INLINE F32 load(const float* p) { return f32_load(p); }
NI_INLINE F32 load_first(const float* p, int n) { return f32_load_first(p, n); }
NI_INLINE void store(float* p, F32 v) { f32_store(p, v); }
NI_INLINE void store_first(float* p, F32 v, int n) { f32_store_first(p, v, n); }
NI_INLINE void stream(float* p, F32 v) { f32_stream(p, v); }
NI_INLINE F32 keep_first(F32 v, int n) { return f32_keep_first(v, n); }
NI_INLINE F32 add(F32 a, F32 b) { return f32_add(a, b); }
NI_INLINE F32 sub(F32 a, F32 b) { return f32_sub(a, b); }
NI_INLINE F32 mul(F32 a, F32 b) { return f32_mul(a, b); }
NI_INLINE F32 div(F32 a, F32 b) { return f32_div(a, b); }
NI_INLINE F32 madd(F32 a, F32 b, F32 c) { return f32_fma(a, b, c); }
NI_INLINE uint32_t at_least(F32 a, F32 b) { return f32_at_least(a, b); }
NI_INLINE F32 select(uint32_t bits, F32 a, F32 b) { return f32_select(bits, a, b); }
NI_INLINE F32 if_at_least(F32 a, F32 b, F32 x, F32 y) { return f32_if_at_least(a, b, x, y); }
NI_INLINE F32 power_of_two(F32 n) { return f32_power_of_two(n); }
NI_INLINE F64 low(F32 v) { return f32_low(v); }
NI_INLINE F64 high(F32 v) { return f32_high(v); }

/// Of n lanes, those in the upper half.
NI_INLINE int upper(int n) { return n > 8 ? n - 8 : 0; }
NI_INLINE int lower(int n) { return n < 8 ? n : 8; }

NI_INLINE Wide splat(double a) { return {f64_set(a), f64_set(a)}; }
NI_INLINE Wide load(const double* p) { return {f64_load(p), f64_load(p + 8)}; }
NI_INLINE Wide load_first(const double* p, int n) {
    return {f64_load_first(p, lower(n)), f64_load_first(p + 8, upper(n))};
}
NI_INLINE void store(double* p, Wide v) {
    f64_store(p, v.low);
    f64_store(p + 8, v.high);
}
NI_INLINE void store_first(double* p, Wide v, int n) {
    f64_store_first(p, v.low, lower(n));
    f64_store_first(p + 8, v.high, upper(n));
}
NI_INLINE void stream(double* p, Wide v) {
    f64_stream(p, v.low);
    f64_stream(p + 8, v.high);
}
NI_INLINE Wide keep_first(Wide v, int n) { return {f64_keep_first(v.low, lower(n)), f64_keep_first(v.high, upper(n))}; }
NI_INLINE Wide add(Wide a, Wide b) { return {f64_add(a.low, b.low), f64_add(a.high, b.high)}; }
NI_INLINE Wide sub(Wide a, Wide b) { return {f64_sub(a.low, b.low), f64_sub(a.high, b.high)}; }
NI_INLINE Wide mul(Wide a, Wide b) { return {f64_mul(a.low, b.low), f64_mul(a.high, b.high)}; }
NI_INLINE Wide div(Wide a, Wide b) { return {f64_div(a.low, b.low), f64_div(a.high, b.high)}; }
NI_INLINE Wide madd(Wide a, Wide b, Wide c) { return add(mul(a, b), c); }
NI_INLINE uint32_t at_least(Wide a, Wide b) {
    return f64_at_least(a.low, b.low) | f64_at_least(a.high, b.high) << ni::kF64Lanes;
}
NI_INLINE Wide select(uint32_t bits, Wide a, Wide b) {
    return {f64_select(bits & 255U, a.low, b.low), f64_select(bits >> ni::kF64Lanes & 255U, a.high, b.high)};
}
NI_INLINE Wide if_at_least(Wide a, Wide b, Wide x, Wide y) {
    return {f64_if_at_least(a.low, b.low, x.low, y.low), f64_if_at_least(a.high, b.high, x.high, y.high)};
}
NI_INLINE Wide power_of_two(Wide n) { return {f64_power_of_two(n.low), f64_power_of_two(n.high)}; }
NI_INLINE F64 low(Wide v) { return v.low; }
NI_INLINE F64 high(Wide v) { return v.high; }

NI_INLINE Wide widen(F32 v) { return {f32_low(v), f32_high(v)}; }
NI_INLINE Wide widen(Wide v) { return v; }
NI_INLINE F32 narrow(Wide v) { return f32_join(v.low, v.high); }

NI_INLINE void set_zero(F32& v) { v = f32_zero(); }
NI_INLINE void set_zero(Wide& v) { v = {f64_zero(), f64_zero()}; }

template <class E>
using Data = typename E::Data;
template <class E>
using Constant = typename E::Constant;
template <class E>
using Parameter = typename E::Parameter;
/// The vector that E computes in.
template <class E>
using Vec = decltype(splat(Constant<E>()));

/// How the elements of a data type go between memory and vectors.
template <class E>
struct Elements {
    NI_INLINE Vec<E> load(const Data<E>* p) { return ::load(p); }
    NI_INLINE Vec<E> load_first(const Data<E>* p, int n) { return ::load_first(p, n); }
    NI_INLINE void store(Data<E>* p, Vec<E> v) { ::store(p, v); }
    NI_INLINE void store_first(Data<E>* p, Vec<E> v, int n) { ::store_first(p, v, n); }
    NI_INLINE void stream(Data<E>* p, Vec<E> v) { ::stream(p, v); }
};

NI_INLINE F32 from_bits(ni::Float16, U16 v) { return f32_from_half(v); }
NI_INLINE F32 from_bits(ni::BFloat16, U16 v) { return f32_from_bfloat16(v); }
NI_INLINE U16 to_bits(ni::Float16, F32 v) { return half_from_f32(v); }
/// Floats come from 16-bit numbers, or as new NaNs, which have nothing in their lower half.
NI_INLINE U16 to_bits(ni::BFloat16, F32 v) { return bfloat16_from_upper(v); }
// Rounding to float first may, where it meets a tie, end at the neighbour of the correctly rounded number.
NI_INLINE U16 to_bits(ni::Float16, Wide v) { return half_from_f32(narrow(v)); }
NI_INLINE U16 to_bits(ni::BFloat16, Wide v) { return bfloat16_from_f32(narrow(v)); }

/// Any of them is a float, without loss.
template <class E>
struct SixteenBits {
    NI_INLINE F32 load(const uint16_t* p) { return from_bits(E(), u16_load(p)); }
    NI_INLINE F32 load_first(const uint16_t* p, int n) { return from_bits(E(), u16_load_first(p, n)); }
    template <class V>
    NI_INLINE void store(uint16_t* p, V v) {
        u16_store(p, to_bits(E(), v));
    }
    template <class V>
    NI_INLINE void store_first(uint16_t* p, V v, int n) {
        u16_store_first(p, to_bits(E(), v), n);
    }
    template <class V>
    NI_INLINE void stream(uint16_t* p, V v) {
        u16_stream(p, to_bits(E(), v));
    }
};
template <>
struct Elements<ni::Float16> : SixteenBits<ni::Float16> {};
template <>
struct Elements<ni::BFloat16> : SixteenBits<ni::BFloat16> {};

/// The vector that elements of E are loaded into: F32 for all but double.
template <class E>
using Lanes = decltype(Elements<E>::load(nullptr));

template <class E>
constexpr bool kIsSixteenBits = sizeof(Data<E>) == 2;
template <class A, class B>
constexpr bool kSameType = false;
template <class A>
constexpr bool kSameType<A, A> = true;

/// The first `lanes` elements, other lanes 0.
template <class E>
NI_INLINE Lanes<E> load_lanes(const Data<E>* p, int lanes) {
    return lanes == 16 ? Elements<E>::load(p) : Elements<E>::load_first(p, lanes);
}

/// Constants, parameters or elements in the vector that E computes in.
NI_INLINE void convert(F32 from, F32& to) { to = from; }
NI_INLINE void convert(Wide from, Wide& to) { to = from; }
NI_INLINE void convert(F32 from, Wide& to) { to = widen(from); }
template <class T, class V>
NI_INLINE auto as(V from) {
    decltype(splat(T())) v;
    convert(from, v);
    return v;
}
template <class E, class V>
NI_INLINE Vec<E> converted(V from) {
    return as<Constant<E>>(from);
}
template <class E, class T>
NI_INLINE Vec<E> load_values(const T* p, int lanes) {
    return converted<E>(lanes == 16 ? load(p) : load_first(p, lanes));
}

template <class V>
NI_INLINE double first_lane(V v) {
    double lanes[ni::kF64Lanes];
    f64_store(lanes, low(v));
    return lanes[0];
}

/// Element p[0].
template <class E>
NI_INLINE double value_at(const Data<E>* p) {
    return first_lane(load_lanes<E>(p, 1));
}

}  // namespace
