// The vector contract (contract.h) in plain C++: for CPUs without AVX2, and the arithmetic that a reader can check.
#pragma once

#include "simd/contract.h"

namespace {

static_assert(__FLT_EVAL_METHOD__ == 0, "fused() needs every operation rounded to its own type");

struct F32 {
    float lane[ni::kF32Lanes];
};
struct F64 {
    double lane[ni::kF64Lanes];
};

/// a * b + c, rounded once. The product of two floats is exact in double; the sum is rounded to odd there, so that the
/// second rounding, to float, cannot err (Boldo and Melquiond 2008). Free of calls, so that the compiler can vectorize.
NI_INLINE float fused(float a, float b, float c) {
    const double product = static_cast<double>(a) * static_cast<double>(b);
    const double addend = static_cast<double>(c);
    const double sum = product + addend;
    const double part = sum - product;
    const double error = (product - (sum - part)) + (addend - part);
    int64_t bits;
    __builtin_memcpy(&bits, &sum, sizeof bits);
    // A NaN error means a sum that is infinite or NaN, which stays as it is.
    if ((error < 0.0 || error > 0.0) && (bits & 1) == 0) bits += (error > 0.0) == (sum > 0.0) ? 1 : -1;
    double odd;
    __builtin_memcpy(&odd, &bits, sizeof odd);
    return static_cast<float>(odd);
}

#define NI_F32_EACH(expression)                                       \
    F32 r;                                                            \
    for (int i = 0; i < ni::kF32Lanes; ++i) r.lane[i] = (expression); \
    return r
#define NI_F64_EACH(expression)                                       \
    F64 r;                                                            \
    for (int i = 0; i < ni::kF64Lanes; ++i) r.lane[i] = (expression); \
    return r

NI_INLINE F32 f32_set(float a) { NI_F32_EACH(a); }
NI_INLINE F32 f32_zero() { return f32_set(0.0F); }
NI_INLINE F32 f32_load(const float* p) { NI_F32_EACH(p[i]); }
NI_INLINE F32 f32_load_first(const float* p, int n) { NI_F32_EACH(i < n ? p[i] : 0.0F); }
NI_INLINE void f32_store(float* p, const F32& v) {
    for (int i = 0; i < ni::kF32Lanes; ++i) p[i] = v.lane[i];
}
NI_INLINE void f32_store_first(float* p, const F32& v, int n) {
    for (int i = 0; i < n; ++i) p[i] = v.lane[i];
}
NI_INLINE void f32_stream(float* p, const F32& v) { f32_store(p, v); }
NI_INLINE void stream_fence() {}
NI_INLINE F32 f32_keep_first(const F32& v, int n) { NI_F32_EACH(i < n ? v.lane[i] : 0.0F); }
NI_INLINE F32 f32_add(const F32& a, const F32& b) { NI_F32_EACH(a.lane[i] + b.lane[i]); }
NI_INLINE F32 f32_sub(const F32& a, const F32& b) { NI_F32_EACH(a.lane[i] - b.lane[i]); }
NI_INLINE F32 f32_mul(const F32& a, const F32& b) { NI_F32_EACH(a.lane[i] * b.lane[i]); }
NI_INLINE F32 f32_fma(const F32& a, const F32& b, const F32& c) { NI_F32_EACH(fused(a.lane[i], b.lane[i], c.lane[i])); }
NI_INLINE F64 f32_low(const F32& v) { NI_F64_EACH(static_cast<double>(v.lane[i])); }
NI_INLINE F64 f32_high(const F32& v) { NI_F64_EACH(static_cast<double>(v.lane[i + ni::kF64Lanes])); }

NI_INLINE F64 f64_set(double a) { NI_F64_EACH(a); }
NI_INLINE F64 f64_zero() { return f64_set(0.0); }
NI_INLINE F64 f64_load(const double* p) { NI_F64_EACH(p[i]); }
NI_INLINE void f64_store(double* p, const F64& v) {
    for (int i = 0; i < ni::kF64Lanes; ++i) p[i] = v.lane[i];
}
NI_INLINE F64 f64_add(const F64& a, const F64& b) { NI_F64_EACH(a.lane[i] + b.lane[i]); }
NI_INLINE F64 f64_sub(const F64& a, const F64& b) { NI_F64_EACH(a.lane[i] - b.lane[i]); }
NI_INLINE F64 f64_mul(const F64& a, const F64& b) { NI_F64_EACH(a.lane[i] * b.lane[i]); }
NI_INLINE F64 f64_div(const F64& a, const F64& b) { NI_F64_EACH(a.lane[i] / b.lane[i]); }
NI_INLINE double f64_reduce_add(const F64& v) {
    const double a0 = v.lane[0] + v.lane[4], a1 = v.lane[1] + v.lane[5];
    const double a2 = v.lane[2] + v.lane[6], a3 = v.lane[3] + v.lane[7];
    return (a0 + a2) + (a1 + a3);
}
NI_INLINE uint32_t f64_at_least(const F64& a, const F64& b) {
    uint32_t bits = 0;
    for (int i = 0; i < ni::kF64Lanes; ++i) bits |= static_cast<uint32_t>(a.lane[i] >= b.lane[i]) << i;
    return bits;
}
NI_INLINE uint32_t f64_equal(const F64& a, const F64& b) {
    uint32_t bits = 0;
    for (int i = 0; i < ni::kF64Lanes; ++i) bits |= static_cast<uint32_t>(a.lane[i] == b.lane[i]) << i;
    return bits;
}
NI_INLINE F64 f64_select(uint32_t bits, const F64& a, const F64& b) {
    NI_F64_EACH((bits >> i & 1U) != 0 ? a.lane[i] : b.lane[i]);
}

#undef NI_F32_EACH
#undef NI_F64_EACH

}  // namespace
