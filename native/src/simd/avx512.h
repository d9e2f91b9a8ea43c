// The vector contract (contract.h) on AVX-512 F, BW, DQ and VL: one register for each virtual vector.
#pragma once

#include <immintrin.h>

#include "simd/contract.h"

namespace {

using F32 = __m512;
using F64 = __m512d;
using U16 = __m256i;

NI_INLINE __mmask16 first_lanes(int n) { return static_cast<__mmask16>((1U << n) - 1U); }

NI_INLINE F32 f32_set(float a) { return _mm512_set1_ps(a); }
NI_INLINE F32 f32_zero() { return _mm512_setzero_ps(); }
NI_INLINE F32 f32_load(const float* p) { return _mm512_loadu_ps(p); }
NI_INLINE F32 f32_load_first(const float* p, int n) { return _mm512_maskz_loadu_ps(first_lanes(n), p); }
NI_INLINE void f32_store(float* p, F32 v) { _mm512_storeu_ps(p, v); }
NI_INLINE void f32_store_first(float* p, F32 v, int n) { _mm512_mask_storeu_ps(p, first_lanes(n), v); }
NI_INLINE void f32_stream(float* p, F32 v) { _mm512_stream_ps(p, v); }
NI_INLINE F32 f32_keep_first(F32 v, int n) { return _mm512_maskz_mov_ps(first_lanes(n), v); }
NI_INLINE F32 f32_add(F32 a, F32 b) { return _mm512_add_ps(a, b); }
NI_INLINE F32 f32_sub(F32 a, F32 b) { return _mm512_sub_ps(a, b); }
NI_INLINE F32 f32_mul(F32 a, F32 b) { return _mm512_mul_ps(a, b); }
NI_INLINE F32 f32_div(F32 a, F32 b) { return _mm512_div_ps(a, b); }
NI_INLINE F32 f32_fma(F32 a, F32 b, F32 c) { return _mm512_fmadd_ps(a, b, c); }
NI_INLINE F64 f32_low(F32 v) { return _mm512_cvtps_pd(_mm512_castps512_ps256(v)); }
NI_INLINE F64 f32_high(F32 v) { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1)); }
NI_INLINE F32 f32_join(F64 low, F64 high) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high), 1);
}
NI_INLINE uint32_t f32_at_least(F32 a, F32 b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
NI_INLINE F32 f32_abs(F32 v) { return _mm512_abs_ps(v); }
NI_INLINE uint32_t f32_within(F32 v, F32 least) {
    const F32 size = f32_abs(v);
    const __mmask16 finite = _mm512_cmp_ps_mask(size, _mm512_set1_ps(__builtin_inff()), _CMP_LT_OQ);
    return _mm512_mask_cmp_ps_mask(finite, size, least, _CMP_GE_OQ);
}
NI_INLINE F32 f32_select(uint32_t bits, F32 a, F32 b) {
    return _mm512_mask_blend_ps(static_cast<__mmask16>(bits), b, a);
}
NI_INLINE F32 f32_if_at_least(F32 a, F32 b, F32 x, F32 y) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_GE_OQ), y, x);
}
NI_INLINE F32 f32_power_of_two(F32 n) {
    const __m512i bits = _mm512_castps_si512(_mm512_add_ps(n, _mm512_set1_ps(ni::kF32Integer)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(127)), 23));
}

NI_INLINE F64 f64_set(double a) { return _mm512_set1_pd(a); }
NI_INLINE F64 f64_zero() { return _mm512_setzero_pd(); }
NI_INLINE F64 f64_load(const double* p) { return _mm512_loadu_pd(p); }
NI_INLINE void f64_store(double* p, F64 v) { _mm512_storeu_pd(p, v); }
NI_INLINE __mmask8 first_wide_lanes(int n) { return static_cast<__mmask8>((1U << n) - 1U); }
NI_INLINE F64 f64_load_first(const double* p, int n) { return _mm512_maskz_loadu_pd(first_wide_lanes(n), p); }
NI_INLINE void f64_store_first(double* p, F64 v, int n) { _mm512_mask_storeu_pd(p, first_wide_lanes(n), v); }
NI_INLINE void f64_stream(double* p, F64 v) { _mm512_stream_pd(p, v); }
NI_INLINE F64 f64_keep_first(F64 v, int n) { return _mm512_maskz_mov_pd(first_wide_lanes(n), v); }
NI_INLINE F64 f64_add(F64 a, F64 b) { return _mm512_add_pd(a, b); }
NI_INLINE F64 f64_sub(F64 a, F64 b) { return _mm512_sub_pd(a, b); }
NI_INLINE F64 f64_mul(F64 a, F64 b) { return _mm512_mul_pd(a, b); }
NI_INLINE F64 f64_div(F64 a, F64 b) { return _mm512_div_pd(a, b); }
NI_INLINE double f64_reduce_add(F64 v) {
    const __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(v), _mm512_extractf64x4_pd(v, 1));
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}
NI_INLINE uint32_t f64_at_least(F64 a, F64 b) { return _mm512_cmp_pd_mask(a, b, _CMP_GE_OQ); }
NI_INLINE uint32_t f64_equal(F64 a, F64 b) { return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ); }
NI_INLINE F64 f64_select(uint32_t bits, F64 a, F64 b) {
    return _mm512_mask_blend_pd(static_cast<__mmask8>(bits), b, a);
}
NI_INLINE F64 f64_if_at_least(F64 a, F64 b, F64 x, F64 y) {
    return _mm512_mask_blend_pd(_mm512_cmp_pd_mask(a, b, _CMP_GE_OQ), y, x);
}
NI_INLINE F64 f64_power_of_two(F64 n) {
    const __m512i bits = _mm512_castpd_si512(_mm512_add_pd(n, _mm512_set1_pd(ni::kF64Integer)));
    return _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_add_epi64(bits, _mm512_set1_epi64(1023)), 52));
}

NI_INLINE U16 u16_load(const uint16_t* p) { return _mm256_loadu_epi16(p); }
NI_INLINE U16 u16_load_first(const uint16_t* p, int n) { return _mm256_maskz_loadu_epi16(first_lanes(n), p); }
NI_INLINE void u16_store(uint16_t* p, U16 v) { _mm256_storeu_epi16(p, v); }
NI_INLINE void u16_store_first(uint16_t* p, U16 v, int n) { _mm256_mask_storeu_epi16(p, first_lanes(n), v); }
NI_INLINE void u16_stream(uint16_t* p, U16 v) { _mm256_stream_si256(reinterpret_cast<__m256i*>(p), v); }

NI_INLINE F32 f32_from_half(U16 v) { return _mm512_cvtph_ps(v); }
NI_INLINE U16 half_from_f32(F32 v) { return _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
NI_INLINE F32 f32_from_bfloat16(U16 v) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(v), 16)); }
/// By shifts: the instruction of AVX-512 BF16 takes denormals for zero, and so would not give everyone's bits.
NI_INLINE U16 bfloat16_from_f32(F32 v) {
    const __m512i bits = _mm512_castps_si512(v), upper = _mm512_srli_epi32(bits, 16);
    const __m512i even = _mm512_and_si512(upper, _mm512_set1_epi32(1));
    const __m512i half = _mm512_add_epi32(even, _mm512_set1_epi32(0x7FFF));
    const __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(bits, half), 16);
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    return _mm512_cvtepi32_epi16(_mm512_mask_or_epi32(rounded, nan, upper, _mm512_set1_epi32(0x40)));
}
NI_INLINE U16 bfloat16_from_upper(F32 v) {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i even = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i sum = _mm512_add_epi32(bits, _mm512_add_epi32(even, _mm512_set1_epi32(0x7FFF)));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(sum, 16));
}

}  // namespace
