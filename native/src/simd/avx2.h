// The vector contract (contract.h) on AVX2 and FMA: two registers for each virtual vector.
#pragma once

#include <immintrin.h>

#include "simd/contract.h"

namespace {

struct F32 {
    __m256 low, high;
};
struct F64 {
    __m256d low, high;
};
using U16 = __m256i;

/// All bits set in the first n of 8 lanes; n below 0 counts as 0, above 8 as 8.
NI_INLINE __m256i first_lanes(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
/// All bits set in the lanes whose bit is set, of 8.
NI_INLINE __m256 lanes_of_eight(uint32_t bits) {
    const __m256i one = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    return _mm256_castsi256_ps(
        _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits)), one), one));
}
/// Likewise, of 4.
NI_INLINE __m256d lanes_of(uint32_t bits) {
    const __m256i one = _mm256_setr_epi64x(1, 2, 4, 8);
    return _mm256_castsi256_pd(_mm256_cmpeq_epi64(_mm256_and_si256(_mm256_set1_epi64x(bits), one), one));
}

NI_INLINE F32 f32_set(float a) { return {_mm256_set1_ps(a), _mm256_set1_ps(a)}; }
NI_INLINE F32 f32_zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
NI_INLINE F32 f32_load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
// A masked-out lane is not read or written, so it cannot fault.
NI_INLINE F32 f32_load_first(const float* p, int n) {
    return {_mm256_maskload_ps(p, first_lanes(n)), _mm256_maskload_ps(p + 8, first_lanes(n - 8))};
}
NI_INLINE void f32_store(float* p, F32 v) {
    _mm256_storeu_ps(p, v.low);
    _mm256_storeu_ps(p + 8, v.high);
}
NI_INLINE void f32_store_first(float* p, F32 v, int n) {
    _mm256_maskstore_ps(p, first_lanes(n), v.low);
    _mm256_maskstore_ps(p + 8, first_lanes(n - 8), v.high);
}
NI_INLINE void f32_stream(float* p, F32 v) {
    _mm256_stream_ps(p, v.low);
    _mm256_stream_ps(p + 8, v.high);
}
NI_INLINE F32 f32_keep_first(F32 v, int n) {
    return {_mm256_and_ps(v.low, _mm256_castsi256_ps(first_lanes(n))),
            _mm256_and_ps(v.high, _mm256_castsi256_ps(first_lanes(n - 8)))};
}
NI_INLINE F32 f32_add(F32 a, F32 b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
NI_INLINE F32 f32_sub(F32 a, F32 b) { return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)}; }
NI_INLINE F32 f32_mul(F32 a, F32 b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
NI_INLINE F32 f32_div(F32 a, F32 b) { return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)}; }
NI_INLINE F32 f32_fma(F32 a, F32 b, F32 c) {
    return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
NI_INLINE F64 widen(__m256 v) {
    return {_mm256_cvtps_pd(_mm256_castps256_ps128(v)), _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1))};
}
NI_INLINE F64 f32_low(F32 v) { return widen(v.low); }
NI_INLINE F64 f32_high(F32 v) { return widen(v.high); }
NI_INLINE F32 f32_join(F64 low, F64 high) {
    return {_mm256_set_m128(_mm256_cvtpd_ps(low.high), _mm256_cvtpd_ps(low.low)),
            _mm256_set_m128(_mm256_cvtpd_ps(high.high), _mm256_cvtpd_ps(high.low))};
}
NI_INLINE uint32_t f32_at_least(F32 a, F32 b) {
    return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a.low, b.low, _CMP_GE_OQ)) |
                                 _mm256_movemask_ps(_mm256_cmp_ps(a.high, b.high, _CMP_GE_OQ)) << 8);
}
NI_INLINE __m256 abs_of(__m256 v) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), v); }
NI_INLINE F32 f32_abs(F32 v) { return {abs_of(v.low), abs_of(v.high)}; }
NI_INLINE uint32_t within(__m256 v, __m256 least) {
    const __m256 size = abs_of(v), infinity = _mm256_set1_ps(__builtin_inff());
    return static_cast<uint32_t>(_mm256_movemask_ps(
        _mm256_and_ps(_mm256_cmp_ps(size, least, _CMP_GE_OQ), _mm256_cmp_ps(size, infinity, _CMP_LT_OQ))));
}
NI_INLINE uint32_t f32_within(F32 v, F32 least) { return within(v.low, least.low) | within(v.high, least.high) << 8; }
NI_INLINE F32 f32_select(uint32_t bits, F32 a, F32 b) {
    return {_mm256_blendv_ps(b.low, a.low, lanes_of_eight(bits & 255U)),
            _mm256_blendv_ps(b.high, a.high, lanes_of_eight(bits >> 8 & 255U))};
}
NI_INLINE F32 f32_if_at_least(F32 a, F32 b, F32 x, F32 y) {
    return {_mm256_blendv_ps(y.low, x.low, _mm256_cmp_ps(a.low, b.low, _CMP_GE_OQ)),
            _mm256_blendv_ps(y.high, x.high, _mm256_cmp_ps(a.high, b.high, _CMP_GE_OQ))};
}
NI_INLINE __m256 power_of_two(__m256 n) {
    const __m256i bits = _mm256_castps_si256(_mm256_add_ps(n, _mm256_set1_ps(ni::kF32Integer)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(127)), 23));
}
NI_INLINE F32 f32_power_of_two(F32 n) { return {power_of_two(n.low), power_of_two(n.high)}; }

NI_INLINE F64 f64_set(double a) { return {_mm256_set1_pd(a), _mm256_set1_pd(a)}; }
NI_INLINE F64 f64_zero() { return {_mm256_setzero_pd(), _mm256_setzero_pd()}; }
NI_INLINE F64 f64_load(const double* p) { return {_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)}; }
NI_INLINE void f64_store(double* p, F64 v) {
    _mm256_storeu_pd(p, v.low);
    _mm256_storeu_pd(p + 4, v.high);
}
NI_INLINE __m256i first_wide_lanes(int n) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}
NI_INLINE F64 f64_load_first(const double* p, int n) {
    return {_mm256_maskload_pd(p, first_wide_lanes(n)), _mm256_maskload_pd(p + 4, first_wide_lanes(n - 4))};
}
NI_INLINE void f64_store_first(double* p, F64 v, int n) {
    _mm256_maskstore_pd(p, first_wide_lanes(n), v.low);
    _mm256_maskstore_pd(p + 4, first_wide_lanes(n - 4), v.high);
}
NI_INLINE void f64_stream(double* p, F64 v) {
    _mm256_stream_pd(p, v.low);
    _mm256_stream_pd(p + 4, v.high);
}
NI_INLINE F64 f64_keep_first(F64 v, int n) {
    return {_mm256_and_pd(v.low, _mm256_castsi256_pd(first_wide_lanes(n))),
            _mm256_and_pd(v.high, _mm256_castsi256_pd(first_wide_lanes(n - 4)))};
}
NI_INLINE F64 f64_add(F64 a, F64 b) { return {_mm256_add_pd(a.low, b.low), _mm256_add_pd(a.high, b.high)}; }
NI_INLINE F64 f64_sub(F64 a, F64 b) { return {_mm256_sub_pd(a.low, b.low), _mm256_sub_pd(a.high, b.high)}; }
NI_INLINE F64 f64_mul(F64 a, F64 b) { return {_mm256_mul_pd(a.low, b.low), _mm256_mul_pd(a.high, b.high)}; }
NI_INLINE F64 f64_div(F64 a, F64 b) { return {_mm256_div_pd(a.low, b.low), _mm256_div_pd(a.high, b.high)}; }
NI_INLINE double f64_reduce_add(F64 v) {
    const __m256d four = _mm256_add_pd(v.low, v.high);
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}
NI_INLINE uint32_t f64_at_least(F64 a, F64 b) {
    return static_cast<uint32_t>(_mm256_movemask_pd(_mm256_cmp_pd(a.low, b.low, _CMP_GE_OQ)) |
                                 _mm256_movemask_pd(_mm256_cmp_pd(a.high, b.high, _CMP_GE_OQ)) << 4);
}
NI_INLINE uint32_t f64_equal(F64 a, F64 b) {
    return static_cast<uint32_t>(_mm256_movemask_pd(_mm256_cmp_pd(a.low, b.low, _CMP_EQ_OQ)) |
                                 _mm256_movemask_pd(_mm256_cmp_pd(a.high, b.high, _CMP_EQ_OQ)) << 4);
}
NI_INLINE F64 f64_select(uint32_t bits, F64 a, F64 b) {
    return {_mm256_blendv_pd(b.low, a.low, lanes_of(bits & 15U)),
            _mm256_blendv_pd(b.high, a.high, lanes_of(bits >> 4 & 15U))};
}
NI_INLINE F64 f64_if_at_least(F64 a, F64 b, F64 x, F64 y) {
    return {_mm256_blendv_pd(y.low, x.low, _mm256_cmp_pd(a.low, b.low, _CMP_GE_OQ)),
            _mm256_blendv_pd(y.high, x.high, _mm256_cmp_pd(a.high, b.high, _CMP_GE_OQ))};
}
NI_INLINE __m256d power_of_two(__m256d n) {
    const __m256i bits = _mm256_castpd_si256(_mm256_add_pd(n, _mm256_set1_pd(ni::kF64Integer)));
    return _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_add_epi64(bits, _mm256_set1_epi64x(1023)), 52));
}
NI_INLINE F64 f64_power_of_two(F64 n) { return {power_of_two(n.low), power_of_two(n.high)}; }

NI_INLINE U16 u16_load(const uint16_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
NI_INLINE U16 u16_load_first(const uint16_t* p, int n) {
    uint16_t lanes[16] = {};
    for (int i = 0; i < n; ++i) lanes[i] = p[i];
    return u16_load(lanes);
}
NI_INLINE void u16_store(uint16_t* p, U16 v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
NI_INLINE void u16_store_first(uint16_t* p, U16 v, int n) {
    uint16_t lanes[16];
    u16_store(lanes, v);
    for (int i = 0; i < n; ++i) p[i] = lanes[i];
}
NI_INLINE void u16_stream(uint16_t* p, U16 v) { _mm256_stream_si256(reinterpret_cast<__m256i*>(p), v); }

NI_INLINE F32 f32_from_half(U16 v) {
    return {_mm256_cvtph_ps(_mm256_castsi256_si128(v)), _mm256_cvtph_ps(_mm256_extracti128_si256(v, 1))};
}
NI_INLINE U16 half_from_f32(F32 v) {
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    return _mm256_set_m128i(_mm256_cvtps_ph(v.high, kNearest), _mm256_cvtps_ph(v.low, kNearest));
}
NI_INLINE __m256 bfloat16_to_float(__m128i v) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(v), 16));
}
NI_INLINE F32 f32_from_bfloat16(U16 v) {
    return {bfloat16_to_float(_mm256_castsi256_si128(v)), bfloat16_to_float(_mm256_extracti128_si256(v, 1))};
}
NI_INLINE __m256i bfloat16_bits(__m256 v) {
    const __m256i bits = _mm256_castps_si256(v), upper = _mm256_srli_epi32(bits, 16);
    const __m256i even = _mm256_and_si256(upper, _mm256_set1_epi32(1));
    const __m256i half = _mm256_add_epi32(even, _mm256_set1_epi32(0x7FFF));
    const __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, half), 16);
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    return _mm256_blendv_epi8(rounded, _mm256_or_si256(upper, _mm256_set1_epi32(0x40)), nan);
}
NI_INLINE U16 bfloat16_from_f32(F32 v) {
    // The pack works on each half of the registers, which leaves the quarters in the order 0, 2, 1, 3.
    return _mm256_permute4x64_epi64(_mm256_packus_epi32(bfloat16_bits(v.low), bfloat16_bits(v.high)), 0xD8);
}
NI_INLINE __m256i bfloat16_bits_of_upper(__m256 v) {
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i even = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    return _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(even, _mm256_set1_epi32(0x7FFF))), 16);
}
NI_INLINE U16 bfloat16_from_upper(F32 v) {
    return _mm256_permute4x64_epi64(_mm256_packus_epi32(bfloat16_bits_of_upper(v.low), bfloat16_bits_of_upper(v.high)),
                                    0xD8);
}

}  // namespace
