"""
The arithmetic of the bench and its one instrument: what Linux tells of a process in /proc.

Starts nothing and waits for nothing: `runner` asks at the right moment, `page` and the command
line show what comes out.
"""

import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


class Sample(TypedDict):
    """
    One run of one candidate.
    """

    cpu_s: float  # user + system, of the process and its children, when the last document came
    start_cpu_s: float  # the part of it that was spent before the first bulk arrived
    wall_s: float  # from the arrival of the first bulk to the answer to the last
    rss_mib: float  # VmHWM, the peak
    bulks: int
    load: float  # 1-minute load average when the run began


class Peak(TypedDict):
    """
    What the sink took at most, and what it said at its start.
    """

    rss_mib: float
    bound_mib: int
    bulks: int


class Spread(NamedTuple):
    """
    The median of some runs and their extremes.
    """

    median: float
    low: float
    high: float


class Figures(NamedTuple):
    """
    What a candidate's runs come to.
    """

    us_per_record: Spread
    records_per_s: Spread
    rss_mib: Spread
    start_cpu_s: Spread
    load: Spread


class Loss(NamedTuple):
    """
    How runs differ from the runs they are paired with, in %.
    """

    records_per_s: Spread  # that are missing
    us_per_record: Spread  # that are spent beyond


class Bound(NamedTuple):
    """
    A promise and what was measured. The greatest value that keeps it is `at_most`.
    """

    what: str
    measured: float
    at_most: float

    @property
    def holds(self) -> bool:
        """
        Tell whether the promise is kept.
        """
        return self.measured <= self.at_most


def spread(values: Sequence[float]) -> Spread:
    """
    Give the median, the least and the greatest of some values.
    """
    return Spread(statistics.median(values), min(values), max(values))


def figures(samples: Sequence[Sample], records: int) -> Figures:
    """
    Sum up a candidate's runs.

    Args:
        samples: At least one.
        records: How many records each run moved.
    """
    return Figures(
        us_per_record=spread([each["cpu_s"] / records * 1e6 for each in samples]),
        records_per_s=spread([records / each["wall_s"] for each in samples]),
        rss_mib=spread([each["rss_mib"] for each in samples]),
        start_cpu_s=spread([each["start_cpu_s"] for each in samples]),
        load=spread([each["load"] for each in samples]),
    )


def loss(before: Sequence[Sample], after: Sequence[Sample]) -> Loss:
    """
    Compare runs of the same records in pairs: the first with the first, and so on.

    What is spent before the first bulk has nothing to do with the difference, and is left out.
    """
    pairs = list(zip(before, after, strict=True))
    return Loss(
        records_per_s=spread([100 * (1 - b["wall_s"] / a["wall_s"]) for b, a in pairs]),
        us_per_record=spread([100 * (_moving_s(a) / _moving_s(b) - 1) for b, a in pairs]),
    )


def guard_bound(floor: Sequence[Sample], sink: Sequence[Sample]) -> Bound:
    """
    Hold the CPU of a short bench against a bound so wide that only a blunder breaks it.

    The least of the runs: other work on the machine only adds. Without the start, which is most of
    so short a run.
    """
    ratio = min(map(_moving_s, sink)) / min(map(_moving_s, floor))
    return Bound("CPU a record, in times the floor loop's", round(ratio, 2), 3.0)


def _moving_s(sample: Sample) -> float:
    return sample["cpu_s"] - sample["start_cpu_s"]


def line(sink: Figures, floor: Figures) -> dict[str, float]:
    """
    Give the bench's last line: the sink's medians beside the floor loop's.

    Returns:
        Rounded; the ratio is taken before rounding.
    """
    return {
        "us_per_record": round(sink.us_per_record.median, 3),
        "floor_us": round(floor.us_per_record.median, 3),
        "ratio_floor": round(sink.us_per_record.median / floor.us_per_record.median, 3),
        "records_per_s": round(sink.records_per_s.median),
        "rss_mib": round(sink.rss_mib.median, 1),
        "floor_rss_mib": round(floor.rss_mib.median, 1),
    }


def bounds(last: dict[str, float]) -> list[Bound]:
    """
    Hold the bench's last line against what is promised.
    """
    over_mib = round(last["rss_mib"] - last["floor_rss_mib"], 1)
    return [
        Bound("CPU a record, in times the floor loop's", last["ratio_floor"], 2.5),
        Bound("peak RSS above the floor loop's, in MiB", over_mib, 100),
    ]


def loss_bounds(losses: Mapping[str, Loss]) -> list[Bound]:
    """
    Hold what other topics lose against what is promised.

    Args:
        losses: By what the runs differ in.
    """
    return [
        Bound(f"records/s of the others that are lost when {what}, in %", lost, 5)
        for what, each in losses.items()
        for lost in [round(each.records_per_s.median, 1)]
    ]


def memory_bounds(peaks: Mapping[str, Peak]) -> list[Bound]:
    """
    Hold the peaks of kinds of records against what the sink says at its start.

    Args:
        peaks: By kind.
    """
    return [
        Bound(f"peak RSS with {what}, in MiB", peak["rss_mib"], round(1.1 * peak["bound_mib"], 1))
        for what, peak in peaks.items()
    ]


def accounting_bound(cost: Loss) -> Bound:
    """
    Hold what the account costs against what is promised.
    """
    measured = round(cost.us_per_record.median, 1)
    return Bound("CPU a record for tracking, ledger and commits, in % of the rest", measured, 5)


def process_tree(pid: int) -> list[int]:
    """
    List a process and all its living descendants.

    Source: proc(5), /proc/pid/task/tid/children.
    """
    tree = [pid]
    for each in tree:
        for children in _PROC.glob(f"{each}/task/*/children"):
            tree.extend(int(child) for child in children.read_text().split())
    return tree


def cpu_s(pid: int) -> float:
    """
    Read the CPU seconds, user and system, of a process and its descendants, ended ones included.

    Source: proc(5), /proc/pid/stat: utime, stime, cutime and cstime are fields 14 to 17.
    """
    return sum(_ticks(each) for each in process_tree(pid)) / _TICKS_PER_S


def _ticks(pid: int) -> int:
    # The second field is the program's name in brackets and may itself hold blanks and brackets.
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15])


def rss_mib(pid: int) -> float:
    """
    Read the peak resident memory of a process and its descendants, in MiB.

    Source: proc(5), VmHWM of /proc/pid/status. Peaks of several processes are added, which is
    an upper bound: shared pages count once for each.
    """
    return sum(_kib(each, "VmHWM") for each in process_tree(pid)) / 1024


def resident_mib(pid: int) -> float:
    """
    Read what a process and its descendants hold in memory now, in MiB (VmRSS).
    """
    return sum(_kib(each, "VmRSS") for each in process_tree(pid)) / 1024


def _kib(pid: int, name: str) -> int:
    status = (_PROC / str(pid) / "status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0])
