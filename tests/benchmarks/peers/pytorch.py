#!/usr/bin/python3
"""Times the layers of NormInterop, through its C API, against those of PyTorch: one process, the same inputs, taking turns.

    /usr/bin/python3 pytorch.py                                         everything, float; a Markdown table
    /usr/bin/python3 pytorch.py --family BatchNorm --shape 32,64,112,112 --layout contiguous --pass forward --json times.json

Needs PyTorch (on Debian: python3-torch) and our library: that of build/release/lib, or the file that NORMINTEROP_LIBRARY names.
What makes the comparison fair:

- Inputs are the same tensors, and results are compared before anything is timed. PyTorch allocates its outputs; a heap that never gives
  memory back keeps that from costing page faults, and the faults of the timed calls are counted and printed.
- PyTorch's operators are called directly, without the bookkeeping of torch.autograd; cases.py says what is called for each family.
- Every round times each library once, in changing order, so that a disturbance hits both; the spread is that of the rounds' ratios.
- Both libraries run their threads in the same libgomp. Its idle threads spin for a while after a parallel region, ready for the next
  one. As there is one pool for both, this helps both alike; two OpenMP runtimes in one process would steal each other's processors,
  and are warned about.
- Calls of a few microseconds are timed by the hundred. They include the call from Python, a microsecond or so on either side.
"""

import argparse
import json
import pathlib
import sys

from heap import HEAP_KEPT  # before torch
from cases import FAMILIES
from library import DATA_TYPES, LAYOUTS, Library
from timing import check_machine, report, time_in_turns
import torch


def parse_arguments():
    def dims(text):
        try:
            values = tuple(int(value) for value in text.split(","))
        except ValueError:
            values = ()
        if len(values) not in (2, 4) or min(values) < 1:
            raise argparse.ArgumentTypeError(f"expected N,C,H,W or rows,length, got {text}")
        return values

    def count(text):
        if not text.isdigit() or int(text) < 1:
            raise argparse.ArgumentTypeError(f"expected a number from 1, got {text}")
        return int(text)

    passes = list(dict.fromkeys(name for family in FAMILIES.values() for name in family.passes))
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--family", choices=list(FAMILIES), action="append", help="may be repeated (all)")
    parser.add_argument("--shape", type=dims, action="append", metavar="N,C,H,W|ROWS,LENGTH",
                        help="may be repeated; families that take no such shape are left out (each family's usual ones)")
    parser.add_argument("--groups", type=count, default=32, help="groups of GroupNorm (32)")
    parser.add_argument("--layout", choices=list(LAYOUTS), action="append", help="may be repeated; rows are contiguous (both)")
    parser.add_argument("--pass", dest="passes", choices=passes, action="append", help="may be repeated (all)")
    parser.add_argument("--dtype", choices=list(DATA_TYPES), default="float32", help="type of the data (float32)")
    parser.add_argument("--threads", type=count, default=2, help="threads of either library (2)")
    parser.add_argument("--rounds", type=count, default=21, help="samples of each (21)")
    parser.add_argument("--json", metavar="FILE", help="write everything there, single samples included")
    arguments = parser.parse_args()
    selection = list(select(arguments))
    if not selection:
        parser.error("no family has such a shape, layout and pass")
    for name, shape, *_ in selection:
        if reason := refusal(name, shape, arguments.groups):
            parser.error(f"{name} cannot take {','.join(map(str, shape))}: {reason}")
    return arguments, selection


def select(arguments):
    """(family's name, shape, layout, passes) of everything to be timed."""
    for name in arguments.family or FAMILIES:
        family = FAMILIES[name]
        passes = [entry for entry in family.passes if entry in (arguments.passes or family.passes)]
        for shape in arguments.shape or family.shapes:
            for layout in family.layouts:
                if passes and len(shape) == len(family.shapes[0]) and layout in (arguments.layout or family.layouts):
                    yield name, shape, layout, passes


def refusal(family, shape, groups):
    """Why a layer would not train on this shape, or None."""
    if family == "GroupNorm" and shape[1] % groups:
        return f"{groups} groups do not divide its channels"
    per_channel = {"BatchNorm": shape[0], "InstanceNorm": 1}.get(family)
    if per_channel and per_channel * torch.Size(shape[2:]).numel() < 2:
        return "there must be more than one value per channel"
    return None


def time_case(library, name, shape, layout, passes, arguments):
    """The rows of one case."""
    make, common = FAMILIES[name].make, (arguments.threads, arguments.groups)
    case = make(library, shape, layout, DATA_TYPES[arguments.dtype], *common)
    # With data of 16 bits PyTorch's own results can be far off: whole units in y of a channels-last GroupNorm.
    narrow = arguments.dtype in ("float16", "bfloat16")
    differences = case.verify(make(library, shape, layout, DATA_TYPES["float64"], *common, source=case) if narrow else None)
    label = f"GroupNorm({arguments.groups})" if name == "GroupNorm" else name
    dims = ",".join(map(str, shape))
    for entry in passes:
        row = {"family": label, "shape": dims, "layout": layout, "pass": entry, "dtype": arguments.dtype,
               "title": f"{label} {dims} {layout} {entry}", "differences": differences, "page_offsets": case.page_offsets()}
        # A copy reads and writes once; a backward pass must read twice and write once.
        copies = 1.5 if entry == "backward" else 1.0
        row |= time_in_turns(case.passes[entry].peer, case.passes[entry].ours, case.copy, copies, arguments.rounds)
        print("| {family} | {shape} | {layout} | {pass} | {torch_ms:.4f} | {ours_ms:.4f} | {ratio:.2f} | {ratio_p10:.2f}..{ratio_p90:.2f} "
              "| {copy_ms:.4f} | {of_copy:.2f} |".format(**row), flush=True)
        yield row


def main():
    arguments, selection = parse_arguments()
    library = Library()
    torch.set_num_threads(arguments.threads)
    setup = {
        "torch": torch.__version__, "norminterop": library.build_info(), "isa": library.isa(), "dtype": arguments.dtype,
        "threads": arguments.threads, "rounds": arguments.rounds, "heap_kept": HEAP_KEPT}
    print(f"PyTorch {setup['torch']} against {setup['norminterop']}; {setup['isa']}, {setup['threads']} threads, "
          f"{setup['dtype']}, medians of {setup['rounds']} rounds", flush=True)
    print(f"Library: {library.path}")
    if any(name == "RMSNorm" for name, *_ in selection):
        print(f"PyTorch {setup['torch']} has no RMSNorm: its times are those of the formula in its operators.")
    check_machine(arguments.threads)
    print("\n| Family | Shape | Layout | Pass | PyTorch ms | NormInterop ms | Times as fast | 10th..90th percentile | Copy ms "
          "| Of copy's speed |")
    print("|---|---|---|---|---:|---:|---:|---:|---:|---:|")
    rows, without = [], {}
    for name, shape, layout, passes in selection:
        try:
            rows += time_case(library, name, shape, layout, passes, arguments)
        except (RuntimeError, NotImplementedError) as error:
            if "not implemented for" not in str(error):
                raise
            without[name] = str(error).split("\n", 1)[0]
    for name, reason in without.items():
        print(f"\n{name}: PyTorch {setup['torch']} has nothing to compare with: {reason}")
    if rows:
        report(rows)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps({"setup": setup, "rows": rows}, indent=1) + "\n")
    return 0 if rows else 1


if __name__ == "__main__":
    sys.exit(main())
