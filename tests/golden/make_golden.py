#!/usr/bin/python3
"""Writes the golden vectors of the normalization layers, computed by PyTorch in float64 on float32 inputs.

Run with a Python that has PyTorch and numpy (on Debian: apt install python3-torch):

    /usr/bin/python3 make_golden.py            writes <layer>/<name>.json beside this script
    /usr/bin/python3 make_golden.py elsewhere  writes there, to compare

Seeds are fixed by the case's own name, and PyTorch runs on one thread: a second run writes the same bytes, and a new case changes
no old file. README.md says what the fields mean. A new layer needs a function like batch_norm_cases() and a line in all_cases().
"""

import copy
import pathlib
import sys
import zlib
from dataclasses import dataclass, field

import numpy as np
import torch


@dataclass
class Step:
    """One use of the module: a forward, followed by a backward unless `backward` is off."""

    shape: tuple
    training: bool
    backward: bool = True


@dataclass
class Case:
    layer: str  # class in torch.nn
    name: str  # file name, unique within the layer
    arguments: dict  # of the layer's constructor; they are written to the file as they are
    steps: list
    offset: float = 0.0  # added to every input
    seed: int = field(init=False)

    def __post_init__(self):
        self.seed = zlib.crc32(f"{self.layer}/{self.name}".encode())


# Cases

BATCH_NORM_VARIANTS = {
    "momentum_none": {"momentum": None},
    "momentum_negative": {"momentum": -0.3},
    "momentum_zero": {"momentum": 0.0},
    "no_affine": {"affine": False},
    "no_tracking": {"track_running_stats": False},
    "eps_1e-3": {"eps": 1e-3},
}

# Layer, prefix of the name, shape, and the smaller shape of the variants, which keeps the files small. Sizes are odd, so that no vector
# width divides them.
BATCH_NORM_SHAPES = [
    ("BatchNorm1d", "2d_input_", (7, 5), (7, 5)),
    ("BatchNorm1d", "3d_input_", (4, 3, 17), (3, 3, 7)),
    ("BatchNorm2d", "", (3, 4, 5, 7), (3, 3, 3, 5)),
    ("BatchNorm3d", "", (2, 3, 3, 4, 5), (2, 3, 3, 3, 3)),
]


def batch_norm_case(layer, name, shape, offset=0.0, batches=None, **changes):
    """Three training steps, an evaluation of one sample, and an evaluation of a batch with backward."""
    arguments = {"num_features": shape[1], "eps": 1e-5, "momentum": 0.1, "affine": True, "track_running_stats": True}
    arguments.update(changes)
    # Without buffers, evaluation takes the statistics of its batch, and PyTorch refuses those of a single value.
    single = (1 if arguments["track_running_stats"] else shape[0],) + shape[1:]
    steps = [Step((n,) + shape[1:], training=True) for n in batches or [shape[0]] * 3]
    steps += [Step(single, training=False, backward=False), Step(shape, training=False)]
    return Case(layer, name, arguments, steps, offset)


def batch_norm_cases():
    for layer, prefix, shape, small in BATCH_NORM_SHAPES:
        yield batch_norm_case(layer, prefix + "default", shape)
        yield batch_norm_case(layer, prefix + "offset_100", shape, offset=100.0)
        for name, changes in BATCH_NORM_VARIANTS.items():
            yield batch_norm_case(layer, prefix + name, small, **changes)
    small = BATCH_NORM_SHAPES[2][3]
    yield batch_norm_case("BatchNorm2d", "empty_batch", small, batches=[3, 0, 3])
    # The empty batch moves no buffer but is counted, so the next one enters the average with 1/3.
    yield batch_norm_case("BatchNorm2d", "empty_batch_momentum_none", small, batches=[3, 0, 3], momentum=None)


def all_cases():
    yield from batch_norm_cases()


# Computation


def random_float32(generator, shape, offset=0.0):
    return (generator.standard_normal(shape) + offset).astype(np.float32)


def state_of(tensor):
    """A copy, because the module goes on writing to its buffers and gradients. None for what the module does not have."""
    return None if tensor is None else tensor.detach().numpy().copy()


def make_module(case, generator):
    """A float64 module whose parameters are random float32 values; also those values."""
    module = getattr(torch.nn, case.layer)(**case.arguments).double()
    parameters = {"weight": None, "bias": None}
    for name, parameter in module.named_parameters():
        parameters[name] = random_float32(generator, tuple(parameter.shape))
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(parameters[name]))
    return module, parameters


def round_buffers(module):
    """To float32 and back: a float module keeps its buffers so, and evaluation starts from what they hold."""
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
    round_buffers(module)

    result = {"training": step.training, "shape": list(step.shape), "x": x, "dy": dy, "y": state_of(y), "dx": state_of(x64.grad)}
    for name in ["running_mean", "running_var", "num_batches_tracked"]:
        result[name] = state_of(getattr(module, name, None))
    for name in ["weight", "bias"]:
        parameter = getattr(module, name, None)
        result[name + "_grad"] = None if parameter is None else state_of(parameter.grad)
    return result


def run_case(case):
    generator = np.random.default_rng(case.seed)
    module, parameters = make_module(case, generator)
    float32_module = copy.deepcopy(module).float()

    steps = []
    for step in case.steps:
        x = random_float32(generator, step.shape, case.offset)
        dy = random_float32(generator, step.shape) if step.backward else None
        steps.append(run_step(module, step, x, dy))
    steps[0]["y_float32"] = state_of(float32_module.train(case.steps[0].training)(torch.from_numpy(steps[0]["x"])))
    return {"layer": case.layer, "name": case.name, **case.arguments, **parameters, "steps": steps}


# Output


def scalar_text(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    # Of a numpy scalar, str is the shortest decimal that reads back as the same float32 or float64.
    return str(value) if isinstance(value, np.generic) else repr(value)


def json_text(value, indent=""):
    """JSON with a line per key, and arrays of numbers on one line: compact, and yet a changed field is a changed line."""
    inner = indent + " "
    if isinstance(value, dict):
        lines = [f'{inner}"{key}":{json_text(item, inner)}' for key, item in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + indent + "}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(inner + json_text(item, inner) for item in value) + "\n" + indent + "]"
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return scalar_text(value[()])
    if isinstance(value, np.ndarray):
        if not np.isfinite(value).all():
            raise ValueError("JSON has no NaN or infinity")
        value = list(value.ravel())
    if isinstance(value, list):
        return "[" + ",".join(scalar_text(item) for item in value) + "]"
    return scalar_text(value)


def main():
    torch.set_num_threads(1)
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent
    for case in all_cases():
        path = root / case.layer / f"{case.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json_text(run_case(case)) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
