// The one list of kernels. Dispatch chooses among its tables, and the tests walk it, so that a kernel that is listed
// cannot go without a test, nor one that an instruction set lacks go unnoticed.
#pragma once

#include "kernels/kernel_types.h"

// KERNEL(name, parameters). Each works on a piece, on the calling thread; how pieces are cut is the business of
// parallel/cut.h. "planes" kernels serve runs of elements that share their constants (contiguous tensors), "rows"
// kernels channels last, "affine" kernels a run with a weight and a bias for each element (LayerNorm, RMSNorm).
//
//   planes_moments           mean and M2 of all elements of the planes (at least 1)
//   planes_squares           the same with a mean of 0: M2 is sum(x^2)
//   planes_apply             y from x with one channel's constants
//   planes_backward_reduce   the two gradient sums, x taken relative to center
//   planes_backward_apply    dx from dy and x with one channel's constants
//   rows_moments             mean[c] and m2[c] over the rows (at least 1)
//   rows_apply               y from x with constants by channel
//   rows_backward_reduce     sum_dy[c] and sum_dy_xmu[c] over the rows, x taken relative to center[c]
//   rows_backward_apply      dx from dy and x with constants by channel
//   affine_apply             y = ((x - center[r]) * scale[r] + offset[r]) * weight[i] + bias[i], for some rows
//   affine_backward_reduce   the two gradient sums of weight[i] * dy
//   affine_backward_apply    dx from weight[i] * dy and x with the run's constants
//   columns_backward_reduce  over rows with constants of their own: adds dy[c] to sum_dy[c], and dy[c] times the
//                            normalized x, (x - center[r]) * scale[r] + offset[r], to sum_dy_xhat[c]
//
//   planes_activate          y = activation(z + residual), where z is what planes_apply makes of x. Of ReLU alone, the
//                            residual, which may be absent, and a mask, if there is one: in it go the bits of all
//                            elements, set where the sum is more than 0 or NaN, so that its gradient passes
//   rows_activate            likewise of rows_apply
//   planes_gated_reduce      planes_backward_reduce of g = dy * activation'(z) for dy, where z is what z's constants
//   make of
//                            x, or, with a mask, of g = dy where the bit is set; sums are around z's center
//   planes_gated_apply       planes_backward_apply, likewise; the constants' center is z's. With a mask, g may be
//   written
//                            as well
//   planes_gated_scale       dx = g * factor, likewise; with a mask, x is not read
//   rows_gated_reduce, rows_gated_apply, rows_gated_scale   likewise, with constants by channel
//
// Outputs may be exactly one of the inputs. In the rows and columns kernels, every array is at the piece's first
// channel (those of `by_row` at its first row). The rows kernels that reduce take at most kRowTile channels. Arrays
// that reductions write have room for whole vectors of 16; what stands there beyond the channels is undefined. The
// affine kernels want a weight or a bias, the backward ones a weight: without, the planes kernels do the same. Streamed
// stores are published by parallel::run and at the end of a call, not by kernels.
#define NI_KERNELS(KERNEL)                                                                                             \
    KERNEL(planes_moments, (const Data* x, const Planes& planes, Moments* out))                                        \
    KERNEL(planes_squares, (const Data* x, const Planes& planes, Moments* out))                                        \
    KERNEL(planes_apply,                                                                                               \
           (const Data* x, const Planes& planes, const ApplyConstants<Constant>& constants, Store store, Data* y))     \
    KERNEL(planes_backward_reduce,                                                                                     \
           (const Data* dy, const Data* x, const Planes& planes, Constant center, GradientSums* out))                  \
    KERNEL(planes_backward_apply, (const Data* dy, const Data* x, const Planes& planes,                                \
                                   const BackwardConstants<Constant>& constants, Store store, Data* dx))               \
    KERNEL(rows_moments, (const Data* x, const Rows& rows, double* mean, double* m2))                                  \
    KERNEL(rows_apply,                                                                                                 \
           (const Data* x, const Rows& rows, const ApplyArrays<Constant>& constants, Store store, Data* y))            \
    KERNEL(rows_backward_reduce, (const Data* dy, const Data* x, const Rows& rows, const Constant* center,             \
                                  double* sum_dy, double* sum_dy_xmu))                                                 \
    KERNEL(rows_backward_apply, (const Data* dy, const Data* x, const Rows& rows,                                      \
                                 const BackwardArrays<Constant>& constants, Store store, Data* dx))                    \
    KERNEL(affine_apply, (const Data* x, const Rows& rows, const ApplyArrays<Constant>& by_row,                        \
                          const Affine<Parameter>& affine, Store store, Data* y))                                      \
    KERNEL(affine_backward_reduce, (const Data* dy, const Data* x, const Planes& run, Constant center,                 \
                                    const Parameter* weight, GradientSums* out))                                       \
    KERNEL(affine_backward_apply,                                                                                      \
           (const Data* dy, const Data* x, int64_t length, const BackwardConstants<Constant>& constants,               \
            const Parameter* weight, Store store, Data* dx))                                                           \
    KERNEL(columns_backward_reduce, (const Data* dy, const Data* x, const Rows& rows,                                  \
                                     const ApplyArrays<Constant>& by_row, double* sum_dy, double* sum_dy_xhat))        \
    KERNEL(planes_activate,                                                                                            \
           (const Data* x, const Data* residual, const Planes& planes, const ApplyConstants<Constant>& constants,      \
            Activation activation, Store store, Data* y, const Mask<uint8_t>& mask))                                   \
    KERNEL(rows_activate,                                                                                              \
           (const Data* x, const Data* residual, const Rows& rows, const ApplyArrays<Constant>& constants,             \
            Activation activation, Store store, Data* y, const Mask<uint8_t>& mask))                                   \
    KERNEL(planes_gated_reduce, (const Data* dy, const Data* x, const Mask<const uint8_t>& mask, const Planes& planes, \
                                 const ApplyConstants<Constant>& z, Activation activation, GradientSums* out))         \
    KERNEL(planes_gated_apply,                                                                                         \
           (const Data* dy, const Data* x, const Mask<const uint8_t>& mask, const Planes& planes,                      \
            const ApplyConstants<Constant>& z, Activation activation, const BackwardConstants<Constant>& constants,    \
            Store store, Data* dx, const Beside<Data>& g))                                                             \
    KERNEL(planes_gated_scale, (const Data* dy, const Data* x, const Mask<const uint8_t>& mask, const Planes& planes,  \
                                const ApplyConstants<Constant>& z, Activation activation, Constant factor,             \
                                Store store, Data* dx, const Beside<Data>& g))                                         \
    KERNEL(rows_gated_reduce,                                                                                          \
           (const Data* dy, const Data* x, const Mask<const uint8_t>& mask, const Rows& rows,                          \
            const ApplyArrays<Constant>& z, Activation activation, double* sum_dy, double* sum_dy_xmu))                \
    KERNEL(rows_gated_apply,                                                                                           \
           (const Data* dy, const Data* x, const Mask<const uint8_t>& mask, const Rows& rows,                          \
            const ApplyArrays<Constant>& z, Activation activation, const BackwardArrays<Constant>& constants,          \
            Store store, Data* dx, const Beside<Data>& g))                                                             \
    KERNEL(rows_gated_scale, (const Data* dy, const Data* x, const Mask<const uint8_t>& mask, const Rows& rows,        \
                              const ApplyArrays<Constant>& z, Activation activation, const Constant* factor,           \
                              Store store, Data* dx, const Beside<Data>& g))

namespace ni {

/// The kernels of one instruction set for one data type.
template <class E>
struct Kernels {
    using Data = typename E::Data;
    using Constant = typename E::Constant;
    using Parameter = typename E::Parameter;
#define NI_FIELD(name, parameters) void(*name) parameters;
    NI_KERNELS(NI_FIELD)
#undef NI_FIELD
};

/// The kernels of one instruction set.
struct KernelTable {
    const char* isa;
    const Kernels<Float32>* float32;
    const Kernels<Float64>* float64;
    const Kernels<Float16>* float16;
    const Kernels<BFloat16>* bfloat16;

    const Kernels<Float32>& of(Float32) const { return *float32; }
    const Kernels<Float64>& of(Float64) const { return *float64; }
    const Kernels<Float16>& of(Float16) const { return *float16; }
    const Kernels<BFloat16>& of(BFloat16) const { return *bfloat16; }
};

/// Names of the kernels, in the order of the list.
constexpr const char* kKernelNames[] = {
#define NI_NAME(name, parameters) #name,
    NI_KERNELS(NI_NAME)
#undef NI_NAME
};

// One table for each instruction set that this build has; defined by kernels/isa/<isa>.cpp.
extern const KernelTable kScalarKernels;
#if NI_HAVE_X86_KERNELS
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512Kernels;
#endif
#if NI_HAVE_NEON_KERNELS
extern const KernelTable kNeonKernels;
#endif

}  // namespace ni
