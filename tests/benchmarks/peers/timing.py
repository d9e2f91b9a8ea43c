"""How the two libraries are timed: in turns, in one process, with an eye on what else the machine does."""

import contextlib
import itertools
import os
import pathlib
import re
import statistics
import time

from heap import HEAP_KEPT

try:
    import resource
except ImportError:  # Windows
    resource = None

SAMPLE_SECONDS = 2e-3  # a sample repeats a call until it lasts this long
BUSY = 0.2  # processors taken by others from which on the figures deserve a warning


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
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt if resource else 0


def time_in_turns(torch_call, our_call, copy_call, copies, rounds):
    """Rounds of one sample each. Results are dropped within the time: the next call finds their memory in the heap.

    copies: how often `copy_call` moves what the pass must move at least, a read and a write each.
    """
    calls = {"torch": torch_call, "ours": our_call, "copy": copy_call}
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
    yardstick = median["copy"] * copies
    return {
        "torch_ms": median["torch"] * 1e3, "ours_ms": median["ours"] * 1e3, "copy_ms": yardstick * 1e3,
        "ratio": median["torch"] / median["ours"], "ratio_p10": percentile(ratios, 0.1), "ratio_p90": percentile(ratios, 0.9),
        "of_copy": yardstick / median["ours"], "faults_per_call": faults, "others_processors": others.processors(),
        "samples_ms": {key: [value * 1e3 for value in values] for key, values in seconds.items()}}


def percentile(ascending, share):
    return ascending[round(share * (len(ascending) - 1))]


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


def report(rows):
    """Says afterwards what spoiled them: `rows` have a "title" and what `time_in_turns` returned."""
    worst = max(rows, key=lambda row: row["faults_per_call"])
    print(f"\nPage faults per timed call: at most {worst['faults_per_call']:.2f} (1 would be 4 KiB of fresh memory).")
    # A page fault costs about as much as moving a page.
    if worst["faults_per_call"] > 10:
        warn(f"the heap was not warm in {worst['title']}: PyTorch's time includes page faults")
    busy = [row for row in rows if (row["others_processors"] or 0.0) > BUSY]
    if busy:
        worst = max(busy, key=lambda row: row["others_processors"])
        warn(f"other work took processors during {len(busy)} of {len(rows)} rows, "
             f"{worst['others_processors']:.1f} at the most ({worst['title']}): these need another run")
