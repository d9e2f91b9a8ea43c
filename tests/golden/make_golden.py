#!/usr/bin/python3
"""Writes the golden vectors of the normalization layers, computed by PyTorch in float64 on float32 inputs.

Run with a Python that has PyTorch and numpy (on Debian: apt install python3-torch):

    /usr/bin/python3 make_golden.py            writes <layer>/<name>.json beside this script
    /usr/bin/python3 make_golden.py elsewhere  writes there, to compare

Seeds are fixed by the case's own name, and PyTorch runs on one thread: a second run writes the same bytes, and a new case changes
no old file. README.md says what the fields mean. A new layer needs a function like batch_norm_cases() and a line in all_cases(), both
in cases.py; if PyTorch lacks it, its formula in formulas.py.
"""

import pathlib
import sys

import numpy as np
import torch

from cases import all_cases
from vectors import run_case


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
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind == "i":
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
    written = set()
    for case in all_cases():
        path = root / case.layer / f"{case.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        if path in written:
            raise ValueError(f"two cases are called {case.layer}/{case.name}")
        written.add(path)
        path.write_text(json_text(run_case(case)) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
