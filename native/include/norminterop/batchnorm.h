#ifndef NORMINTEROP_BATCHNORM_H
#define NORMINTEROP_BATCHNORM_H

#include <stdint.h>

#include "norminterop/channel.h"
#include "norminterop/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Training forward of batch normalization (Ioffe and Szegedy 2015, algorithm 1): per channel, over the n = N * S
/// values, y = (x - mean) * invstd * weight + bias with the biased variance and invstd = 1 / sqrt(var + eps), or 0
/// where var + eps is 0. The running buffers become (1 - momentum) * running + momentum * batch, the variance with
/// Bessel's correction n / (n - 1).
/// x: data. weight, bias: C parameters, or null for 1 and 0. eps: at least 0. momentum: any number.
/// running_mean, running_var: C parameters, updated; both null when they are not tracked.
/// saved_mean, saved_invstd: out, C doubles each, what ni_batchnorm_backward_training takes; both may be null.
/// y: data, may be exactly x. With N = 0 the running buffers stay, and the saved statistics are 0.
/// Errors: a single value per channel (n = 1), for which no variance exists. A call that fails writes nothing.
ni_status ni_batchnorm_forward_training(const ni_channel_shape* shape, const void* x, const void* weight,
                                        const void* bias, double eps, double momentum, void* running_mean,
                                        void* running_var, double* saved_mean, double* saved_invstd, void* y);

/// Inference forward: y = (x - mean[c]) / sqrt(var[c] + eps) * weight[c] + bias[c], with given statistics.
/// x: data. weight, bias: C parameters, or null for 1 and 0. mean, var: C parameters. y: data, may be exactly x.
ni_status ni_batchnorm_forward_inference(const ni_channel_shape* shape, const void* x, const void* weight,
                                         const void* bias, double eps, const void* mean, const void* var, void* y);

/// Backward of ni_batchnorm_forward_training. With x^ = (x - mean) * invstd and sums over the n values of a channel:
/// dbias = sum(dy), dweight = sum(dy * x^), dx = weight * invstd * (dy - dbias / n - x^ * dweight / n).
/// dy, x: data. weight: C parameters, or null for 1. saved_mean, saved_invstd: C doubles from the forward.
/// gradient_mode: an ni_gradient_mode, for dweight and dbias. dx: data, may be exactly dy or x, null if not wanted.
/// dweight, dbias: C parameters, null if not wanted.
ni_status ni_batchnorm_backward_training(const ni_channel_shape* shape, const void* dy, const void* x,
                                         const void* weight, const double* saved_mean, const double* saved_invstd,
                                         int32_t gradient_mode, void* dx, void* dweight, void* dbias);

/// Backward of ni_batchnorm_forward_inference: the statistics are constants, so dx = weight / sqrt(var + eps) * dy;
/// dweight and dbias as in training. x is read for dweight only, and may be null without it.
/// dy, x: data. weight: C parameters, or null for 1. mean, var: C parameters. Others as in training.
ni_status ni_batchnorm_backward_inference(const ni_channel_shape* shape, const void* dy, const void* x,
                                          const void* weight, double eps, const void* mean, const void* var,
                                          int32_t gradient_mode, void* dx, void* dweight, void* dbias);

/// Training forward of Caffe's BatchNorm layer: y = (x - mean) * invstd with the batch's biased variance, and sums in
/// place of running averages: mean_sum = fraction * mean_sum + mean, var_sum = fraction * var_sum + var * n / (n - 1),
/// where the last factor is 1 for n = 1. The third blob, fraction * factor + 1, is the caller's.
/// x: data. eps: at least 0. fraction: Caffe's moving_average_fraction. mean_sum, var_sum: C parameters, updated.
/// saved_mean, saved_invstd: out, C doubles each, what ni_batchnorm_backward_training takes; both may be null.
/// y: data, may be exactly x. With N = 0 the sums stay, and the saved statistics are 0.
ni_status ni_caffe_batchnorm_forward_training(const ni_channel_shape* shape, const void* x, double eps, double fraction,
                                              void* mean_sum, void* var_sum, double* saved_mean, double* saved_invstd,
                                              void* y);

#ifdef __cplusplus
}
#endif

#endif
