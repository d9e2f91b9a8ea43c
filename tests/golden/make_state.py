#!/usr/bin/python3
"""Writes state/*.safetensors: state dicts of PyTorch, for the tests that read and write such files.

Run with a Python that has PyTorch and numpy (on Debian: apt install python3-torch):

    /usr/bin/python3 make_state.py            writes state/<name>.safetensors beside this script
    /usr/bin/python3 make_state.py elsewhere  writes there, to compare

The package safetensors is not needed: the format (https://github.com/huggingface/safetensors) is written here, in the layout of that
package, so that a file is the same to the byte whoever writes it: tensors with the widest types first, then by name; JSON without white
space; header filled up with spaces to a multiple of 8 bytes.

model_<type>.safetensors  state_dict() of one model in four types, after two training steps in float64.
rounding.safetensors      float32 and float64 numbers and what PyTorch makes of them in narrower types: ties, limits, random bits.
names.safetensors         names and metadata that need JSON escapes, a scalar, empty tensors, and types that only pass through.
"""

import json
import pathlib
import struct
import sys

import numpy as np
import torch

# Name in a file and rank in the order of tensors, from PyTorch's type. The order is that of the package.
TYPES = {
    torch.bool: ("BOOL", 0),
    torch.uint8: ("U8", 4),
    torch.int8: ("I8", 5),
    torch.int16: ("I16", 11),
    torch.float16: ("F16", 13),
    torch.bfloat16: ("BF16", 14),
    torch.int32: ("I32", 15),
    torch.float32: ("F32", 17),
    torch.float64: ("F64", 19),
    torch.int64: ("I64", 20),
}


def little_endian(tensor):
    """The elements as bytes. numpy has no bfloat16, so that goes through the integers of its size."""
    tensor = tensor.detach().contiguous()
    array = tensor.view(torch.int16).numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()
    return array.astype(array.dtype.newbyteorder("<")).tobytes()


def safetensors(tensors, metadata=None):
    """A file's bytes."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = dict(sorted(metadata.items()))
    for name, tensor in sorted(tensors.items(), key=lambda item: (-TYPES[item[1].dtype][1], item[0].encode())):
        content = little_endian(tensor)
        header[name] = {
            "dtype": TYPES[tensor.dtype][0],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.bn1 = torch.nn.BatchNorm1d(5)
        self.bn2 = torch.nn.BatchNorm2d(3, momentum=None)
        self.bn3 = torch.nn.BatchNorm3d(4, affine=False)
        self.plain = torch.nn.BatchNorm2d(3, track_running_stats=False)
        self.group = torch.nn.GroupNorm(2, 6)
        self.layer = torch.nn.LayerNorm([3, 4])
        self.instance = torch.nn.InstanceNorm2d(3, affine=True, track_running_stats=True)

    def forward(self, generator):
        for module, shape in [
            (self.bn1, (7, 5)),
            (self.bn2, (2, 3, 4, 5)),
            (self.bn3, (2, 4, 2, 3, 2)),
            (self.instance, (2, 3, 4, 5)),
        ]:
            module(torch.from_numpy(generator.standard_normal(shape) + 0.25))


def models():
    generator = np.random.default_rng(20240301)
    model = Model().double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.from_numpy(generator.standard_normal(tuple(parameter.shape))))
    # A formula for two of them, so that a test can know the values from elsewhere: 1 + i/7 and -i/3.
    model.bn1.weight.data = 1 + torch.arange(5, dtype=torch.float64) / 7
    model.bn1.bias.data = -torch.arange(5, dtype=torch.float64) / 3
    for _ in range(2):
        model(generator)
    for name in ["float64", "float32", "float16", "bfloat16"]:
        yield f"model_{name}", safetensors(converted(model, getattr(torch, name)), {"format": "pt"})


def converted(model, dtype):
    """The state in another type, from float64 in one step; counters stay what they are."""
    return {name: value.to(dtype) if value.is_floating_point() else value for name, value in model.state_dict().items()}


def rounding():
    generator = np.random.default_rng(7)
    bits = generator.integers(0, 1 << 32, 4096, dtype=np.uint64).astype(np.uint32)
    # Ties of bfloat16 (the lower half is 0x8000), their neighbours, and the largest numbers.
    upper = generator.integers(0, 1 << 16, 512, dtype=np.uint64).astype(np.uint32) << 16
    limits = np.array([0, 1, 0x7F7F0000, 0x7F7F8000, 0x7F7F7FFF, 0x7F7FFFFF, 0x7F800000, 0x80000000, 0xFF800000], np.uint32)
    bits = np.concatenate([bits, upper | 0x8000, upper | 0x7FFF, upper | 0x8001, upper, limits])
    # NaNs are told apart by nobody but are written in different ways.
    bits = bits[~np.isnan(bits.view(np.float32))]
    single = torch.from_numpy(bits.view(np.float32))
    double = torch.from_numpy(generator.standard_normal(4096) * 10.0 ** generator.integers(-46, 40, 4096))
    yield "rounding", safetensors(
        {
            "single": single,
            "single_to_bfloat16": single.to(torch.bfloat16),
            "single_to_float16": single.to(torch.float16),
            "double": double,
            "double_to_float32": double.to(torch.float32),
        }
    )


def names():
    yield "names", safetensors(
        {
            'quote " backslash \\ slash / tab \t unit \x1f delete \x7f': torch.tensor([1.5, -0.0]),
            "ünïcode \u2028 \ue000 \U0001d6fe": torch.tensor([[float("nan")], [float("inf")]], dtype=torch.float16),
            "": torch.tensor(7, dtype=torch.int64),
            "empty": torch.zeros(0, 3),
            "empty_too": torch.zeros(2, 0, dtype=torch.int32),
            "bool": torch.tensor([True, False, True]),
            "u8": torch.tensor([0, 255], dtype=torch.uint8),
            "i8": torch.tensor([-128, 127], dtype=torch.int8),
            "i16": torch.tensor([-32768], dtype=torch.int16),
            "i32": torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
        },
        {"format": "pt", "note": 'line\nbreak, "quotes", \U0001d6fe', "": ""},
    )


def main():
    torch.set_num_threads(1)
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent / "state"
    root.mkdir(parents=True, exist_ok=True)
    for cases in [models(), rounding(), names()]:
        for name, content in cases:
            (root / f"{name}.safetensors").write_bytes(content)


if __name__ == "__main__":
    main()
