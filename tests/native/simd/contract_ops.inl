// Bodies of contract_ops.h; a translation unit includes one vector header before. As in the kernels, everything has
// internal linkage and nothing comes from std::, because this is compiled for CPUs that the machine may not be.
#pragma once

#include "simd/contract_ops.h"

namespace {
namespace on_memory {

void f32_zero(float* out) { f32_store(out, ::f32_zero()); }
void f32_set(float a, float* out) { f32_store(out, ::f32_set(a)); }
void f32_load_store(const float* p, float* out) { f32_store(out, f32_load(p)); }
void f32_load_first(const float* p, int n, float* out) { f32_store(out, ::f32_load_first(p, n)); }
void f32_store_first(float* p, const float* v, int n) { ::f32_store_first(p, f32_load(v), n); }
void f32_stream(float* p, const float* v) { ::f32_stream(p, f32_load(v)); }
void f32_keep_first(const float* v, int n, float* out) { f32_store(out, ::f32_keep_first(f32_load(v), n)); }
void f32_add(const float* a, const float* b, float* out) { f32_store(out, ::f32_add(f32_load(a), f32_load(b))); }
void f32_sub(const float* a, const float* b, float* out) { f32_store(out, ::f32_sub(f32_load(a), f32_load(b))); }
void f32_mul(const float* a, const float* b, float* out) { f32_store(out, ::f32_mul(f32_load(a), f32_load(b))); }
void f32_div(const float* a, const float* b, float* out) { f32_store(out, ::f32_div(f32_load(a), f32_load(b))); }
void f32_fma(const float* a, const float* b, const float* c, float* out) {
    f32_store(out, ::f32_fma(f32_load(a), f32_load(b), f32_load(c)));
}
void f32_low(const float* v, double* out) { f64_store(out, ::f32_low(f32_load(v))); }
void f32_high(const float* v, double* out) { f64_store(out, ::f32_high(f32_load(v))); }
void f32_join(const double* low, const double* high, float* out) {
    f32_store(out, ::f32_join(f64_load(low), f64_load(high)));
}
uint32_t f32_at_least(const float* a, const float* b) { return ::f32_at_least(f32_load(a), f32_load(b)); }
void f32_abs(const float* v, float* out) { f32_store(out, ::f32_abs(f32_load(v))); }
uint32_t f32_within(const float* v, const float* least) { return ::f32_within(f32_load(v), f32_load(least)); }
void f32_select(uint32_t bits, const float* a, const float* b, float* out) {
    f32_store(out, ::f32_select(bits, f32_load(a), f32_load(b)));
}
void f32_if_at_least(const float* a, const float* b, const float* x, const float* y, float* out) {
    f32_store(out, ::f32_if_at_least(f32_load(a), f32_load(b), f32_load(x), f32_load(y)));
}
void f32_power_of_two(const float* n, float* out) { f32_store(out, ::f32_power_of_two(f32_load(n))); }

void f64_zero(double* out) { f64_store(out, ::f64_zero()); }
void f64_set(double a, double* out) { f64_store(out, ::f64_set(a)); }
void f64_load_store(const double* p, double* out) { f64_store(out, f64_load(p)); }
void f64_load_first(const double* p, int n, double* out) { f64_store(out, ::f64_load_first(p, n)); }
void f64_store_first(double* p, const double* v, int n) { ::f64_store_first(p, f64_load(v), n); }
void f64_stream(double* p, const double* v) { ::f64_stream(p, f64_load(v)); }
void f64_keep_first(const double* v, int n, double* out) { f64_store(out, ::f64_keep_first(f64_load(v), n)); }
void f64_add(const double* a, const double* b, double* out) { f64_store(out, ::f64_add(f64_load(a), f64_load(b))); }
void f64_sub(const double* a, const double* b, double* out) { f64_store(out, ::f64_sub(f64_load(a), f64_load(b))); }
void f64_mul(const double* a, const double* b, double* out) { f64_store(out, ::f64_mul(f64_load(a), f64_load(b))); }
void f64_div(const double* a, const double* b, double* out) { f64_store(out, ::f64_div(f64_load(a), f64_load(b))); }
double f64_reduce_add(const double* v) { return ::f64_reduce_add(f64_load(v)); }
uint32_t f64_at_least(const double* a, const double* b) { return ::f64_at_least(f64_load(a), f64_load(b)); }
uint32_t f64_equal(const double* a, const double* b) { return ::f64_equal(f64_load(a), f64_load(b)); }
void f64_select(uint32_t bits, const double* a, const double* b, double* out) {
    f64_store(out, ::f64_select(bits, f64_load(a), f64_load(b)));
}
void f64_if_at_least(const double* a, const double* b, const double* x, const double* y, double* out) {
    f64_store(out, ::f64_if_at_least(f64_load(a), f64_load(b), f64_load(x), f64_load(y)));
}
void f64_power_of_two(const double* n, double* out) { f64_store(out, ::f64_power_of_two(f64_load(n))); }

void u16_load_store(const uint16_t* p, uint16_t* out) { u16_store(out, u16_load(p)); }
void u16_load_first(const uint16_t* p, int n, uint16_t* out) { u16_store(out, ::u16_load_first(p, n)); }
void u16_store_first(uint16_t* p, const uint16_t* v, int n) { ::u16_store_first(p, u16_load(v), n); }
void u16_stream(uint16_t* p, const uint16_t* v) { ::u16_stream(p, u16_load(v)); }
void f32_from_half(const uint16_t* v, float* out) { f32_store(out, ::f32_from_half(u16_load(v))); }
void f32_from_bfloat16(const uint16_t* v, float* out) { f32_store(out, ::f32_from_bfloat16(u16_load(v))); }
void half_from_f32(const float* v, uint16_t* out) { u16_store(out, ::half_from_f32(f32_load(v))); }
void bfloat16_from_f32(const float* v, uint16_t* out) { u16_store(out, ::bfloat16_from_f32(f32_load(v))); }
void bfloat16_from_upper(const float* v, uint16_t* out) { u16_store(out, ::bfloat16_from_upper(f32_load(v))); }

constexpr ni::test::ContractOps make_ops(const char* isa) {
    return {isa,
#define NI_ENTRY(name, result, parameters) &name,
            NI_CONTRACT_OPERATIONS(NI_ENTRY)
#undef NI_ENTRY
    };
}

}  // namespace on_memory
}  // namespace
