"""The layers that PyTorch 1.13 lacks, as modules of it: the forward is the formula, the backward is PyTorch's autograd."""

import torch


class RMSNorm(torch.nn.Module):
    """y = x / sqrt(mean(x^2) + eps) * weight, as torch.nn.RMSNorm of later versions.

    eps None is the machine epsilon of the type that the layer computes in; the caller says which that is, since everything here is
    computed in float64.
    """

    def __init__(self, normalized_shape, eps=None, elementwise_affine=True, machine_epsilon_of="float32"):
        super().__init__()
        self.normalized_shape = tuple(normalized_shape)
        self.eps = torch.finfo(getattr(torch, machine_epsilon_of)).eps if eps is None else eps
        self.weight = torch.nn.Parameter(torch.ones(self.normalized_shape)) if elementwise_affine else None

    def forward(self, x):
        dimensions = tuple(range(x.dim() - len(self.normalized_shape), x.dim()))
        y = x / torch.sqrt(x.square().mean(dimensions, keepdim=True) + self.eps)
        return y if self.weight is None else y * self.weight


class CaffeBatchNorm(torch.nn.Module):
    """Caffe's BatchNorm layer: no affine part, and discounted sums with their total weight in place of running averages."""

    def __init__(self, num_features, eps=1e-5, moving_average_fraction=0.999, use_global_stats=None):
        super().__init__()
        self.eps = eps
        self.fraction = moving_average_fraction
        self.use_global_stats = use_global_stats
        self.register_buffer("mean_sum", torch.zeros(num_features))
        self.register_buffer("variance_sum", torch.zeros(num_features))
        self.register_buffer("factor", torch.zeros(1))

    def forward(self, x):
        per_channel = (1, -1) + (1,) * (x.dim() - 2)
        use_global = not self.training if self.use_global_stats is None else self.use_global_stats
        if use_global:
            factor = self.factor.item()
            inverse = 0.0 if factor == 0 else 1.0 / factor
            mean, var = self.mean_sum * inverse, self.variance_sum * inverse
        else:
            dimensions = (0,) + tuple(range(2, x.dim()))
            mean = x.mean(dimensions)
            var = (x - mean.view(per_channel)).square().mean(dimensions)
            m = x.numel() // x.shape[1]
            with torch.no_grad():
                self.factor.mul_(self.fraction).add_(1)
                self.mean_sum.mul_(self.fraction).add_(mean)
                self.variance_sum.mul_(self.fraction).add_(var * (m / (m - 1) if m > 1 else 1.0))
        return (x - mean.view(per_channel)) / torch.sqrt(var.view(per_channel) + self.eps)


class CaffeScale(torch.nn.Module):
    """Caffe's Scale layer: y = x * weight + bias, which have the lengths of num_axes dimensions of x, the first of them axis.

    num_axes -1 means all from axis on, and 0 a single number.
    """

    def __init__(self, scale_shape, axis=1, num_axes=1, bias_term=False):
        super().__init__()
        self.axis = axis
        self.weight = torch.nn.Parameter(torch.ones(scale_shape))
        self.bias = torch.nn.Parameter(torch.zeros(scale_shape)) if bias_term else None

    def forward(self, x):
        behind = (1,) * (x.dim() - self.axis - self.weight.dim())
        y = x * self.weight.view(self.weight.shape + (behind if self.weight.dim() else ()))
        return y if self.bias is None else y + self.bias.view(self.bias.shape + (behind if self.weight.dim() else ()))
