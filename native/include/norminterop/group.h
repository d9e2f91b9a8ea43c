#ifndef NORMINTEROP_GROUP_H
#define NORMINTEROP_GROUP_H

#include <stdint.h>

#include "norminterop/channel.h"
#include "norminterop/status.h"
#include "norminterop/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Shape and layout of the data tensors of a per-group call. All tensors of one call share it. Group g of a sample is
/// its channels g * C / G to (g + 1) * C / G - 1, at all positions.
typedef struct ni_group_shape {
    /// sizeof(ni_group_shape) as the caller knows it.
    uint32_t struct_size;
    /// An ni_data_type.
    int32_t data_type;
    /// An ni_layout.
    int32_t layout;
    /// Threads this call may use at most; 0: the limit of the process. Results do not depend on it.
    int32_t max_threads;
    /// N, the number of samples: at least 0. With 0 there are no data, and x, y, dy and dx may be null.
    int64_t batch;
    /// C, the number of channels: at least 1, and a multiple of the groups.
    int64_t channels;
    /// S, the number of positions of a sample, all spatial dimensions multiplied: at least 1.
    int64_t spatial;
    /// G, the number of groups: at least 1.
    int64_t groups;
} ni_group_shape;

/// Forward of group normalization (Wu and He 2018): per sample and group, over the m = C / G * S values,
/// y = (x - mean) * invstd * weight[c] + bias[c] with the biased variance and invstd = 1 / sqrt(var + eps), or 0 where
/// var + eps is 0. Training and inference are the same.
/// x: data. weight, bias: C parameters, or null for 1 and 0. eps: at least 0.
/// saved_mean, saved_invstd: out, N * G doubles each, sample by sample; what the backward takes; both may be null.
/// y: data, may be exactly x.
ni_status ni_groupnorm_forward(const ni_group_shape* shape, const void* x, const void* weight, const void* bias,
                               double eps, double* saved_mean, double* saved_invstd, void* y);

/// Backward of ni_groupnorm_forward. With x^ = (x - mean) * invstd and g = weight[c] * dy:
/// dx = invstd * (g - mean(g) - x^ * mean(g * x^)), means over the values of a group;
/// dweight[c] = sum(dy * x^), dbias[c] = sum(dy), over N and S.
/// dy, x: data. weight: C parameters, or null for 1. saved_mean, saved_invstd: N * G doubles from the forward.
/// gradient_mode: an ni_gradient_mode, for dweight and dbias. dx: data, may be exactly dy or x, null if not wanted.
/// dweight, dbias: C parameters, null if not wanted.
ni_status ni_groupnorm_backward(const ni_group_shape* shape, const void* dy, const void* x, const void* weight,
                                const double* saved_mean, const double* saved_invstd, int32_t gradient_mode, void* dx,
                                void* dweight, void* dbias);

/// Forward of instance normalization (Ulyanov, Vedaldi and Lempitsky 2016): as ni_groupnorm_forward with one channel
/// per group. Running buffers that are given become (1 - momentum) * running + momentum * average, the average being
/// that of the samples' means, and of their unbiased variances.
/// x: data. weight, bias: C parameters, or null for 1 and 0. eps: at least 0. momentum: any number.
/// running_mean, running_var: C parameters, updated; both null when they are not tracked.
/// saved_mean, saved_invstd: out, N * C doubles each, sample by sample; both may be null. y: data, may be exactly x.
/// With N = 0 the running buffers stay. Errors: a single position (S = 1), for which no variance exists.
ni_status ni_instancenorm_forward(const ni_channel_shape* shape, const void* x, const void* weight, const void* bias,
                                  double eps, double momentum, void* running_mean, void* running_var,
                                  double* saved_mean, double* saved_invstd, void* y);

/// Backward of ni_instancenorm_forward: that of ni_groupnorm_forward with one channel per group.
ni_status ni_instancenorm_backward(const ni_channel_shape* shape, const void* dy, const void* x, const void* weight,
                                   const double* saved_mean, const double* saved_invstd, int32_t gradient_mode,
                                   void* dx, void* dweight, void* dbias);

#ifdef __cplusplus
}
#endif

#endif
