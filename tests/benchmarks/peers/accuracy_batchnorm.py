#!/usr/bin/python3
"""Largest error of BatchNorm against float64, of NormInterop and of PyTorch, for data with an offset, as a Markdown table.

    /usr/bin/python3 accuracy_batchnorm.py

Shape (8, 16, 32, 32), standard normal input plus the offset, training forward. Needs what pytorch_batchnorm.py needs.
"""

import ctypes

import pytorch_batchnorm as peers
import torch

DIMS = (8, 16, 32, 32)
OFFSETS = (0.0, 1e2, 1e3, 1e4)


def errors(library, layout, offset):
    """Of y, absolute: ours and PyTorch's. Of our running mean and variance after one batch with momentum 1, relative."""
    n, c, h, w = DIMS
    generator = torch.Generator().manual_seed(7)
    x = (torch.randn(DIMS, generator=generator) + offset).contiguous(memory_format=peers.LAYOUTS[layout])
    weight, bias, y = torch.ones(c), torch.zeros(c), torch.zeros_like(x)
    mean, var = torch.zeros(c), torch.ones(c)
    shape = peers.ChannelShape(ctypes.sizeof(peers.ChannelShape), 0, list(peers.LAYOUTS).index(layout), 0, n, c, h * w)
    library.bind("ni_batchnorm_forward_training", shape, x, weight, bias, peers.EPS, 1.0, mean, var,
                 torch.zeros(c, dtype=torch.double), torch.zeros(c, dtype=torch.double), y)()
    peer = torch.native_batch_norm(x, weight, bias, None, None, True, 1.0, peers.EPS)[0]
    exact_x = x.double()
    exact_mean = exact_x.mean((0, 2, 3))
    exact_var = exact_x.var((0, 2, 3), unbiased=True)
    exact_y = torch.nn.functional.batch_norm(exact_x.contiguous(), None, None, None, None, True, 1.0, peers.EPS)
    # A mean around zero has no relative error worth the name: it is taken relative to the standard deviation there.
    scale = torch.maximum(exact_mean.abs(), exact_var.sqrt())
    return ((y - exact_y).abs().max().item(), (peer - exact_y).abs().max().item(),
            ((mean - exact_mean).abs() / scale).max().item(), ((var - exact_var).abs() / exact_var).max().item())


def main():
    library = peers.Library()
    print(f"{library.isa()} kernels; shape {DIMS}\n")
    print("| Layout | Offset | y, NormInterop | y, PyTorch | running mean, relative | running var, relative |")
    print("|---|---:|---:|---:|---:|---:|")
    for layout in peers.LAYOUTS:
        for offset in OFFSETS:
            print(f"| {layout.replace('_', ' ')} | {offset:g} | " + " | ".join(f"{e:.1e}" for e in errors(library, layout, offset)) + " |")


if __name__ == "__main__":
    main()
