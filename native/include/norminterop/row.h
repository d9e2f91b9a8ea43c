#ifndef NORMINTEROP_ROW_H
#define NORMINTEROP_ROW_H

#include <stdint.h>

#include "norminterop/status.h"
#include "norminterop/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Shape of the data tensors of a per-row call: rows of consecutive elements, one after another.
typedef struct ni_row_shape {
    /// sizeof(ni_row_shape) as the caller knows it.
    uint32_t struct_size;
    /// An ni_data_type.
    int32_t data_type;
    /// Threads this call may use at most; 0: the limit of the process. Results do not depend on it.
    int32_t max_threads;
    /// Must be 0.
    int32_t reserved;
    /// M, the number of rows: at least 0. With 0 there are no data, and x, y, dy and dx may be null.
    int64_t rows;
    /// D, the number of elements of a row: at least 1.
    int64_t length;
} ni_row_shape;

/// Forward of layer normalization (Ba, Kiros and Hinton 2016): per row, y = (x - mean) * invstd * weight[i] + bias[i]
/// with the biased variance and invstd = 1 / sqrt(var + eps), or 0 where var + eps is 0.
/// x: data. weight, bias: D parameters, or null for 1 and 0. eps: at least 0.
/// saved_mean, saved_invstd: out, M doubles each, what the backward takes; both may be null. y: data, may be exactly x.
ni_status ni_layernorm_forward(const ni_row_shape* shape, const void* x, const void* weight, const void* bias,
                               double eps, double* saved_mean, double* saved_invstd, void* y);

/// Backward of ni_layernorm_forward. With x^ = (x - mean) * invstd and g = weight * dy:
/// dx = invstd * (g - mean(g) - x^ * mean(g * x^)), means over a row;
/// dweight[i] = sum(dy * x^), dbias[i] = sum(dy), over the rows.
/// dy, x: data. weight: D parameters, or null for 1. saved_mean, saved_invstd: M doubles from the forward.
/// gradient_mode: an ni_gradient_mode, for dweight and dbias. dx: data, may be exactly dy or x, null if not wanted.
/// dweight, dbias: D parameters, null if not wanted.
ni_status ni_layernorm_backward(const ni_row_shape* shape, const void* dy, const void* x, const void* weight,
                                const double* saved_mean, const double* saved_invstd, int32_t gradient_mode, void* dx,
                                void* dweight, void* dbias);

/// Forward of root mean square normalization (Zhang and Sennrich 2019): per row, y = x * invrms * weight[i] with
/// invrms = 1 / sqrt(mean(x^2) + eps), or 0 where that sum is 0.
/// x: data. weight: D parameters, or null for 1. eps: at least 0.
/// saved_invrms: out, M doubles, what the backward takes; may be null. y: data, may be exactly x.
ni_status ni_rmsnorm_forward(const ni_row_shape* shape, const void* x, const void* weight, double eps,
                             double* saved_invrms, void* y);

/// Backward of ni_rmsnorm_forward. With x^ = x * invrms and g = weight * dy: dx = invrms * (g - x^ * mean(g * x^)), the
/// mean over a row; dweight[i] = sum(dy * x^) over the rows.
/// dy, x: data. weight: D parameters, or null for 1. saved_invrms: M doubles from the forward.
/// gradient_mode: an ni_gradient_mode, for dweight. dx: data, may be exactly dy or x, null if not wanted.
/// dweight: D parameters, null if not wanted.
ni_status ni_rmsnorm_backward(const ni_row_shape* shape, const void* dy, const void* x, const void* weight,
                              const double* saved_invrms, int32_t gradient_mode, void* dx, void* dweight);

#ifdef __cplusplus
}
#endif

#endif
