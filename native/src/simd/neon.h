// The vector contract (contract.h) on AArch64 with Advanced SIMD (NEON), which every such CPU has: four registers for
// each virtual vector of floats or doubles, two for one of 16 bits. Only what ARMv8.0 has: the bfloat16 instructions of
// later ones would have to be looked for, and a shift and an addition are as good.
#pragma once

#include <arm_neon.h>

#include "simd/contract.h"

namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "lanes are numbered as they lie in memory");

/// Lanes 0..3, 4..7, 8..11 and 12..15.
struct F32 {
    float32x4_t a, b, c, d;
};
/// Lanes 0..1, 2..3, 4..5 and 6..7.
struct F64 {
    float64x2_t a, b, c, d;
};
/// Lanes 0..7 and 8..15.
struct U16 {
    uint16x8_t a, b;
};

// A part of a vector, of which the first n lanes count: n may be below 0, which counts as 0, or above their number.
// There are no masked loads and stores, and so the lanes of a part go one or two at a time, by the bits of n.

NI_INLINE float32x4_t load_part(const float* p, int n) {
    if (n >= 4) return vld1q_f32(p);
    float32x2_t low = vdup_n_f32(0.0F), high = low;
    if (n == 3) high = vld1_lane_f32(p + 2, high, 0);
    if (n >= 2) {
        low = vld1_f32(p);
    } else if (n == 1) {
        low = vld1_lane_f32(p, low, 0);
    }
    return vcombine_f32(low, high);
}
NI_INLINE void store_part(float* p, float32x4_t v, int n) {
    if (n >= 4) return vst1q_f32(p, v);
    if (n == 3) vst1q_lane_f32(p + 2, v, 2);
    if (n >= 2) {
        vst1_f32(p, vget_low_f32(v));
    } else if (n == 1) {
        vst1q_lane_f32(p, v, 0);
    }
}
NI_INLINE float32x4_t keep_part(float32x4_t v, int n) {
    const int32x4_t lanes = {0, 1, 2, 3};
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(v), vcltq_s32(lanes, vdupq_n_s32(n))));
}
NI_INLINE float64x2_t load_part(const double* p, int n) {
    if (n >= 2) return vld1q_f64(p);
    return n == 1 ? vcombine_f64(vld1_f64(p), vdup_n_f64(0.0)) : vdupq_n_f64(0.0);
}
NI_INLINE void store_part(double* p, float64x2_t v, int n) {
    if (n >= 2) return vst1q_f64(p, v);
    if (n == 1) vst1q_lane_f64(p, v, 0);
}
NI_INLINE float64x2_t keep_part(float64x2_t v, int n) {
    const int64x2_t lanes = {0, 1};
    return vreinterpretq_f64_u64(vandq_u64(vreinterpretq_u64_f64(v), vcltq_s64(lanes, vdupq_n_s64(n))));
}
NI_INLINE uint16x4_t load_part(const uint16_t* p, int n) {
    if (n >= 4) return vld1_u16(p);
    uint64_t lanes = 0;
    if (n == 3) lanes = static_cast<uint64_t>(p[2]) << 32;
    if (n >= 2) lanes |= static_cast<uint64_t>(p[1]) << 16;
    if (n >= 1) lanes |= p[0];
    return vcreate_u16(lanes);
}
NI_INLINE void store_part(uint16_t* p, uint16x4_t v, int n) {
    if (n >= 4) return vst1_u16(p, v);
    if (n == 3) vst1_lane_u16(p + 2, v, 2);
    if (n >= 2) vst1_lane_u16(p + 1, v, 1);
    if (n >= 1) vst1_lane_u16(p, v, 0);
}

NI_INLINE F32 f32_set(float a) {
    const float32x4_t v = vdupq_n_f32(a);
    return {v, v, v, v};
}
NI_INLINE F32 f32_zero() { return f32_set(0.0F); }
NI_INLINE F32 f32_load(const float* p) { return {vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)}; }
NI_INLINE F32 f32_load_first(const float* p, int n) {
    return {load_part(p, n), load_part(p + 4, n - 4), load_part(p + 8, n - 8), load_part(p + 12, n - 12)};
}
NI_INLINE void f32_store(float* p, F32 v) {
    vst1q_f32(p, v.a);
    vst1q_f32(p + 4, v.b);
    vst1q_f32(p + 8, v.c);
    vst1q_f32(p + 12, v.d);
}
NI_INLINE void f32_store_first(float* p, F32 v, int n) {
    store_part(p, v.a, n);
    store_part(p + 4, v.b, n - 4);
    store_part(p + 8, v.c, n - 8);
    store_part(p + 12, v.d, n - 12);
}
// A plain store, here and below. The store of a pair that is marked as non-temporal (STNP) is no more than a hint,
// which many cores ignore; and cores notice by themselves when whole cache lines are written one after another, and
// then stop to fetch them first.
NI_INLINE void f32_stream(float* p, F32 v) { f32_store(p, v); }
NI_INLINE F32 f32_keep_first(F32 v, int n) {
    return {keep_part(v.a, n), keep_part(v.b, n - 4), keep_part(v.c, n - 8), keep_part(v.d, n - 12)};
}
NI_INLINE F32 f32_add(F32 x, F32 y) {
    return {vaddq_f32(x.a, y.a), vaddq_f32(x.b, y.b), vaddq_f32(x.c, y.c), vaddq_f32(x.d, y.d)};
}
NI_INLINE F32 f32_sub(F32 x, F32 y) {
    return {vsubq_f32(x.a, y.a), vsubq_f32(x.b, y.b), vsubq_f32(x.c, y.c), vsubq_f32(x.d, y.d)};
}
NI_INLINE F32 f32_mul(F32 x, F32 y) {
    return {vmulq_f32(x.a, y.a), vmulq_f32(x.b, y.b), vmulq_f32(x.c, y.c), vmulq_f32(x.d, y.d)};
}
NI_INLINE F32 f32_div(F32 x, F32 y) {
    return {vdivq_f32(x.a, y.a), vdivq_f32(x.b, y.b), vdivq_f32(x.c, y.c), vdivq_f32(x.d, y.d)};
}
NI_INLINE F32 f32_fma(F32 x, F32 y, F32 z) {
    // The instruction has the addend first.
    return {vfmaq_f32(z.a, x.a, y.a), vfmaq_f32(z.b, x.b, y.b), vfmaq_f32(z.c, x.c, y.c), vfmaq_f32(z.d, x.d, y.d)};
}
NI_INLINE float64x2_t widen_low(float32x4_t v) { return vcvt_f64_f32(vget_low_f32(v)); }
NI_INLINE F64 f32_low(F32 v) {
    return {widen_low(v.a), vcvt_high_f64_f32(v.a), widen_low(v.b), vcvt_high_f64_f32(v.b)};
}
NI_INLINE F64 f32_high(F32 v) {
    return {widen_low(v.c), vcvt_high_f64_f32(v.c), widen_low(v.d), vcvt_high_f64_f32(v.d)};
}
NI_INLINE float32x4_t join(float64x2_t low, float64x2_t high) { return vcvt_high_f32_f64(vcvt_f32_f64(low), high); }
NI_INLINE F32 f32_join(F64 low, F64 high) {
    return {join(low.a, low.b), join(low.c, low.d), join(high.a, high.b), join(high.c, high.d)};
}
/// A bit for each lane whose mask is set.
NI_INLINE uint32_t bits_of(uint32x4_t a, uint32x4_t b, uint32x4_t c, uint32x4_t d) {
    const uint32x4_t low = vorrq_u32(vandq_u32(a, uint32x4_t{1, 2, 4, 8}), vandq_u32(b, uint32x4_t{16, 32, 64, 128}));
    const uint32x4_t high =
        vorrq_u32(vandq_u32(c, uint32x4_t{256, 512, 1024, 2048}), vandq_u32(d, uint32x4_t{4096, 8192, 16384, 32768}));
    return vaddvq_u32(vorrq_u32(low, high));
}
NI_INLINE uint32_t f32_at_least(F32 x, F32 y) {
    return bits_of(vcgeq_f32(x.a, y.a), vcgeq_f32(x.b, y.b), vcgeq_f32(x.c, y.c), vcgeq_f32(x.d, y.d));
}
NI_INLINE F32 f32_abs(F32 v) { return {vabsq_f32(v.a), vabsq_f32(v.b), vabsq_f32(v.c), vabsq_f32(v.d)}; }
NI_INLINE uint32x4_t within(float32x4_t v, float32x4_t least) {
    const float32x4_t size = vabsq_f32(v);
    return vandq_u32(vcgeq_f32(size, least), vcltq_f32(size, vdupq_n_f32(__builtin_inff())));
}
NI_INLINE uint32_t f32_within(F32 v, F32 least) {
    return bits_of(within(v.a, least.a), within(v.b, least.b), within(v.c, least.c), within(v.d, least.d));
}
NI_INLINE float32x4_t choose(uint32_t bits, uint32x4_t lanes, float32x4_t x, float32x4_t y) {
    return vbslq_f32(vtstq_u32(vdupq_n_u32(bits), lanes), x, y);
}
NI_INLINE F32 f32_select(uint32_t bits, F32 x, F32 y) {
    return {choose(bits, uint32x4_t{1, 2, 4, 8}, x.a, y.a), choose(bits, uint32x4_t{16, 32, 64, 128}, x.b, y.b),
            choose(bits, uint32x4_t{256, 512, 1024, 2048}, x.c, y.c),
            choose(bits, uint32x4_t{4096, 8192, 16384, 32768}, x.d, y.d)};
}
NI_INLINE F32 f32_if_at_least(F32 a, F32 b, F32 x, F32 y) {
    return {vbslq_f32(vcgeq_f32(a.a, b.a), x.a, y.a), vbslq_f32(vcgeq_f32(a.b, b.b), x.b, y.b),
            vbslq_f32(vcgeq_f32(a.c, b.c), x.c, y.c), vbslq_f32(vcgeq_f32(a.d, b.d), x.d, y.d)};
}
NI_INLINE float32x4_t power_of_two(float32x4_t n) {
    const uint32x4_t bits = vreinterpretq_u32_f32(vaddq_f32(n, vdupq_n_f32(ni::kF32Integer)));
    return vreinterpretq_f32_u32(vshlq_n_u32(vaddq_u32(bits, vdupq_n_u32(127)), 23));
}
NI_INLINE F32 f32_power_of_two(F32 n) {
    return {power_of_two(n.a), power_of_two(n.b), power_of_two(n.c), power_of_two(n.d)};
}

NI_INLINE F64 f64_set(double a) {
    const float64x2_t v = vdupq_n_f64(a);
    return {v, v, v, v};
}
NI_INLINE F64 f64_zero() { return f64_set(0.0); }
NI_INLINE F64 f64_load(const double* p) { return {vld1q_f64(p), vld1q_f64(p + 2), vld1q_f64(p + 4), vld1q_f64(p + 6)}; }
NI_INLINE void f64_store(double* p, F64 v) {
    vst1q_f64(p, v.a);
    vst1q_f64(p + 2, v.b);
    vst1q_f64(p + 4, v.c);
    vst1q_f64(p + 6, v.d);
}
NI_INLINE F64 f64_load_first(const double* p, int n) {
    return {load_part(p, n), load_part(p + 2, n - 2), load_part(p + 4, n - 4), load_part(p + 6, n - 6)};
}
NI_INLINE void f64_store_first(double* p, F64 v, int n) {
    store_part(p, v.a, n);
    store_part(p + 2, v.b, n - 2);
    store_part(p + 4, v.c, n - 4);
    store_part(p + 6, v.d, n - 6);
}
NI_INLINE void f64_stream(double* p, F64 v) { f64_store(p, v); }
NI_INLINE F64 f64_keep_first(F64 v, int n) {
    return {keep_part(v.a, n), keep_part(v.b, n - 2), keep_part(v.c, n - 4), keep_part(v.d, n - 6)};
}
NI_INLINE F64 f64_add(F64 x, F64 y) {
    return {vaddq_f64(x.a, y.a), vaddq_f64(x.b, y.b), vaddq_f64(x.c, y.c), vaddq_f64(x.d, y.d)};
}
NI_INLINE F64 f64_sub(F64 x, F64 y) {
    return {vsubq_f64(x.a, y.a), vsubq_f64(x.b, y.b), vsubq_f64(x.c, y.c), vsubq_f64(x.d, y.d)};
}
NI_INLINE F64 f64_mul(F64 x, F64 y) {
    return {vmulq_f64(x.a, y.a), vmulq_f64(x.b, y.b), vmulq_f64(x.c, y.c), vmulq_f64(x.d, y.d)};
}
NI_INLINE F64 f64_div(F64 x, F64 y) {
    return {vdivq_f64(x.a, y.a), vdivq_f64(x.b, y.b), vdivq_f64(x.c, y.c), vdivq_f64(x.d, y.d)};
}
NI_INLINE double f64_reduce_add(F64 v) { return vaddvq_f64(vaddq_f64(vaddq_f64(v.a, v.c), vaddq_f64(v.b, v.d))); }
/// A bit for each lane whose mask is set.
NI_INLINE uint32_t bits_of(uint64x2_t a, uint64x2_t b, uint64x2_t c, uint64x2_t d) {
    const uint64x2_t low = vorrq_u64(vandq_u64(a, uint64x2_t{1, 2}), vandq_u64(b, uint64x2_t{4, 8}));
    const uint64x2_t high = vorrq_u64(vandq_u64(c, uint64x2_t{16, 32}), vandq_u64(d, uint64x2_t{64, 128}));
    return static_cast<uint32_t>(vaddvq_u64(vorrq_u64(low, high)));
}
NI_INLINE uint32_t f64_at_least(F64 x, F64 y) {
    return bits_of(vcgeq_f64(x.a, y.a), vcgeq_f64(x.b, y.b), vcgeq_f64(x.c, y.c), vcgeq_f64(x.d, y.d));
}
NI_INLINE uint32_t f64_equal(F64 x, F64 y) {
    return bits_of(vceqq_f64(x.a, y.a), vceqq_f64(x.b, y.b), vceqq_f64(x.c, y.c), vceqq_f64(x.d, y.d));
}
NI_INLINE float64x2_t choose(uint32_t bits, uint64x2_t lanes, float64x2_t x, float64x2_t y) {
    return vbslq_f64(vtstq_u64(vdupq_n_u64(bits), lanes), x, y);
}
NI_INLINE F64 f64_select(uint32_t bits, F64 x, F64 y) {
    return {choose(bits, uint64x2_t{1, 2}, x.a, y.a), choose(bits, uint64x2_t{4, 8}, x.b, y.b),
            choose(bits, uint64x2_t{16, 32}, x.c, y.c), choose(bits, uint64x2_t{64, 128}, x.d, y.d)};
}
NI_INLINE F64 f64_if_at_least(F64 a, F64 b, F64 x, F64 y) {
    return {vbslq_f64(vcgeq_f64(a.a, b.a), x.a, y.a), vbslq_f64(vcgeq_f64(a.b, b.b), x.b, y.b),
            vbslq_f64(vcgeq_f64(a.c, b.c), x.c, y.c), vbslq_f64(vcgeq_f64(a.d, b.d), x.d, y.d)};
}
NI_INLINE float64x2_t power_of_two(float64x2_t n) {
    const uint64x2_t bits = vreinterpretq_u64_f64(vaddq_f64(n, vdupq_n_f64(ni::kF64Integer)));
    return vreinterpretq_f64_u64(vshlq_n_u64(vaddq_u64(bits, vdupq_n_u64(1023)), 52));
}
NI_INLINE F64 f64_power_of_two(F64 n) {
    return {power_of_two(n.a), power_of_two(n.b), power_of_two(n.c), power_of_two(n.d)};
}

NI_INLINE U16 u16_load(const uint16_t* p) { return {vld1q_u16(p), vld1q_u16(p + 8)}; }
NI_INLINE void u16_store(uint16_t* p, U16 v) {
    vst1q_u16(p, v.a);
    vst1q_u16(p + 8, v.b);
}
NI_INLINE U16 u16_load_first(const uint16_t* p, int n) {
    return {vcombine_u16(load_part(p, n), load_part(p + 4, n - 4)),
            vcombine_u16(load_part(p + 8, n - 8), load_part(p + 12, n - 12))};
}
NI_INLINE void u16_store_first(uint16_t* p, U16 v, int n) {
    store_part(p, vget_low_u16(v.a), n);
    store_part(p + 4, vget_high_u16(v.a), n - 4);
    store_part(p + 8, vget_low_u16(v.b), n - 8);
    store_part(p + 12, vget_high_u16(v.b), n - 12);
}
NI_INLINE void u16_stream(uint16_t* p, U16 v) { u16_store(p, v); }

NI_INLINE float32x4_t floats_of_halves(uint16x4_t v) { return vcvt_f32_f16(vreinterpret_f16_u16(v)); }
NI_INLINE uint16x8_t halves_of(float32x4_t low, float32x4_t high) {
    return vreinterpretq_u16_f16(vcvt_high_f16_f32(vcvt_f16_f32(low), high));
}
NI_INLINE F32 f32_from_half(U16 v) {
    return {floats_of_halves(vget_low_u16(v.a)), floats_of_halves(vget_high_u16(v.a)),
            floats_of_halves(vget_low_u16(v.b)), floats_of_halves(vget_high_u16(v.b))};
}
NI_INLINE U16 half_from_f32(F32 v) { return {halves_of(v.a, v.b), halves_of(v.c, v.d)}; }

NI_INLINE float32x4_t floats_of_bfloats(uint16x4_t v) { return vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(v), 16)); }
NI_INLINE uint32x4_t bfloat16_bits(float32x4_t v) {
    const uint32x4_t bits = vreinterpretq_u32_f32(v), upper = vshrq_n_u32(bits, 16);
    const uint32x4_t half = vaddq_u32(vandq_u32(upper, vdupq_n_u32(1)), vdupq_n_u32(0x7FFF));
    const uint32x4_t rounded = vshrq_n_u32(vaddq_u32(bits, half), 16);
    return vbslq_u32(vceqq_f32(v, v), rounded, vorrq_u32(upper, vdupq_n_u32(0x40)));
}
NI_INLINE uint16x8_t bfloats_of(float32x4_t low, float32x4_t high) {
    return vcombine_u16(vmovn_u32(bfloat16_bits(low)), vmovn_u32(bfloat16_bits(high)));
}
NI_INLINE F32 f32_from_bfloat16(U16 v) {
    return {floats_of_bfloats(vget_low_u16(v.a)), floats_of_bfloats(vget_high_u16(v.a)),
            floats_of_bfloats(vget_low_u16(v.b)), floats_of_bfloats(vget_high_u16(v.b))};
}
NI_INLINE U16 bfloat16_from_f32(F32 v) { return {bfloats_of(v.a, v.b), bfloats_of(v.c, v.d)}; }
NI_INLINE U16 bfloat16_from_upper(F32 v) { return bfloat16_from_f32(v); }

}  // namespace
