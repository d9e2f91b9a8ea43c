#!/usr/bin/python3
"""Times BatchNorm of NormInterop, through its C API, against that of PyTorch: one process, the same inputs, taking turns.

    /usr/bin/python3 pytorch_batchnorm.py                               everything; a Markdown table
    /usr/bin/python3 pytorch_batchnorm.py --shape 32,64,112,112 --layout contiguous --pass forward --json times.json

Needs PyTorch (on Debian: python3-torch) and our library: that of build/release/lib, or the file that NORMINTEROP_LIBRARY names.
What makes the comparison fair:

- Inputs are the same tensors. PyTorch allocates its outputs; a heap that never gives memory back keeps that from costing page faults,
  and the faults of the timed calls are counted and printed.
- Every round times each library once, in changing order, so that a disturbance hits both; the spread is that of the rounds' ratios.
- Both libraries run their threads in the same libgomp. Its idle threads spin for a while after a parallel region, ready for the next
  one. As there is one pool for both, this helps both alike; two OpenMP runtimes in one process would steal each other's processors,
  and are warned about.
- Calls of a few microseconds are timed by the hundred. They include the call from Python, a microsecond or so on either side.
"""

import argparse
import contextlib
import ctypes
import itertools
import json
import os
import pathlib
import re
import resource
import statistics
import sys
import time


def keep_heap():
    """Has glibc serve everything from one heap that only grows; before the first tensor is made. False where this is not glibc."""
    m_trim_threshold, m_top_pad, m_mmap_max = -1, -2, -4
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    # A threshold for mmap would not do: glibc takes none above 32 MiB, and the large tensors have 98.
    return bool(mallopt(m_mmap_max, 0) and mallopt(m_trim_threshold, -1) and mallopt(m_top_pad, 256 << 20))


HEAP_KEPT = keep_heap()

import torch  # noqa: E402  (allocates when it is loaded)

SHAPES = [(32, 64, 112, 112), (32, 256, 56, 56), (32, 512, 28, 28), (32, 2048, 7, 7), (1, 64, 56, 56), (8, 16, 32, 32), (8, 64, 4, 4)]
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
PASSES = ["forward", "inference", "backward"]  # training forward, inference forward, backward of the training forward
EPS, MOMENTUM = 1e-5, 0.1
SAMPLE_SECONDS = 2e-3  # a sample repeats a call until it lasts this long
BUSY = 0.2  # processors taken by others from which on the figures deserve a warning


class ChannelShape(ctypes.Structure):
    """ni_channel_shape of norminterop/channel.h."""

    _fields_ = [
        ("struct_size", ctypes.c_uint32), ("data_type", ctypes.c_int32), ("layout", ctypes.c_int32), ("max_threads", ctypes.c_int32),
        ("batch", ctypes.c_int64), ("channels", ctypes.c_int64), ("spatial", ctypes.c_int64)]


class AbiInfo(ctypes.Structure):
    """ni_abi_info of norminterop/runtime.h."""

    _fields_ = [(name, ctypes.c_uint32) for name in (
        "struct_size", "abi_version", "channel_shape_size", "status_count", "data_type_count", "layout_count", "gradient_mode_count",
        "pointer_size")]


class Library:
    """The C API, as far as it is timed."""

    def __init__(self):
        name = "libnorminterop.dylib" if sys.platform == "darwin" else "libnorminterop.so"
        default = pathlib.Path(__file__).resolve().parents[3] / "build" / "release" / "lib" / name
        self.path = os.environ.get("NORMINTEROP_LIBRARY") or str(default)
        try:
            self.native = ctypes.CDLL(self.path)
        except OSError as error:
            sys.exit(f"Cannot load {self.path}: {error}\nBuild it with ./build.sh build, or set NORMINTEROP_LIBRARY to its path.")
        self.native.ni_last_error_message.restype = ctypes.c_char_p
        self.native.ni_build_info.restype = ctypes.c_char_p
        info = AbiInfo(ctypes.sizeof(AbiInfo))
        self.check(self.native.ni_get_abi_info(ctypes.byref(info)))
        if info.channel_shape_size != ctypes.sizeof(ChannelShape):
            sys.exit(f"{self.path}: ni_channel_shape has {info.channel_shape_size} bytes, expected {ctypes.sizeof(ChannelShape)}.")

    def check(self, status):
        if status:
            raise RuntimeError(self.native.ni_last_error_message().decode())

    def isa(self):
        name = ctypes.c_char_p()
        self.check(self.native.ni_active_isa(ctypes.byref(name)))
        return name.value.decode()

    def bind(self, function, *arguments):
        """A call without arguments: everything is converted beforehand, so that Python costs little within the time taken."""
        native = getattr(self.native, function)

        def convert(argument):
            if isinstance(argument, torch.Tensor):
                return ctypes.c_void_p(argument.data_ptr())
            if isinstance(argument, float):
                return ctypes.c_double(argument)
            return ctypes.byref(argument) if isinstance(argument, ctypes.Structure) else ctypes.c_int32(argument)

        converted = [convert(argument) for argument in arguments]

        # The tensors and the shape must live as long as the call: the default argument holds them.
        def call(held=arguments):
            if native(*converted):
                self.check(1)

        return call


class Case:
    """One shape in one layout: the buffers, and for every pass one call of each library."""

    def __init__(self, library, dims, layout, threads):
        n, c, h, w = dims
        self.elements = n * c * h * w
        generator = torch.Generator().manual_seed(1)
        normal = lambda: torch.randn(dims, generator=generator).contiguous(memory_format=LAYOUTS[layout])
        x, dy = normal(), normal()
        weight, bias = torch.rand(c, generator=generator) + 0.5, torch.randn(c, generator=generator)
        self.y, self.dx = torch.zeros_like(x), torch.zeros_like(x)
        self.dweight, self.dbias = torch.zeros(c), torch.zeros(c)
        self.running, self.peer_running = [(torch.zeros(c), torch.ones(c)) for _ in range(2)]
        eval_mean, eval_var = torch.randn(c, generator=generator) / 10, torch.rand(c, generator=generator) + 0.5
        mean, invstd = torch.zeros(c, dtype=torch.double), torch.zeros(c, dtype=torch.double)
        peer_saved = torch.native_batch_norm(x, weight, bias, None, None, True, MOMENTUM, EPS)[1:]
        shape = ChannelShape(ctypes.sizeof(ChannelShape), 0, list(LAYOUTS).index(layout), threads, n, c, h * w)
        self.ours = {
            "forward": library.bind(
                "ni_batchnorm_forward_training", shape, x, weight, bias, EPS, MOMENTUM, *self.running, mean, invstd, self.y),
            "inference": library.bind("ni_batchnorm_forward_inference", shape, x, weight, bias, EPS, eval_mean, eval_var, self.y),
            "backward": library.bind(
                "ni_batchnorm_backward_training", shape, dy, x, weight, mean, invstd, 0, self.dx, self.dweight, self.dbias)}
        self.peer = {
            "forward": lambda: torch.native_batch_norm(x, weight, bias, *self.peer_running, True, MOMENTUM, EPS),
            "inference": lambda: torch.native_batch_norm(x, weight, bias, eval_mean, eval_var, False, MOMENTUM, EPS),
            "backward": lambda: torch.ops.aten.native_batch_norm_backward(
                dy, x, weight, *self.peer_running, *peer_saved, True, EPS, [True, True, True])}
        self.copy = lambda: self.y.copy_(x)
        # For the report: a store slows down the loads after it that have the last 12 bits of their address in common with it.
        self.page_offsets = {name: t.data_ptr() % 4096 for name, t in (("x", x), ("dy", dy), ("y", self.y), ("dx", self.dx))}

    def verify(self):
        """Raises if the libraries disagree by more than PyTorch's own error explains; returns the largest differences."""
        # In channels last PyTorch sums each channel in float, one number after another: 1e-4 off in y at 400 000 of them.
        per_channel = self.elements / len(self.dbias)
        found = {}

        def compare(name, own, peer, tolerance):
            found[name] = (own - peer).abs().max().item()
            if not found[name] <= tolerance:
                raise RuntimeError(f"{name} differs from PyTorch's by {found[name]:.2e}, more than {tolerance:.0e}")

        self.ours["forward"]()
        compare("y", self.y, self.peer["forward"]()[0], 1e-3)
        compare("running mean", self.running[0], self.peer_running[0], 1e-4)
        compare("running var", self.running[1], self.peer_running[1], 1e-3)
        self.ours["inference"]()
        compare("y in inference", self.y, self.peer["inference"]()[0], 1e-4)
        self.ours["backward"]()
        dx, dweight, dbias = self.peer["backward"]()
        compare("dx", self.dx, dx, 1e-3)
        # A sum of n numbers around zero is of the size of sqrt(n).
        compare("dweight / sqrt(n)", self.dweight / per_channel**0.5, dweight / per_channel**0.5, 1e-3)
        compare("dbias / sqrt(n)", self.dbias / per_channel**0.5, dbias / per_channel**0.5, 1e-3)
        return found


class OthersWork:
    """How many processors were taken by anything but this process: other programs, and other guests of the machine below."""

    def __init__(self):
        self.start = self.read()

    def processors(self):
        end = self.read()
        elapsed = end[0] - self.start[0]
        if end[1] is None or elapsed <= 0:  # no /proc: the load average includes us, so it only says something before we start
            return None
        return max(0.0, (end[1] - self.start[1]) - (end[2] - self.start[2])) / elapsed

    @staticmethod
    def read():
        own = time.process_time()
        try:
            fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
        except OSError:
            return time.perf_counter(), None, own
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields)
        return time.perf_counter(), (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK"), own


def sample(call, repetitions):
    start = time.perf_counter()
    for _ in range(repetitions):
        call()
    return (time.perf_counter() - start) / repetitions


def repetitions_of(call):
    """So many that a sample lasts long enough; the doubling also warms up."""
    repetitions = 1
    while (taken := sample(call, repetitions) * repetitions) < SAMPLE_SECONDS:
        repetitions = max(2 * repetitions, int(repetitions * SAMPLE_SECONDS / max(taken, 1e-7)) + 1)
    return repetitions


def page_faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def time_pass(case, name, rounds):
    """Rounds of one sample each. Results are dropped within the time: the next call finds their memory in the heap."""
    calls = {"torch": case.peer[name], "ours": case.ours[name], "copy": case.copy}
    repetitions = {key: repetitions_of(call) for key, call in calls.items()}
    for key, call in calls.items():
        sample(call, repetitions[key])
    seconds = {key: [] for key in calls}
    others, faults = OthersWork(), page_faults()
    # All orders in turn, so that none of the three always finds in the cache what the same other one left there.
    orders = list(itertools.permutations(calls))
    for round_number in range(rounds):
        for key in orders[round_number % len(orders)]:
            seconds[key].append(sample(calls[key], repetitions[key]))
    faults = (page_faults() - faults) / (rounds * sum(repetitions.values()))
    ratios = sorted(peer / own for peer, own in zip(seconds["torch"], seconds["ours"]))
    median = {key: statistics.median(values) for key, values in seconds.items()}
    percentile = lambda share: ratios[round(share * (len(ratios) - 1))]
    # A copy reads and writes once; a backward pass must read twice and write once.
    yardstick = median["copy"] * (1.5 if name == "backward" else 1.0)
    return {
        "torch_ms": median["torch"] * 1e3, "ours_ms": median["ours"] * 1e3, "copy_ms": yardstick * 1e3,
        "ratio": median["torch"] / median["ours"], "ratio_p10": percentile(0.1), "ratio_p90": percentile(0.9),
        "of_copy": yardstick / median["ours"], "faults_per_call": faults, "others_processors": others.processors(),
        "samples_ms": {key: [value * 1e3 for value in values] for key, values in seconds.items()}}


def warn(text):
    print(f"warning: {text}", flush=True)


def check_machine(threads):
    """Says beforehand what would spoil the figures."""
    watch = OthersWork()
    time.sleep(0.5)
    busy = watch.processors()
    if busy is None:
        busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if busy > BUSY:
        warn(f"other work takes {busy:.1f} processors: times will be long and jump in steps of the scheduler's tick")
    if threads > (os.cpu_count() or 1):
        warn(f"{threads} threads on {os.cpu_count()} processors")
    with contextlib.suppress(OSError):
        maps = pathlib.Path("/proc/self/maps").read_text()
        runtimes = set(re.findall(r"/\S*lib(?:gomp|omp|iomp5)\S*\.so\S*", maps))
        if len(runtimes) > 1:
            warn(f"several OpenMP runtimes, whose idle threads steal from each other: {', '.join(sorted(runtimes))}")
    if not HEAP_KEPT:
        warn("the heap cannot be kept from giving memory back: PyTorch's times include page faults")


def report_faults(rows):
    """Whether the heap was kept warm in fact: a page fault costs about as much as moving a page."""
    worst = max(rows, key=lambda row: row["faults_per_call"])
    print(f"\nPage faults per timed call: at most {worst['faults_per_call']:.2f} (1 would be 4 KiB of fresh memory).")
    if worst["faults_per_call"] > 10:
        warn(f"the heap was not warm in {worst['shape']} {worst['layout']} {worst['pass']}: PyTorch's time includes page faults")


def report_others(rows):
    busy = [row for row in rows if (row["others_processors"] or 0.0) > BUSY]
    if busy:
        worst = max(busy, key=lambda row: row["others_processors"])
        warn(f"other work took processors during {len(busy)} of {len(rows)} rows, "
             f"{worst['others_processors']:.1f} at the most ({worst['shape']} {worst['layout']} {worst['pass']}): these need another run")


def parse_arguments():
    def dims(text):
        values = tuple(int(value) for value in text.split(","))
        if len(values) != 4 or min(values) < 1 or values[0] * values[2] * values[3] < 2:
            raise argparse.ArgumentTypeError(f"expected N,C,H,W, with more than one value per channel, got {text}")
        return values

    def count(text):
        if int(text) < 1:
            raise argparse.ArgumentTypeError(f"expected a number from 1, got {text}")
        return int(text)

    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--threads", type=count, default=2, help="threads of either library (2)")
    parser.add_argument("--rounds", type=count, default=21, help="samples of each (21)")
    parser.add_argument("--shape", type=dims, action="append", metavar="N,C,H,W", help="may be repeated (ResNet-50's and small ones)")
    parser.add_argument("--layout", choices=list(LAYOUTS), action="append", help="may be repeated (both)")
    parser.add_argument("--pass", dest="passes", choices=PASSES, action="append", help="may be repeated (all)")
    parser.add_argument("--json", metavar="FILE", help="write everything there, single samples included")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    library = Library()
    torch.set_num_threads(arguments.threads)
    setup = {
        "torch": torch.__version__, "norminterop": library.native.ni_build_info().decode(), "isa": library.isa(),
        "threads": arguments.threads, "rounds": arguments.rounds, "heap_kept": HEAP_KEPT}
    print(f"PyTorch {setup['torch']} against {setup['norminterop']}; {setup['isa']}, {setup['threads']} threads, "
          f"float, medians of {setup['rounds']} rounds", flush=True)
    print(f"Library: {library.path}")
    check_machine(arguments.threads)
    print("\n| Shape | Layout | Pass | PyTorch ms | NormInterop ms | Times as fast | 10th..90th percentile | Copy ms | Of copy's speed |")
    print("|---|---|---|---:|---:|---:|---:|---:|---:|")
    rows = []
    for dims in arguments.shape or SHAPES:
        for layout in arguments.layout or LAYOUTS:
            case = Case(library, dims, layout, arguments.threads)
            differences = case.verify()
            for name in arguments.passes or PASSES:
                row = {"shape": ",".join(map(str, dims)), "layout": layout, "pass": name, "differences": differences,
                       "page_offsets": case.page_offsets}
                row |= time_pass(case, name, arguments.rounds)
                rows.append(row)
                print("| {shape} | {layout} | {pass} | {torch_ms:.4f} | {ours_ms:.4f} | {ratio:.2f} | {ratio_p10:.2f}..{ratio_p90:.2f} "
                      "| {copy_ms:.4f} | {of_copy:.2f} |".format(**row), flush=True)
            del case  # before the next one takes as much
    report_faults(rows)
    report_others(rows)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps({"setup": setup, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
