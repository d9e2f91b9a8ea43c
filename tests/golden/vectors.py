"""What a case is, and how its numbers are computed."""

import zlib
from dataclasses import dataclass, field

import numpy as np
import torch

import formulas

BUFFERS = ["running_mean", "running_var", "num_batches_tracked", "mean_sum", "variance_sum", "factor"]


@dataclass
class Step:
    """One use of the module: a forward, followed by a backward unless `backward` is off."""

    shape: tuple
    training: bool
    backward: bool = True


@dataclass
class Case:
    layer: str  # class in formulas.py or torch.nn
    name: str  # file name, unique within the layer
    arguments: dict  # of the layer's constructor; they are written to the file as they are
    steps: list
    offset: float = 0.0  # added to every input
    scale: float = 1.0  # of every input
    sixteen_bit: bool = False  # inputs and output gradients are exact in half and bfloat16
    without_bias: bool = False  # a parameter that later versions of PyTorch can leave out, taken away
    seed: int = field(init=False)

    def __post_init__(self):
        self.seed = zlib.crc32(f"{self.layer}/{self.name}".encode())


def random_float32(generator, shape, offset=0.0, scale=1.0):
    return np.asarray(generator.standard_normal(shape) * scale + offset).astype(np.float32)


def to_sixteen_bit(values):
    """Rounds to at most 8 significant bits (bfloat16) that are multiples of 1/256 (no subnormal of half); short to print, too."""
    coarse = torch.from_numpy(np.round(values * 256) / 256).bfloat16().float()
    if not torch.equal(coarse.half().float(), coarse):
        raise ValueError("a value of 16 bits is not exact in half")
    return coarse.numpy()


def state_of(tensor):
    """A copy, because the module goes on writing to its buffers and gradients. None for what the module does not have."""
    return None if tensor is None else tensor.detach().numpy().copy()


def make_module(case, generator):
    """A float64 module whose parameters are random float32 values; also those values."""
    layer = getattr(formulas, case.layer, None) or getattr(torch.nn, case.layer)
    module = layer(**case.arguments).double()
    if case.without_bias:
        module.bias = None
    parameters = {"weight": None, "bias": None}
    for name, parameter in module.named_parameters():
        # A scalar parameter is written as one element, too.
        parameters[name] = np.atleast_1d(random_float32(generator, tuple(parameter.shape)))
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(parameters[name]).reshape(parameter.shape))
    return module, parameters


def round_buffers(module):
    """To float32 and back: a float module keeps its buffers so, and the next step starts from what they hold."""
    for buffer in module.buffers():
        if buffer.is_floating_point():
            buffer.copy_(buffer.float())


def run_step(module, step, x, dy):
    """One step in float64. Gradients of parameters are never cleared, so they go on accumulating from step to step."""
    module.train(step.training)
    x64 = torch.from_numpy(x).double().requires_grad_(True)
    y = module(x64)
    if dy is not None:
        y.backward(torch.from_numpy(dy).double())

    result = {"training": step.training, "shape": list(step.shape), "x": x, "dy": dy, "y": state_of(y), "dx": state_of(x64.grad)}
    for name in BUFFERS:
        if hasattr(module, name):
            result[name] = state_of(getattr(module, name))
    for name in ["weight", "bias"]:
        parameter = getattr(module, name, None)
        result[name + "_grad"] = None if parameter is None else state_of(parameter.grad)
    round_buffers(module)
    return result


def run_case(case):
    generator = np.random.default_rng(case.seed)
    module, parameters = make_module(case, generator)
    steps = []
    for step in case.steps:
        x = random_float32(generator, step.shape, case.offset, case.scale)
        dy = random_float32(generator, step.shape) if step.backward else None
        if case.sixteen_bit:
            x, dy = to_sixteen_bit(x), None if dy is None else to_sixteen_bit(dy)
        steps.append(run_step(module, step, x, dy))
    return {
        "layer": case.layer, "name": case.name, "sixteen_bit": case.sixteen_bit, **case.arguments, **parameters, "steps": steps
    }
