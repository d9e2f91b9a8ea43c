// The vector contract: what a kernel body may assume of a vector, whatever the instruction set.
//
// One header per instruction set (scalar.h, avx2.h, avx512.h, neon.h) defines the same types and functions. A
// translation unit includes exactly one of them, then the kernel bodies. To make results equal to the bit on every
// instruction set:
//
//   * The width is virtual and fixed: F32 has 16 floats, F64 has 8 doubles. AVX-512 uses one register for each, AVX2
//     two, NEON four, the scalar version parts of 16 bytes.
//   * Every operation is one IEEE 754 operation per lane, rounded to nearest even, denormals kept. Products are fused
//     where a body says fma, and nowhere else (all files are compiled with -ffp-contract=off).
//   * reduce_add adds as a fixed tree: lanes i and i + 4, then i + 2, then i + 1.
//   * Divisions and square roots are the IEEE ones; there are no estimates.
//
// Only NaN payloads and NaN signs may differ: the hardware chooses them.
//
// Everything in the vector headers and kernel bodies has internal linkage and uses no std:: template: a shared inline
// function compiled for AVX-512 might otherwise be the copy that the linker keeps for all CPUs.
//
// F32: 16 floats
//   f32_zero()                 all lanes +0
//   f32_set(a)                 all lanes a
//   f32_load(p)                16 floats at p, any alignment
//   f32_load_first(p, n)       the first n floats at p (0 <= n <= 16), other lanes +0; reads no byte beyond them
//   f32_store(p, v)            16 floats to p, any alignment
//   f32_store_first(p, v, n)   the first n lanes to p; writes no byte beyond them
//   f32_stream(p, v)           16 floats to p, aligned to 64 bytes, past the cache where there are such
//                              stores; parallel::run lets others see them
//   f32_keep_first(v, n)       the first n lanes of v, other lanes +0
//   f32_add, f32_sub, f32_mul, f32_div   per lane
//   f32_fma(a, b, c)           a * b + c, rounded once
//   f32_low(v), f32_high(v)    lanes 0..7 and 8..15 as F64, exact
//   f32_join(low, high)        the two F64 in one F32, rounded
//   f32_at_least(a, b)         bit i is set where a >= b, lane by lane; false for NaN
//   f32_abs(v)                 per lane
//   f32_within(v, least)       bit i is set where least <= |v| < infinity
//   f32_select(bits, a, b)     lane i of a where bit i is set, else of b
//   f32_if_at_least(a, b, x, y)   x where a >= b, else y, lane by lane
//   f32_power_of_two(n)        2^n, for integers from -126 to 127
// F64: 8 doubles
//   f64_zero, f64_set, f64_load, f64_store, f64_add, f64_sub, f64_mul, f64_div   as above
//   f64_load_first, f64_store_first, f64_keep_first   as above, 0 <= n <= 8
//   f64_stream                 as above
//   f64_reduce_add(v)          sum of the lanes, as the tree above
//   f64_at_least(a, b)         bit i is set where a >= b, lane by lane; false for NaN
//   f64_equal(a, b)            bit i is set where a == b
//   f64_select(bits, a, b)     lane i of a where bit i is set, else of b
//   f64_if_at_least, f64_power_of_two   as above; integers from -1022 to 1023
// U16: 16 numbers of 16 bits, as they lie in memory
//   u16_load(p), u16_load_first(p, n), u16_store(p, v), u16_store_first(p, v, n)   as above
//   u16_stream(p, v)           as above, aligned to 32 bytes
//   f32_from_half(v), f32_from_bfloat16(v)   exact; a signaling NaN may become quiet
//   half_from_f32(v), bfloat16_from_f32(v)   rounded to nearest even; a NaN stays one, denormals are kept
//   bfloat16_from_upper(v)     the same, if NaNs have nothing in their lower 16 bits
//
// elements.h builds the vectors that kernel bodies are written against on these. There is no fused operation on
// doubles: a CPU without one would need a call for each lane.
#pragma once

#include <stdint.h>

#define NI_INLINE static inline __attribute__((always_inline))

#ifdef __FAST_MATH__
#error "the vector contract promises IEEE 754 arithmetic, which -ffast-math gives up"
#endif

namespace ni {

/// Starts to bring the cache line at p closer: into the second-level cache, because the first has other things to hold.
NI_INLINE void prefetch(const void* p) { __builtin_prefetch(p, 0, 2); }

constexpr int kF32Lanes = 16;
constexpr int kF64Lanes = 8;
/// An integer n that is not too large, plus this, has n in its lowest bits.
constexpr float kF32Integer = 0x1.8p23F;
constexpr double kF64Integer = 0x1.8p52;
/// Alignment, in bytes, that a streaming store needs.
constexpr int kStreamAlignment = 64;

}  // namespace ni
