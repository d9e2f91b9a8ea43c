// Per-channel normalization over whole tensors, on the kernels of one instruction set. What each computes is said at
// the function of the same name in the C headers. Arguments are valid; std::bad_alloc is the only exception, and it
// comes before anything is written.
#pragma once

#include <stdint.h>

#include "kernels/channel/channel_tensor.h"
#include "kernels/registry.h"

namespace ni {

/// weight (gamma) and bias (beta) of the affine part; null stands for 1 and 0.
struct Affine {
    const float* weight;
    const float* bias;
};

/// Running mean and variance, both null when they are not tracked.
struct RunningBuffers {
    float* mean;
    float* var;
    double momentum;
};

/// Where parameter gradients go; null where they are not wanted.
struct ParameterGradients {
    float* weight;
    float* bias;
    bool accumulate;
};

void channel_statistics(const KernelTable& kernels, const ChannelTensor& tensor, const float* x, double* mean,
                        double* m2);

void channel_apply(const KernelTable& kernels, const ChannelTensor& tensor, const float* x, const double* mean,
                   const double* invstd, const Affine& affine, float* y);

void channel_backward_reduce(const KernelTable& kernels, const ChannelTensor& tensor, const float* dy, const float* x,
                             const double* mean, double* sum_dy, double* sum_dy_xmu);

void channel_backward_apply(const KernelTable& kernels, const ChannelTensor& tensor, const float* dy, const float* x,
                            const double* mean, const double* invstd, const float* weight, const double* sum_dy,
                            const double* sum_dy_xmu, double count, float* dx);

void batchnorm_forward_training(const KernelTable& kernels, const ChannelTensor& tensor, const float* x,
                                const Affine& affine, double eps, const RunningBuffers& running, double* saved_mean,
                                double* saved_invstd, float* y);

void batchnorm_forward_inference(const KernelTable& kernels, const ChannelTensor& tensor, const float* x,
                                 const Affine& affine, double eps, const float* mean, const float* var, float* y);

void batchnorm_backward_training(const KernelTable& kernels, const ChannelTensor& tensor, const float* dy,
                                 const float* x, const float* weight, const double* saved_mean,
                                 const double* saved_invstd, float* dx, const ParameterGradients& gradients);

void batchnorm_backward_inference(const KernelTable& kernels, const ChannelTensor& tensor, const float* dy,
                                  const float* x, const float* weight, double eps, const float* mean, const float* var,
                                  float* dx, const ParameterGradients& gradients);

}  // namespace ni
