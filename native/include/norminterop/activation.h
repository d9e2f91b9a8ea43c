#ifndef NORMINTEROP_ACTIVATION_H
#define NORMINTEROP_ACTIVATION_H

#include <stdint.h>

#include "norminterop/channel.h"
#include "norminterop/group.h"
#include "norminterop/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What follows a normalization in the same pass over memory: y = activation(z), where z is the normalized tensor, or
/// its sum with another one, the residual of He et al. 2016.
///
/// y has exactly the bits of the separate steps, each of which rounds to the data type: the call without an activation,
/// then the sum, then the activation. The backward likewise: first the gradient of the activation, g = dy *
/// activation'(z), rounded to the data type, then the backward of the normalization with g for dy.
///
/// Where nothing is kept but the statistics, the backward computes z from x once more, which takes the bias. Of a sum
/// it cannot: then the forward writes a mask, one bit for each element, and the backward reads that in place of z.
typedef enum ni_activation {
    /// y = z: the call is the one without an activation.
    NI_ACTIVATION_NONE = 0,
    /// Rectified linear unit (Nair and Hinton 2010): y = z where z > 0 or NaN, otherwise +0; g = dy where z > 0 or NaN,
    /// otherwise +0.
    NI_ACTIVATION_RELU = 1,
    /// Sigmoid linear unit (Hendrycks and Gimpel 2016; "swish", Ramachandran, Zoph and Le 2017): y = z * s with
    /// s = 1 / (1 + exp(-z)), and g = dy * s * (1 + z * (1 - s)). y is within 2 units in the last place of that for
    /// floats, within 4 for doubles. Of infinities, what has 0 times infinity is NaN: y of the negative, g of both.
    NI_ACTIVATION_SILU = 2
} ni_activation;

/// Bytes of the mask of a tensor of so many elements: (elements + 7) / 8. Bit i % 8 of byte i / 8 is that of the
/// element which is number i in memory: set where the gradient passes, z > 0 or NaN. Bits behind the last element are
/// not written. Errors: null `bytes`; a negative number of elements.
ni_status ni_activation_mask_bytes(int64_t elements, int64_t* bytes);

/// ni_batchnorm_forward_training, then residual and activation.
/// activation: an ni_activation. residual: data, or null for none; with NI_ACTIVATION_RELU only.
/// mask: out, bytes, see ni_activation_mask_bytes; with NI_ACTIVATION_RELU only. May be null: then there is no backward
/// if there is a residual, and otherwise one that computes z from x. y: data, may be exactly x or residual. All others
/// as in ni_batchnorm_forward_training, running buffers included.
ni_status ni_batchnorm_act_forward_training(const ni_channel_shape* shape, const void* x, const void* weight,
                                            const void* bias, double eps, double momentum, void* running_mean,
                                            void* running_var, double* saved_mean, double* saved_invstd, void* y,
                                            int32_t activation, const void* residual, uint8_t* mask);

/// ni_batchnorm_forward_inference, then residual and activation: as in ni_batchnorm_act_forward_training.
ni_status ni_batchnorm_act_forward_inference(const ni_channel_shape* shape, const void* x, const void* weight,
                                             const void* bias, double eps, const void* mean, const void* var, void* y,
                                             int32_t activation, const void* residual, uint8_t* mask);

/// Backward of ni_batchnorm_act_forward_training: that of ni_batchnorm_forward_training, with g for dy.
/// bias: C parameters, or null for 0: those of the forward; read only where there is an activation and no mask.
/// activation: that of the forward. mask: that of the forward, or null where it wrote none, and then there must have
/// been no residual. dresidual: out, data, the gradient of the residual, which is g; null if not wanted, and wants a
/// mask. May be exactly dy. All others as in ni_batchnorm_backward_training.
ni_status ni_batchnorm_act_backward_training(const ni_channel_shape* shape, const void* dy, const void* x,
                                             const void* weight, const void* bias, const double* saved_mean,
                                             const double* saved_invstd, int32_t gradient_mode, void* dx, void* dweight,
                                             void* dbias, int32_t activation, const uint8_t* mask, void* dresidual);

/// Backward of ni_batchnorm_act_forward_inference: that of ni_batchnorm_forward_inference, with g for dy. x is read for
/// dweight, and where there is an activation and no mask; otherwise it may be null.
/// bias, activation, mask, dresidual: as in ni_batchnorm_act_backward_training.
ni_status ni_batchnorm_act_backward_inference(const ni_channel_shape* shape, const void* dy, const void* x,
                                              const void* weight, const void* bias, double eps, const void* mean,
                                              const void* var, int32_t gradient_mode, void* dx, void* dweight,
                                              void* dbias, int32_t activation, const uint8_t* mask, void* dresidual);

/// ni_channel_apply, then residual and activation: as in ni_batchnorm_act_forward_training.
ni_status ni_channel_act_apply(const ni_channel_shape* shape, const void* x, const double* mean, const double* invstd,
                               const void* weight, const void* bias, void* y, int32_t activation, const void* residual,
                               uint8_t* mask);

/// ni_channel_backward_reduce with g for dy: sum_dy[c] = sum(g), sum_dy_xmu[c] = sum(g * (x - mean[c])).
/// invstd: C doubles, null only where there is no activation. weight: C parameters, or null for 1. Both are those of
/// the forward, and make z as the bias does.
/// bias, activation, mask: as in ni_batchnorm_act_backward_training. All others as in ni_channel_backward_reduce.
ni_status ni_channel_act_backward_reduce(const ni_channel_shape* shape, const void* dy, const void* x,
                                         const double* mean, const double* invstd, const void* weight, const void* bias,
                                         double* sum_dy, double* sum_dy_xmu, int32_t activation, const uint8_t* mask);

/// ni_channel_backward_apply with g for dy; the sums are those of g.
/// bias, activation, mask, dresidual: as in ni_batchnorm_act_backward_training. All others as in
/// ni_channel_backward_apply.
ni_status ni_channel_act_backward_apply(const ni_channel_shape* shape, const void* dy, const void* x,
                                        const double* mean, const double* invstd, const void* weight, const void* bias,
                                        const double* sum_dy, const double* sum_dy_xmu, double count, void* dx,
                                        int32_t activation, const uint8_t* mask, void* dresidual);

/// ni_groupnorm_forward, then residual and activation: as in ni_batchnorm_act_forward_training.
ni_status ni_groupnorm_act_forward(const ni_group_shape* shape, const void* x, const void* weight, const void* bias,
                                   double eps, double* saved_mean, double* saved_invstd, void* y, int32_t activation,
                                   const void* residual, uint8_t* mask);

/// Backward of ni_groupnorm_act_forward: that of ni_groupnorm_forward, with g for dy.
/// bias, activation, mask, dresidual: as in ni_batchnorm_act_backward_training.
ni_status ni_groupnorm_act_backward(const ni_group_shape* shape, const void* dy, const void* x, const void* weight,
                                    const void* bias, const double* saved_mean, const double* saved_invstd,
                                    int32_t gradient_mode, void* dx, void* dweight, void* dbias, int32_t activation,
                                    const uint8_t* mask, void* dresidual);

/// ni_instancenorm_forward, then residual and activation: as in ni_batchnorm_act_forward_training.
ni_status ni_instancenorm_act_forward(const ni_channel_shape* shape, const void* x, const void* weight,
                                      const void* bias, double eps, double momentum, void* running_mean,
                                      void* running_var, double* saved_mean, double* saved_invstd, void* y,
                                      int32_t activation, const void* residual, uint8_t* mask);

/// Backward of ni_instancenorm_act_forward: that of ni_groupnorm_act_forward with one channel per group.
ni_status ni_instancenorm_act_backward(const ni_channel_shape* shape, const void* dy, const void* x, const void* weight,
                                       const void* bias, const double* saved_mean, const double* saved_invstd,
                                       int32_t gradient_mode, void* dx, void* dweight, void* dbias, int32_t activation,
                                       const uint8_t* mask, void* dresidual);

#ifdef __cplusplus
}
#endif

#endif
