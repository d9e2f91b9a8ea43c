#!/usr/bin/python3
"""Largest errors of the forward passes, of NormInterop and of PyTorch, for data with an offset, as Markdown tables.

    /usr/bin/python3 accuracy.py [--dtype float32|float64|float16|bfloat16]

Standard normal input plus the offset, weight 1 and bias 0, training forward. What is right is computed from the same input as
(x - mean) / sqrt(var + eps) in float64, for data of float64 in numpy's longdouble. PyTorch in float64 would not do: its a * x + b loses
digits at large offsets. PyTorch 1.13 has no RMSNorm: its column there is that of the formula.

Needs PyTorch and numpy (on Debian: python3-torch, python3-numpy) and our library: that of build/release/lib, or the file that
NORMINTEROP_LIBRARY names.
"""

import argparse
import collections

from library import DATA_TYPES, LAYOUTS, Library, channel_shape, group_shape, row_shape
import numpy
import torch

EPS = 1e-5
ROWS, IMAGES, GROUPS = (64, 1024), (8, 16, 32, 32), 4
OFFSETS = (0.0, 1e2, 1e3, 1e4)

# y: ours and PyTorch's. exact: what y should be. mean, var: (ours, exact) of running buffers after one batch with momentum 1, if any.
Result = collections.namedtuple("Result", "ours peer exact mean var", defaults=(None, None))


def exact_input(x):
    """In a type with enough digits more than the data's, as (N, C, ...) whatever the layout."""
    return x.double().numpy() if x.dtype != torch.float64 else x.numpy().astype(numpy.longdouble)


def normalized(x, axes):
    """(x - mean) / sqrt(var + eps) over the axes, their mean and unbiased variance."""
    mean = x.mean(axes, keepdims=True)
    squares = (x - mean) ** 2
    values = numpy.prod([x.shape[axis] for axis in axes])
    return ((x - mean) / numpy.sqrt(squares.mean(axes, keepdims=True) + x.dtype.type(EPS)), mean.squeeze(axes),
            (squares.sum(axes, keepdims=True) / (values - 1)).squeeze(axes))


def unsupported_as_none(call):
    """PyTorch's output, or None where it has no kernel for the type."""
    try:
        return call()
    except (RuntimeError, NotImplementedError) as error:
        if "not implemented for" not in str(error):
            raise
        return None


class Input:
    """Data, parameters and output of one measurement."""

    def __init__(self, dims, layout, dtype, offset):
        data = {"memory_format": LAYOUTS[layout]} if len(dims) == 4 else {}
        noise = torch.randn(dims, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
        self.dims, self.layout, self.dtype = dims, layout, dtype
        self.x = (noise + offset).to(dtype.data).contiguous(**data)
        self.exact = exact_input(self.x)
        self.y = torch.zeros_like(self.x)
        parameters = dims[1]  # channels, or the length of rows
        self.weight, self.bias = torch.ones(parameters, dtype=dtype.parameters), torch.zeros(parameters, dtype=dtype.parameters)
        self.running = torch.zeros_like(self.weight), torch.ones_like(self.weight)
        self.peer_weight, self.peer_bias = torch.ones(parameters, dtype=dtype.data), torch.zeros(parameters, dtype=dtype.data)


def batch_norm(library, data):
    shape = channel_shape(data.dims, data.layout, data.dtype, 0)
    library.bind("ni_batchnorm_forward_training", shape, data.x, data.weight, data.bias, EPS, 1.0, *data.running, None, None, data.y)()
    peer = unsupported_as_none(lambda: torch.native_batch_norm(data.x, data.weight, data.bias, None, None, True, 1.0, EPS)[0])
    exact, mean, var = normalized(data.exact, (0, 2, 3))
    return Result(data.y, peer, exact, (data.running[0], mean), (data.running[1], var))


def instance_norm(library, data):
    shape = channel_shape(data.dims, data.layout, data.dtype, 0)
    library.bind("ni_instancenorm_forward", shape, data.x, data.weight, data.bias, EPS, 1.0, *data.running, None, None, data.y)()
    peer = unsupported_as_none(
        lambda: torch.instance_norm(data.x, data.weight, data.bias, None, None, True, 1.0, EPS, False))
    exact, mean, var = normalized(data.exact, (2, 3))
    return Result(data.y, peer, exact, (data.running[0], mean.mean(0)), (data.running[1], var.mean(0)))


def group_norm(library, data):
    n, c, h, w = data.dims
    shape = group_shape(data.dims, GROUPS, data.layout, data.dtype, 0)
    library.bind("ni_groupnorm_forward", shape, data.x, data.weight, data.bias, EPS, None, None, data.y)()
    peer = unsupported_as_none(
        lambda: torch.native_group_norm(data.x, data.peer_weight, data.peer_bias, n, c, h * w, GROUPS, EPS)[0])
    exact = normalized(data.exact.reshape(n, GROUPS, -1), (2,))[0].reshape(data.dims)
    return Result(data.y, peer, exact)


def layer_norm(library, data):
    shape = row_shape(data.dims, data.dtype, 0)
    library.bind("ni_layernorm_forward", shape, data.x, data.weight, data.bias, EPS, None, None, data.y)()
    peer = unsupported_as_none(
        lambda: torch.native_layer_norm(data.x, (data.dims[1],), data.peer_weight, data.peer_bias, EPS)[0])
    return Result(data.y, peer, normalized(data.exact, (1,))[0])


def rms_norm(library, data):
    shape = row_shape(data.dims, data.dtype, 0)
    library.bind("ni_rmsnorm_forward", shape, data.x, data.weight, EPS, None, data.y)()
    peer = unsupported_as_none(
        lambda: data.x * torch.rsqrt(data.x.pow(2).mean(-1, keepdim=True) + EPS) * data.peer_weight)
    exact = data.exact / numpy.sqrt((data.exact ** 2).mean(1, keepdims=True) + data.exact.dtype.type(EPS))
    return Result(data.y, peer, exact)


# name: (function, shape, layouts)
FAMILIES = {
    "LayerNorm": (layer_norm, ROWS, ["contiguous"]), f"GroupNorm({GROUPS})": (group_norm, IMAGES, list(LAYOUTS)),
    "InstanceNorm": (instance_norm, IMAGES, list(LAYOUTS)), "BatchNorm": (batch_norm, IMAGES, list(LAYOUTS)),
    "RMSNorm": (rms_norm, ROWS, ["contiguous"])}


def absolute(tensor, exact):
    """The largest error of a tensor, or "-"."""
    return "-" if tensor is None else f"{numpy.abs(exact_input(tensor) - exact).max():.1e}"


def relative(pair, scale):
    """The largest error of a running buffer, or "-" where there is none."""
    if pair is None:
        return "-"
    own, exact = pair
    error = numpy.abs(exact_input(own) - exact)
    # Where all values are equal, as rounding to 16 bits makes them, the variance must be 0 and has no size to be relative to.
    return f"{numpy.divide(error, scale, out=error.copy(), where=scale > 0).max():.1e}"


def print_table(library, dtype):
    print(f"\n{dtype.name}:\n")
    print("| Family | Shape | Layout | Offset | y, NormInterop | y, PyTorch | running mean, relative | running var, relative |")
    print("|---|---|---|---:|---:|---:|---:|---:|")
    for name, (measure, dims, layouts) in FAMILIES.items():
        for layout in layouts:
            for offset in OFFSETS:
                result = measure(library, Input(dims, layout, dtype, offset))
                # A mean around zero has no relative error worth the name: it is taken relative to the standard deviation there.
                size = numpy.maximum(numpy.abs(result.mean[1]), numpy.sqrt(result.var[1])) if result.mean else None
                mean, var = relative(result.mean, size), relative(result.var, result.var and result.var[1])
                print(f"| {name} | {','.join(map(str, dims))} | {layout} | {offset:g} | {absolute(result.ours, result.exact)} "
                      f"| {absolute(result.peer, result.exact)} | {mean} | {var} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--dtype", choices=list(DATA_TYPES), action="append", help="may be repeated (float32 and float64)")
    parser.add_argument("--threads", type=int, default=2, help="threads of PyTorch, whose results depend on them (2)")
    arguments = parser.parse_args()
    library = Library()
    torch.set_num_threads(arguments.threads)
    print(f"{library.isa()} kernels against PyTorch {torch.__version__}, {arguments.threads} threads")
    for name in arguments.dtype or ("float32", "float64"):
        print_table(library, DATA_TYPES[name])


if __name__ == "__main__":
    main()
