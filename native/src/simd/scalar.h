// The vector contract (contract.h) without an instruction set of its own: for CPUs without AVX2, and for all that have
// no header here yet. Vectors are parts of 16 bytes, in the generic vectors of GCC and Clang, which become whatever the
// target has: SSE2 on every x64 CPU.
#pragma once

#include "simd/contract.h"

namespace {

static_assert(__FLT_EVAL_METHOD__ == 0, "fused() needs every operation rounded to its own type");

// Parts of a vector.
typedef float Floats2 __attribute__((vector_size(8)));
typedef float Floats __attribute__((vector_size(16)));
typedef double Doubles __attribute__((vector_size(16)));
typedef int64_t Longs __attribute__((vector_size(16)));
typedef uint64_t LongWords __attribute__((vector_size(16)));
typedef int32_t Ints __attribute__((vector_size(16)));
typedef uint32_t Words __attribute__((vector_size(16)));
typedef uint16_t Shorts __attribute__((vector_size(8)));

/// Lanes 0..3, 4..7, 8..11 and 12..15.
struct F32 {
    Floats a, b, c, d;
};
/// Lanes 0..1, 2..3, 4..5 and 6..7.
struct F64 {
    Doubles a, b, c, d;
};
struct U16 {
    Shorts a, b, c, d;
};

#define NI_LIKE(to, from) __builtin_bit_cast(to, from)

// What takes dozens of instructions is a call: kernels would be several times as large, and no faster.
#define NI_CALL static __attribute__((noinline))

NI_INLINE Doubles low_of(Floats v) { return __builtin_convertvector(__builtin_shufflevector(v, v, 0, 1), Doubles); }
NI_INLINE Doubles high_of(Floats v) { return __builtin_convertvector(__builtin_shufflevector(v, v, 2, 3), Doubles); }
NI_INLINE Floats join(Doubles low, Doubles high) {
    const Floats2 a = __builtin_convertvector(low, Floats2), b = __builtin_convertvector(high, Floats2);
    return __builtin_shufflevector(a, b, 0, 1, 2, 3);
}

/// a * b + c, rounded once, but to double. The product of two floats is exact in double; the sum is rounded to odd, so
/// that a second rounding, to float, cannot err (Boldo and Melquiond 2008).
NI_INLINE Doubles fused(Doubles a, Doubles b, Doubles c) {
    const Doubles product = a * b, sum = product + c;
    const Doubles part = sum - product;
    const Doubles error = (product - (sum - part)) + (c - part), zero = {0.0, 0.0};
    const Longs bits = NI_LIKE(Longs, sum), above = error > zero, below = error<zero, positive = sum> zero;
    // One towards the error where the sum is even. A NaN error means a sum that is infinite or NaN, which stays as it
    // is.
    const Longs inexact = above | below, even = (bits & 1) - 1, away = ~(above ^ positive);
    return NI_LIKE(Doubles, bits + (((away & 2) - 1) & inexact & even));
}
NI_CALL Floats fused(Floats a, Floats b, Floats c) {
    return join(fused(low_of(a), low_of(b), low_of(c)), fused(high_of(a), high_of(b), high_of(c)));
}

NI_INLINE F32 f32_set(float a) {
    const Floats v = {a, a, a, a};
    return {v, v, v, v};
}
NI_INLINE F32 f32_zero() { return f32_set(0.0F); }
NI_INLINE F32 f32_load(const float* p) {
    F32 r;
    __builtin_memcpy(&r, p, sizeof r);
    return r;
}
NI_INLINE F32 f32_load_first(const float* p, int n) {
    float lanes[ni::kF32Lanes] = {};
    for (int i = 0; i < n; ++i) lanes[i] = p[i];
    return f32_load(lanes);
}
NI_INLINE void f32_store(float* p, const F32& v) { __builtin_memcpy(p, &v, sizeof v); }
NI_INLINE void f32_store_first(float* p, const F32& v, int n) {
    float lanes[ni::kF32Lanes];
    f32_store(lanes, v);
    for (int i = 0; i < n; ++i) p[i] = lanes[i];
}
NI_INLINE void f32_stream(float* p, const F32& v) { f32_store(p, v); }

/// The lanes from `first` on that are among the first n.
NI_INLINE Ints kept(int first, int n) {
    const Ints lanes = {first, first + 1, first + 2, first + 3};
    return lanes < n;
}
NI_INLINE Floats keep(Floats v, Ints lanes) { return NI_LIKE(Floats, NI_LIKE(Ints, v) & lanes); }
NI_INLINE F32 f32_keep_first(const F32& v, int n) {
    return {keep(v.a, kept(0, n)), keep(v.b, kept(4, n)), keep(v.c, kept(8, n)), keep(v.d, kept(12, n))};
}
NI_INLINE F32 f32_add(const F32& x, const F32& y) { return {x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d}; }
NI_INLINE F32 f32_sub(const F32& x, const F32& y) { return {x.a - y.a, x.b - y.b, x.c - y.c, x.d - y.d}; }
NI_INLINE F32 f32_mul(const F32& x, const F32& y) { return {x.a * y.a, x.b * y.b, x.c * y.c, x.d * y.d}; }
NI_INLINE F32 f32_div(const F32& x, const F32& y) { return {x.a / y.a, x.b / y.b, x.c / y.c, x.d / y.d}; }
NI_INLINE F32 f32_fma(const F32& x, const F32& y, const F32& z) {
    return {fused(x.a, y.a, z.a), fused(x.b, y.b, z.b), fused(x.c, y.c, z.c), fused(x.d, y.d, z.d)};
}
NI_INLINE F64 f32_low(const F32& v) { return {low_of(v.a), high_of(v.a), low_of(v.b), high_of(v.b)}; }
NI_INLINE F64 f32_high(const F32& v) { return {low_of(v.c), high_of(v.c), low_of(v.d), high_of(v.d)}; }
NI_INLINE F32 f32_join(const F64& low, const F64& high) {
    return {join(low.a, low.b), join(low.c, low.d), join(high.a, high.b), join(high.c, high.d)};
}
/// A bit for each lane whose mask is set.
NI_INLINE uint32_t bits_of(Ints a, Ints b, Ints c, Ints d) {
    const Ints all = (a & Ints{1, 2, 4, 8}) | (b & Ints{16, 32, 64, 128}) | (c & Ints{256, 512, 1024, 2048}) |
                     (d & Ints{4096, 8192, 16384, 32768});
    return static_cast<uint32_t>(all[0] | all[1] | all[2] | all[3]);
}
NI_INLINE uint32_t f32_at_least(const F32& x, const F32& y) {
    return bits_of(x.a >= y.a, x.b >= y.b, x.c >= y.c, x.d >= y.d);
}
NI_INLINE Floats abs_of(Floats v) { return NI_LIKE(Floats, NI_LIKE(Ints, v) & 0x7FFFFFFF); }
NI_INLINE F32 f32_abs(const F32& v) { return {abs_of(v.a), abs_of(v.b), abs_of(v.c), abs_of(v.d)}; }
NI_INLINE Ints within(Floats v, Floats least) {
    const Floats size = abs_of(v);
    return (size >= least) & (size < __builtin_inff());
}
NI_INLINE uint32_t f32_within(const F32& v, const F32& least) {
    return bits_of(within(v.a, least.a), within(v.b, least.b), within(v.c, least.c), within(v.d, least.d));
}
NI_INLINE Floats choose(Ints mask, Floats x, Floats y) {
    return NI_LIKE(Floats, (NI_LIKE(Ints, x) & mask) | (NI_LIKE(Ints, y) & ~mask));
}
NI_INLINE Floats choose(uint32_t bits, int32_t first, Floats x, Floats y) {
    const Ints one = {first, 2 * first, 4 * first, 8 * first};
    return choose((static_cast<int32_t>(bits) & one) == one, x, y);
}
NI_INLINE F32 f32_select(uint32_t bits, const F32& x, const F32& y) {
    return {choose(bits, 1, x.a, y.a), choose(bits, 16, x.b, y.b), choose(bits, 256, x.c, y.c),
            choose(bits, 4096, x.d, y.d)};
}
NI_INLINE F32 f32_if_at_least(const F32& a, const F32& b, const F32& x, const F32& y) {
    return {choose(a.a >= b.a, x.a, y.a), choose(a.b >= b.b, x.b, y.b), choose(a.c >= b.c, x.c, y.c),
            choose(a.d >= b.d, x.d, y.d)};
}
NI_INLINE Floats power_of_two(Floats n) { return NI_LIKE(Floats, (NI_LIKE(Words, n + ni::kF32Integer) + 127U) << 23); }
NI_INLINE F32 f32_power_of_two(const F32& n) {
    return {power_of_two(n.a), power_of_two(n.b), power_of_two(n.c), power_of_two(n.d)};
}

NI_INLINE F64 f64_set(double a) {
    const Doubles v = {a, a};
    return {v, v, v, v};
}
NI_INLINE F64 f64_zero() { return f64_set(0.0); }
NI_INLINE F64 f64_load(const double* p) {
    F64 r;
    __builtin_memcpy(&r, p, sizeof r);
    return r;
}
NI_INLINE void f64_store(double* p, const F64& v) { __builtin_memcpy(p, &v, sizeof v); }
NI_INLINE F64 f64_load_first(const double* p, int n) {
    double lanes[ni::kF64Lanes] = {};
    for (int i = 0; i < n; ++i) lanes[i] = p[i];
    return f64_load(lanes);
}
NI_INLINE void f64_store_first(double* p, const F64& v, int n) {
    double lanes[ni::kF64Lanes];
    f64_store(lanes, v);
    for (int i = 0; i < n; ++i) p[i] = lanes[i];
}
NI_INLINE void f64_stream(double* p, const F64& v) { f64_store(p, v); }
NI_INLINE Doubles keep(Doubles v, Longs lanes) { return NI_LIKE(Doubles, NI_LIKE(Longs, v) & lanes); }
NI_INLINE Longs kept_wide(int64_t first, int64_t n) {
    const Longs lanes = {first, first + 1};
    return lanes < n;
}
NI_INLINE F64 f64_keep_first(const F64& v, int n) {
    return {keep(v.a, kept_wide(0, n)), keep(v.b, kept_wide(2, n)), keep(v.c, kept_wide(4, n)),
            keep(v.d, kept_wide(6, n))};
}
NI_INLINE F64 f64_add(const F64& x, const F64& y) { return {x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d}; }
NI_INLINE F64 f64_sub(const F64& x, const F64& y) { return {x.a - y.a, x.b - y.b, x.c - y.c, x.d - y.d}; }
NI_INLINE F64 f64_mul(const F64& x, const F64& y) { return {x.a * y.a, x.b * y.b, x.c * y.c, x.d * y.d}; }
NI_INLINE F64 f64_div(const F64& x, const F64& y) { return {x.a / y.a, x.b / y.b, x.c / y.c, x.d / y.d}; }
NI_INLINE double f64_reduce_add(const F64& v) {
    const Doubles two = (v.a + v.c) + (v.b + v.d);
    return two[0] + two[1];
}
/// A bit for each lane whose mask is set.
NI_INLINE uint32_t bits_of(Longs a, Longs b, Longs c, Longs d) {
    const Longs both = (a & Longs{1, 2}) | (b & Longs{4, 8}) | (c & Longs{16, 32}) | (d & Longs{64, 128});
    return static_cast<uint32_t>(both[0] | both[1]);
}
NI_INLINE uint32_t f64_at_least(const F64& x, const F64& y) {
    return bits_of(x.a >= y.a, x.b >= y.b, x.c >= y.c, x.d >= y.d);
}
NI_INLINE uint32_t f64_equal(const F64& x, const F64& y) {
    return bits_of(x.a == y.a, x.b == y.b, x.c == y.c, x.d == y.d);
}
NI_INLINE Doubles choose(Longs mask, Doubles x, Doubles y) {
    return NI_LIKE(Doubles, (NI_LIKE(Longs, x) & mask) | (NI_LIKE(Longs, y) & ~mask));
}
NI_INLINE Doubles choose(int64_t bits, int64_t first, Doubles x, Doubles y) {
    const Longs one = {first, 2 * first};
    return choose((bits & one) == one, x, y);
}
NI_INLINE F64 f64_select(uint32_t bits, const F64& x, const F64& y) {
    return {choose(bits, 1, x.a, y.a), choose(bits, 4, x.b, y.b), choose(bits, 16, x.c, y.c),
            choose(bits, 64, x.d, y.d)};
}
NI_INLINE F64 f64_if_at_least(const F64& a, const F64& b, const F64& x, const F64& y) {
    return {choose(a.a >= b.a, x.a, y.a), choose(a.b >= b.b, x.b, y.b), choose(a.c >= b.c, x.c, y.c),
            choose(a.d >= b.d, x.d, y.d)};
}
NI_INLINE Doubles power_of_two(Doubles n) {
    return NI_LIKE(Doubles, (NI_LIKE(LongWords, n + ni::kF64Integer) + 1023U) << 52);
}
NI_INLINE F64 f64_power_of_two(const F64& n) {
    return {power_of_two(n.a), power_of_two(n.b), power_of_two(n.c), power_of_two(n.d)};
}

NI_INLINE U16 u16_load(const uint16_t* p) {
    U16 r;
    __builtin_memcpy(&r, p, sizeof r);
    return r;
}
NI_INLINE void u16_store(uint16_t* p, const U16& v) { __builtin_memcpy(p, &v, sizeof v); }
NI_INLINE U16 u16_load_first(const uint16_t* p, int n) {
    uint16_t lanes[ni::kF32Lanes] = {};
    for (int i = 0; i < n; ++i) lanes[i] = p[i];
    return u16_load(lanes);
}
NI_INLINE void u16_store_first(uint16_t* p, const U16& v, int n) {
    uint16_t lanes[ni::kF32Lanes];
    u16_store(lanes, v);
    for (int i = 0; i < n; ++i) p[i] = lanes[i];
}
NI_INLINE void u16_stream(uint16_t* p, const U16& v) { u16_store(p, v); }

/// x where the mask is set, else y.
NI_INLINE Words choose(Ints mask, Words x, Words y) { return (NI_LIKE(Words, mask) & x) | (~NI_LIKE(Words, mask) & y); }

/// Exponent and mantissa, moved to where a float has them, are off by the difference of the biases, 112: a product with
/// 2^112 sets that right, for denormals too.
NI_CALL Floats floats_of_halves(Shorts v) {
    const Words bits = __builtin_convertvector(v, Words);
    const Words magnitude = (bits & 0x7FFFU) << 13, sign = (bits & 0x8000U) << 16;
    const Words scaled = NI_LIKE(Words, NI_LIKE(Floats, magnitude) * 0x1p112F);
    return NI_LIKE(Floats, sign | choose(magnitude < 0x0F800000U, scaled, magnitude | 0x7F800000U));
}
NI_CALL Shorts halves_of(Floats v) {
    const Words bits = NI_LIKE(Words, v), magnitude = bits & 0x7FFFFFFFU, sign = bits >> 16 & 0x8000U;
    Words half = (magnitude + 0xFFFU + (magnitude >> 13 & 1U) - 0x38000000U) >> 13;
    // Below 2^-14 a half is a multiple of 2^-24, which is the distance between floats from 0.5 to 1.
    const Words small = NI_LIKE(Words, NI_LIKE(Floats, magnitude) + 0.5F) - 0x3F000000U;
    half = choose(magnitude < 0x38800000U, small, half);
    half = choose(magnitude >= 0x47800000U, Words{} + 0x7C00U, half);
    half = choose(magnitude > 0x7F800000U, 0x7E00U | (magnitude >> 13 & 0x3FFU), half);
    return __builtin_convertvector(sign | half, Shorts);
}
NI_INLINE Floats floats_of_bfloats(Shorts v) { return NI_LIKE(Floats, __builtin_convertvector(v, Words) << 16); }
NI_CALL Shorts bfloats_of(Floats v) {
    const Words bits = NI_LIKE(Words, v), rounded = (bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16;
    return __builtin_convertvector(choose((bits & 0x7FFFFFFFU) > 0x7F800000U, bits >> 16 | 0x40U, rounded), Shorts);
}

NI_INLINE F32 f32_from_half(const U16& v) {
    return {floats_of_halves(v.a), floats_of_halves(v.b), floats_of_halves(v.c), floats_of_halves(v.d)};
}
NI_INLINE U16 half_from_f32(const F32& v) { return {halves_of(v.a), halves_of(v.b), halves_of(v.c), halves_of(v.d)}; }
NI_INLINE F32 f32_from_bfloat16(const U16& v) {
    return {floats_of_bfloats(v.a), floats_of_bfloats(v.b), floats_of_bfloats(v.c), floats_of_bfloats(v.d)};
}
NI_INLINE U16 bfloat16_from_f32(const F32& v) {
    return {bfloats_of(v.a), bfloats_of(v.b), bfloats_of(v.c), bfloats_of(v.d)};
}
NI_INLINE U16 bfloat16_from_upper(const F32& v) { return bfloat16_from_f32(v); }

#undef NI_LIKE
#undef NI_CALL

}  // namespace
