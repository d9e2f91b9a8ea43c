#ifndef NORMINTEROP_CHANNEL_H
#define NORMINTEROP_CHANNEL_H

#include <stdint.h>

#include "norminterop/status.h"
#include "norminterop/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Shape and layout of the data tensors of a per-channel call. All tensors of one call share it.
typedef struct ni_channel_shape {
    /// sizeof(ni_channel_shape) as the caller knows it.
    uint32_t struct_size;
    /// An ni_data_type.
    int32_t data_type;
    /// An ni_layout.
    int32_t layout;
    /// Threads this call may use at most; 0: the limit of the process. Results do not depend on it.
    int32_t max_threads;
    /// N, the number of samples: at least 0. With 0 there are no data, and x, y, dy and dx may be null.
    int64_t batch;
    /// C, the number of channels: at least 1.
    int64_t channels;
    /// S, the number of positions of a sample, all spatial dimensions multiplied: at least 1.
    int64_t spatial;
} ni_channel_shape;

/// Mean and sum of squared deviations of every channel: mean[c] = sum(x) / n, m2[c] = sum((x - mean[c])^2), n = N * S.
/// The biased variance is m2 / n, the unbiased one m2 / (n - 1). Partial results of several tensors (ranks of a
/// synchronized BatchNorm) merge by the formula of Chan, Golub and LeVeque (1979).
/// x: data, N * C * S elements. mean, m2: out, C doubles each; zero when N is 0.
ni_status ni_channel_statistics(const ni_channel_shape* shape, const void* x, double* mean, double* m2);

/// y = (x - mean[c]) * invstd[c] * weight[c] + bias[c].
/// x: data. mean, invstd: C doubles. weight, bias: C parameters, or null for 1 and 0. y: data, may be exactly x.
ni_status ni_channel_apply(const ni_channel_shape* shape, const void* x, const double* mean, const double* invstd,
                           const void* weight, const void* bias, void* y);

/// The two sums that the backward pass of a per-channel normalization needs:
/// sum_dy[c] = sum(dy), sum_dy_xmu[c] = sum(dy * (x - mean[c])).
/// dy, x: data. mean: C doubles. sum_dy, sum_dy_xmu: out, C doubles each; zero when N is 0.
ni_status ni_channel_backward_reduce(const ni_channel_shape* shape, const void* dy, const void* x, const double* mean,
                                     double* sum_dy, double* sum_dy_xmu);

/// dx = weight[c] * invstd[c] * (dy - sum_dy[c] / count - (x - mean[c]) * invstd[c]^2 * sum_dy_xmu[c] / count).
/// The sums may come from several tensors: `count` is the number of values per channel behind them, more than 0.
/// dy, x: data. mean, invstd, sum_dy, sum_dy_xmu: C doubles. weight: C parameters, or null for 1.
/// dx: data, may be exactly dy or x.
ni_status ni_channel_backward_apply(const ni_channel_shape* shape, const void* dy, const void* x, const double* mean,
                                    const double* invstd, const void* weight, const double* sum_dy,
                                    const double* sum_dy_xmu, double count, void* dx);

#ifdef __cplusplus
}
#endif

#endif
