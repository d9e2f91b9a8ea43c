// The one list of kernels. Dispatch chooses among its tables, and the tests walk it, so that a kernel that is listed
// cannot go without a test, nor one that an instruction set lacks go unnoticed.
#pragma once

#include "kernels/kernel_types.h"

// KERNEL(name, parameters). "planes" kernels serve the contiguous layout, "rows" kernels channels last; each works on a
// piece, on the calling thread. How pieces are cut is the business of parallel/cut.h.
//
//   planes_moments          mean and M2 of all elements of the planes (at least 1)
//   planes_apply            y from x with one channel's constants
//   planes_backward_reduce  the two gradient sums, x taken relative to center
//   planes_backward_apply   dx from dy and x with one channel's constants
//   rows_moments            mean[c] and m2[c] over the rows (at least 1)
//   rows_apply              y from x with constants by channel
//   rows_backward_reduce    sum_dy[c] and sum_dy_xmu[c] over the rows, x taken relative to center[c]
//   rows_backward_apply     dx from dy and x with constants by channel
//
// Outputs may be exactly one of the inputs. In the rows kernels, every array is at the piece's first channel. The two
// that reduce rows take at most kRowTile channels; the arrays they write have room for whole vectors of 16, and what
// stands there beyond the channels is undefined.
#define NI_CHANNEL_KERNELS(KERNEL)                                                                                   \
    KERNEL(planes_moments, (const float* x, const Planes& planes, Moments* out))                                     \
    KERNEL(planes_apply,                                                                                             \
           (const float* x, const Planes& planes, const ApplyConstants& constants, Store store, float* y))           \
    KERNEL(planes_backward_reduce,                                                                                   \
           (const float* dy, const float* x, const Planes& planes, float center, GradientSums* out))                 \
    KERNEL(planes_backward_apply, (const float* dy, const float* x, const Planes& planes,                            \
                                   const BackwardConstants& constants, Store store, float* dx))                      \
    KERNEL(rows_moments, (const float* x, const Rows& rows, double* mean, double* m2))                               \
    KERNEL(rows_apply, (const float* x, const Rows& rows, const ApplyArrays& constants, Store store, float* y))      \
    KERNEL(rows_backward_reduce, (const float* dy, const float* x, const Rows& rows, const float* center,            \
                                  double* sum_dy, double* sum_dy_xmu))                                               \
    KERNEL(rows_backward_apply, (const float* dy, const float* x, const Rows& rows, const BackwardArrays& constants, \
                                 Store store, float* dx))

namespace ni {

/// The kernels of one instruction set.
struct KernelTable {
    const char* isa;
#define NI_FIELD(name, parameters) void(*name) parameters;
    NI_CHANNEL_KERNELS(NI_FIELD)
#undef NI_FIELD
};

/// Names of the kernels, in the order of the list.
constexpr const char* kKernelNames[] = {
#define NI_NAME(name, parameters) #name,
    NI_CHANNEL_KERNELS(NI_NAME)
#undef NI_NAME
};

// One table for each instruction set that this build has; defined by kernels/channel/<isa>.cpp.
extern const KernelTable kScalarKernels;
#if NI_HAVE_X86_KERNELS
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512Kernels;
#endif

}  // namespace ni
