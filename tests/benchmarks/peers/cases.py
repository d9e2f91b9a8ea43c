"""What is compared: for every family and shape the buffers, and for every pass one call of each library."""

import collections

from library import LAYOUTS, channel_shape, group_shape, row_shape
import torch

EPS, MOMENTUM = 1e-5, 0.1
ATEN = torch.ops.aten

# By how much results may differ. For float data by what PyTorch loses: 2e-4 where it sums the 400 000 values of a channel in float, one
# after another. For data of 16 bits by half a step of the largest numbers, since they are compared with results in double.
TOLERANCES = {"float32": 1e-3, "float64": 1e-9, "float16": 0.01, "bfloat16": 0.07}

# ours, peer: calls without arguments. pairs: takes what `peer` returned, gives [(name, our tensor, PyTorch's, share of the tolerance)].
Pass = collections.namedtuple("Pass", "ours peer pairs")


class Case:
    """One shape in one layout: the tensors of both libraries, and the passes that a family adds.

    peer_parameters: the type that PyTorch's weight and bias must have. source: a case that has the numbers already.
    """

    def __init__(self, dims, layout, dtype, parameters, peer_parameters, source=None):
        if source:
            numbers = source.x, source.dy, source.weight, source.bias
        else:
            generator = torch.Generator().manual_seed(1)
            normal = lambda lengths: torch.randn(lengths, generator=generator)
            numbers = normal(dims), normal(dims), torch.rand(parameters, generator=generator) + 0.5, normal(parameters)
        data = {"memory_format": LAYOUTS[layout]} if len(dims) == 4 else {}
        self.x, self.dy = (values.to(dtype.data).contiguous(**data) for values in numbers[:2])
        # PyTorch's parameters first: where they have 16 bits, ours are the same numbers.
        self.peer_weight, self.peer_bias = (values.to(peer_parameters) for values in numbers[2:])
        self.weight, self.bias = self.peer_weight.to(dtype.parameters), self.peer_bias.to(dtype.parameters)
        self.y, self.dx = torch.zeros_like(self.x), torch.zeros_like(self.x)
        self.dweight, self.dbias = torch.zeros_like(self.weight), torch.zeros_like(self.bias)
        self.tolerance = TOLERANCES[dtype.name]
        self.passes = {}

    def copy(self):
        """The yardstick: one read and one write."""
        self.y.copy_(self.x)

    def page_offsets(self):
        """For the report: a store slows down the loads after it that have the last 12 bits of their address in common with it."""
        return {name: getattr(self, name).data_ptr() % 4096 for name in ("x", "dy", "y", "dx")}

    def saved(self, count):
        return torch.zeros(count, dtype=torch.double), torch.zeros(count, dtype=torch.double)

    def gradients(self, dx, dweight, dbias=None):
        """The pairs of a backward pass."""
        # A sum of n numbers around zero is of the size of sqrt(n).
        size = (self.x.numel() / self.weight.numel()) ** 0.5
        pairs = [("dx", self.dx, dx, 1.0), ("dweight / sqrt(n)", self.dweight / size, dweight / size, 1.0)]
        return pairs if dbias is None else [*pairs, ("dbias / sqrt(n)", self.dbias / size, dbias / size, 1.0)]

    def verify(self, exact=None):
        """Raises if the libraries disagree by more than their types explain; returns the largest differences.

        exact: a case of the same numbers in double, whose PyTorch results stand in for this case's.
        """
        found = {}
        for name, entry in self.passes.items():
            entry.ours()
            pairs = entry.pairs(entry.peer())
            expected = exact.passes[name].pairs(exact.passes[name].peer()) if exact else pairs
            for (what, own, _, share), (_, _, peer, _) in zip(pairs, expected):
                difference = (own.double() - peer.double()).abs().max().item()
                found[f"{name}: {what}"] = difference
                if not difference <= share * self.tolerance:
                    raise RuntimeError(
                        f"{name}: {what} differs from PyTorch's by {difference:.2e}, more than {share * self.tolerance:.0e}")
        return found


def batch_norm(library, dims, layout, dtype, threads, groups, source=None):
    """PyTorch takes bfloat16 data with float parameters here, as we do."""
    c = dims[1]
    case = Case(dims, layout, dtype, c, dtype.parameters, source)
    shape = channel_shape(dims, layout, dtype, threads)
    x, dy, weight, bias = case.x, case.dy, case.peer_weight, case.peer_bias
    running, peer_running = [(torch.zeros_like(weight), torch.ones_like(weight)) for _ in range(2)]
    eval_mean, eval_var = bias / 10, weight.clone()  # numbers like any others
    saved, peer_saved = case.saved(c), torch.native_batch_norm(x, weight, bias, None, None, True, MOMENTUM, EPS)[1:]
    case.passes["forward"] = Pass(
        library.bind("ni_batchnorm_forward_training", shape, x, case.weight, case.bias, EPS, MOMENTUM, *running, *saved, case.y),
        lambda: torch.native_batch_norm(x, weight, bias, *peer_running, True, MOMENTUM, EPS),
        lambda peer: [("y", case.y, peer[0], 1.0), ("running mean", running[0], peer_running[0], 0.1),
                      ("running var", running[1], peer_running[1], 1.0)])
    case.passes["inference"] = Pass(
        library.bind("ni_batchnorm_forward_inference", shape, x, case.weight, case.bias, EPS, eval_mean, eval_var, case.y),
        lambda: torch.native_batch_norm(x, weight, bias, eval_mean, eval_var, False, MOMENTUM, EPS),
        lambda peer: [("y", case.y, peer[0], 1.0)])
    case.passes["backward"] = Pass(
        library.bind("ni_batchnorm_backward_training", shape, dy, x, case.weight, *saved, 0, case.dx, case.dweight, case.dbias),
        lambda: ATEN.native_batch_norm_backward(dy, x, weight, *peer_running, *peer_saved, True, EPS, [True, True, True]),
        lambda peer: case.gradients(*peer))
    return case


def layer_norm(library, dims, layout, dtype, threads, groups, source=None):
    """PyTorch wants parameters of the data's type: with bfloat16 data it reads and writes bfloat16 ones, we float."""
    rows, length = dims
    case = Case(dims, layout, dtype, length, dtype.data, source)
    shape = row_shape(dims, dtype, threads)
    x, dy, weight, bias = case.x, case.dy, case.peer_weight, case.peer_bias
    saved, peer_saved = case.saved(rows), torch.native_layer_norm(x, (length,), weight, bias, EPS)[1:]
    case.passes["forward"] = Pass(
        library.bind("ni_layernorm_forward", shape, x, case.weight, case.bias, EPS, *saved, case.y),
        lambda: torch.native_layer_norm(x, (length,), weight, bias, EPS),
        lambda peer: [("y", case.y, peer[0], 1.0)])
    case.passes["backward"] = Pass(
        library.bind("ni_layernorm_backward", shape, dy, x, case.weight, *saved, 0, case.dx, case.dweight, case.dbias),
        lambda: ATEN.native_layer_norm_backward(dy, x, (length,), *peer_saved, weight, bias, [True, True, True]),
        lambda peer: case.gradients(*peer))
    return case


def rms_norm(library, dims, layout, dtype, threads, groups, source=None):
    """PyTorch 1.13 has no kernel: the formula, from its operators, as a user of it writes it. Its backward is written out as well, which
    is less work than automatic differentiation of the forward makes."""
    rows, length = dims
    case = Case(dims, layout, dtype, length, dtype.data, source)
    shape = row_shape(dims, dtype, threads)
    x, dy, weight = case.x, case.dy, case.peer_weight
    saved = torch.zeros(rows, dtype=torch.double)
    peer_invrms = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS)

    def peer_backward():
        xhat, g = x * peer_invrms, dy * weight
        dx = peer_invrms * (g - xhat * (g * xhat).mean(-1, keepdim=True))
        return dx, (dy * xhat).sum(0)

    case.passes["forward"] = Pass(
        library.bind("ni_rmsnorm_forward", shape, x, case.weight, EPS, saved, case.y),
        lambda: x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS) * weight,
        lambda peer: [("y", case.y, peer, 1.0)])
    case.passes["backward"] = Pass(
        library.bind("ni_rmsnorm_backward", shape, dy, x, case.weight, saved, 0, case.dx, case.dweight),
        peer_backward,
        lambda peer: case.gradients(*peer))
    return case


def group_norm(library, dims, layout, dtype, threads, groups, source=None):
    """PyTorch wants parameters of the data's type. Its backward knows contiguous data alone: torch.autograd copies what is not."""
    n, c, *_ = dims
    case = Case(dims, layout, dtype, c, dtype.data, source)
    shape = group_shape(dims, groups, layout, dtype, threads)
    x, dy, weight, bias = case.x, case.dy, case.peer_weight, case.peer_bias
    sizes = (n, c, shape.spatial, groups)
    saved, peer_saved = case.saved(n * groups), torch.native_group_norm(x, weight, bias, *sizes, EPS)[1:]
    case.passes["forward"] = Pass(
        library.bind("ni_groupnorm_forward", shape, x, case.weight, case.bias, EPS, *saved, case.y),
        lambda: torch.native_group_norm(x, weight, bias, *sizes, EPS),
        lambda peer: [("y", case.y, peer[0], 1.0)])
    case.passes["backward"] = Pass(
        library.bind("ni_groupnorm_backward", shape, dy, x, case.weight, *saved, 0, case.dx, case.dweight, case.dbias),
        lambda: ATEN.native_group_norm_backward(dy.contiguous(), x.contiguous(), *peer_saved, weight, *sizes, [True, True, True]),
        lambda peer: case.gradients(*peer))
    return case


def instance_norm(library, dims, layout, dtype, threads, groups, source=None):
    """PyTorch sees a batch of one with N * C channels and calls its batch_norm, for which data must be contiguous. Its backward here is
    what torch.autograd runs: that of batch_norm, and sums over the samples for the parameters."""
    n, c, *spatial = dims
    case = Case(dims, layout, dtype, c, dtype.parameters, source)
    shape = channel_shape(dims, layout, dtype, threads)
    x, dy, weight, bias = case.x, case.dy, case.peer_weight, case.peer_bias
    view = (1, n * c, *spatial)
    saved, peer_x, peer_weight = case.saved(n * c), x.contiguous().view(view), weight.repeat(n)  # torch.autograd keeps the latter two
    peer_saved = torch.native_batch_norm(peer_x, peer_weight, bias.repeat(n), None, None, True, MOMENTUM, EPS)[1:]

    def peer_backward():
        dx, dweight, dbias = ATEN.native_batch_norm_backward(
            dy.reshape(view), peer_x, peer_weight, None, None, *peer_saved, True, EPS, [True, True, True])
        return dx.view(dims), dweight.view(n, c).sum(0), dbias.view(n, c).sum(0)

    case.passes["forward"] = Pass(
        library.bind("ni_instancenorm_forward", shape, x, case.weight, case.bias, EPS, MOMENTUM, None, None, *saved, case.y),
        lambda: torch.instance_norm(x, weight, bias, None, None, True, MOMENTUM, EPS, False),
        lambda peer: [("y", case.y, peer, 1.0)])
    case.passes["backward"] = Pass(
        library.bind("ni_instancenorm_backward", shape, dy, x, case.weight, *saved, 0, case.dx, case.dweight, case.dbias),
        peer_backward,
        lambda peer: case.gradients(*peer))
    return case


# make: one of the functions above. passes: what it times. shapes: the usual ones, (N, C, H, W), or (rows, length) where there is no layout.
Family = collections.namedtuple("Family", "make passes shapes layouts")
ROWS = [(4096, 768), (8192, 4096), (128, 768), (1, 768)]
RESNET = [(32, 64, 112, 112), (32, 256, 56, 56), (32, 512, 28, 28), (32, 2048, 7, 7), (1, 64, 56, 56), (8, 16, 32, 32), (8, 64, 4, 4)]
FAMILIES = {
    "BatchNorm": Family(batch_norm, ("forward", "inference", "backward"), RESNET, tuple(LAYOUTS)),
    "LayerNorm": Family(layer_norm, ("forward", "backward"), ROWS, ("contiguous",)),
    "GroupNorm": Family(group_norm, ("forward", "backward"), [(2, 320, 96, 96), (32, 64, 112, 112)], tuple(LAYOUTS)),
    "InstanceNorm": Family(instance_norm, ("forward", "backward"), [(8, 64, 128, 128)], tuple(LAYOUTS)),
    "RMSNorm": Family(rms_norm, ("forward", "backward"), ROWS, ("contiguous",))}
