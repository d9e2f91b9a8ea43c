// The operations of the vector contract as functions over memory, one table for each instruction set. A vector is 16
// floats, 8 doubles or 16 numbers of 16 bits at a pointer.
#pragma once

#include <cstdint>

namespace ni::test {

// OPERATION(name, return type, parameters). Names are those of simd/contract.h.
#define NI_CONTRACT_OPERATIONS(OPERATION)                                                                          \
    OPERATION(f32_zero, void, (float* out))                                                                        \
    OPERATION(f32_set, void, (float a, float* out))                                                                \
    OPERATION(f32_load_store, void, (const float* p, float* out))                                                  \
    OPERATION(f32_load_first, void, (const float* p, int n, float* out))                                           \
    OPERATION(f32_store_first, void, (float* p, const float* v, int n))                                            \
    OPERATION(f32_stream, void, (float* p, const float* v))                                                        \
    OPERATION(f32_keep_first, void, (const float* v, int n, float* out))                                           \
    OPERATION(f32_add, void, (const float* a, const float* b, float* out))                                         \
    OPERATION(f32_sub, void, (const float* a, const float* b, float* out))                                         \
    OPERATION(f32_mul, void, (const float* a, const float* b, float* out))                                         \
    OPERATION(f32_div, void, (const float* a, const float* b, float* out))                                         \
    OPERATION(f32_fma, void, (const float* a, const float* b, const float* c, float* out))                         \
    OPERATION(f32_low, void, (const float* v, double* out))                                                        \
    OPERATION(f32_high, void, (const float* v, double* out))                                                       \
    OPERATION(f32_join, void, (const double* low, const double* high, float* out))                                 \
    OPERATION(f32_at_least, uint32_t, (const float* a, const float* b))                                            \
    OPERATION(f32_abs, void, (const float* v, float* out))                                                         \
    OPERATION(f32_within, uint32_t, (const float* v, const float* least))                                          \
    OPERATION(f32_select, void, (uint32_t bits, const float* a, const float* b, float* out))                       \
    OPERATION(f32_if_at_least, void, (const float* a, const float* b, const float* x, const float* y, float* out)) \
    OPERATION(f32_power_of_two, void, (const float* n, float* out))                                                \
    OPERATION(f64_zero, void, (double* out))                                                                       \
    OPERATION(f64_set, void, (double a, double* out))                                                              \
    OPERATION(f64_load_store, void, (const double* p, double* out))                                                \
    OPERATION(f64_load_first, void, (const double* p, int n, double* out))                                         \
    OPERATION(f64_store_first, void, (double* p, const double* v, int n))                                          \
    OPERATION(f64_stream, void, (double* p, const double* v))                                                      \
    OPERATION(f64_keep_first, void, (const double* v, int n, double* out))                                         \
    OPERATION(f64_add, void, (const double* a, const double* b, double* out))                                      \
    OPERATION(f64_sub, void, (const double* a, const double* b, double* out))                                      \
    OPERATION(f64_mul, void, (const double* a, const double* b, double* out))                                      \
    OPERATION(f64_div, void, (const double* a, const double* b, double* out))                                      \
    OPERATION(f64_reduce_add, double, (const double* v))                                                           \
    OPERATION(f64_at_least, uint32_t, (const double* a, const double* b))                                          \
    OPERATION(f64_equal, uint32_t, (const double* a, const double* b))                                             \
    OPERATION(f64_select, void, (uint32_t bits, const double* a, const double* b, double* out))                    \
    OPERATION(f64_if_at_least, void,                                                                               \
              (const double* a, const double* b, const double* x, const double* y, double* out))                   \
    OPERATION(f64_power_of_two, void, (const double* n, double* out))                                              \
    OPERATION(u16_load_store, void, (const uint16_t* p, uint16_t* out))                                            \
    OPERATION(u16_load_first, void, (const uint16_t* p, int n, uint16_t* out))                                     \
    OPERATION(u16_store_first, void, (uint16_t * p, const uint16_t* v, int n))                                     \
    OPERATION(u16_stream, void, (uint16_t * p, const uint16_t* v))                                                 \
    OPERATION(f32_from_half, void, (const uint16_t* v, float* out))                                                \
    OPERATION(f32_from_bfloat16, void, (const uint16_t* v, float* out))                                            \
    OPERATION(half_from_f32, void, (const float* v, uint16_t* out))                                                \
    OPERATION(bfloat16_from_f32, void, (const float* v, uint16_t* out))                                            \
    OPERATION(bfloat16_from_upper, void, (const float* v, uint16_t* out))

struct ContractOps {
    const char* isa;
#define NI_FIELD(name, result, parameters) result(*name) parameters;
    NI_CONTRACT_OPERATIONS(NI_FIELD)
#undef NI_FIELD
};

extern const ContractOps kScalarOps;
#if NI_HAVE_X86_KERNELS
extern const ContractOps kAvx2Ops;
extern const ContractOps kAvx512Ops;
#endif
#if NI_HAVE_NEON_KERNELS
extern const ContractOps kNeonOps;
#endif

}  // namespace ni::test
