"""
What a bench came to: written as JSON, read again for the page.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from bench.candidates import reading
from bench.load import RECORD_BYTES
from bench.measure import Figures, Loss, Peak, Sample, figures, loss
from bench.surroundings import Machine, machine, versions

_RESULTS = Path(__file__).parent / "results"
LATEST = _RESULTS / "latest.json"
LATEST_PARKED = _RESULTS / "parked.json"
LATEST_ACCOUNTING = _RESULTS / "accounting.json"
LATEST_STAGES = _RESULTS / "stages.json"
LATEST_MEMORY = _RESULTS / "memory.json"


class Result(TypedDict):
    """
    One bench: all its runs, and what a reader must know to judge them.
    """

    records: int  # that a run's figures are about
    record_bytes: int
    topics: int
    partitions: int
    machine: Machine
    versions: dict[str, str]
    reading: dict[str, object]  # librdkafka's settings, of all candidates
    samples: dict[str, list[Sample]]  # by candidate, in the order of the runs


class Peaks(TypedDict):
    """
    The bench of the memory: a run for each kind of records.
    """

    machine: Machine
    versions: dict[str, str]
    delay_ms: int  # Elasticsearch takes so long for each bulk
    peaks: dict[str, Peak]  # by the name of the kind


class Stages(TypedDict):
    """
    The bench of the stages: µs CPU a record, by stage in their order.
    """

    machine: Machine
    versions: dict[str, str]
    load: float  # 1-minute load average at its end
    sink: dict[str, float]
    floor: dict[str, float]


def stages(own: dict[str, float], floors: dict[str, float]) -> Stages:
    """
    Put the stages together with where they were measured.
    """
    load = os.getloadavg()[0]
    return Stages(machine=machine(), versions=versions(), load=load, sink=own, floor=floors)


def read_stages() -> Stages:
    """
    Read the latest stages.
    """
    kept: Stages = json.loads(LATEST_STAGES.read_text("utf-8"))
    return kept


def peaks(delay_ms: int, found: dict[str, Peak]) -> Peaks:
    """
    Put the peaks together with where they were measured.
    """
    return Peaks(machine=machine(), versions=versions(), delay_ms=delay_ms, peaks=found)


def read_peaks() -> Peaks:
    """
    Read the latest peaks.
    """
    kept: Peaks = json.loads(LATEST_MEMORY.read_text("utf-8"))
    return kept


def result(records: int, topics: Mapping[str, int], samples: dict[str, list[Sample]]) -> Result:
    """
    Put the runs together with where and with what they were done.

    Args:
        topics: Name → number of partitions.
    """
    return Result(
        records=records,
        record_bytes=RECORD_BYTES,
        topics=len(topics),
        partitions=sum(topics.values()),
        machine=machine(),
        versions=versions(),
        reading=reading(),
        samples=samples,
    )


def summed(one: Result) -> dict[str, Figures]:
    """
    Give the figures of each candidate.
    """
    return {name: figures(runs, one["records"]) for name, runs in one["samples"].items()}


def losses(one: Result) -> dict[str, Loss]:
    """
    Compare each candidate but the first with the first.
    """
    first, *others = one["samples"]
    runs = one["samples"]
    return {name: loss(runs[first], runs[name]) for name in others}


def write(one: Result | Peaks | Stages, path: Path = LATEST) -> None:
    """
    Keep a result as the latest.
    """
    path.write_text(json.dumps(one, indent=1) + "\n", encoding="utf-8")


def read(path: Path = LATEST) -> Result:
    """
    Read the latest result.
    """
    kept: Result = json.loads(path.read_text("utf-8"))
    return kept
