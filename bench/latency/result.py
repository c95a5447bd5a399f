"""
What the bench of latency came to: written as JSON, read again for the page.
"""

import json
from pathlib import Path
from typing import TypedDict

from bench.latency.paced import Paced
from bench.measure import Spread, spread
from bench.null_server import Delays
from bench.surroundings import Machine
from bench.target import Target

LATEST = Path(__file__).parents[1] / "results" / "latency.json"
P50_MS, P99_MS = 60, 250


class Paces(TypedDict):
    """
    One run at one rate.
    """

    delays: Delays
    producer: Paced  # how late it was itself, and when the broker had acknowledged
    bulks: int
    cpu_share: float  # of a core, of the sink
    load: float


class Latency(TypedDict):
    """
    One bench.
    """

    machine: Machine
    versions: dict[str, str]
    partitions: int
    seconds: float  # of a run at one rate
    runs: dict[str, list[Paces]]  # by records a second


def write(one: Latency) -> None:
    """
    Keep a result as the latest.
    """
    LATEST.write_text(json.dumps(one, indent=1) + "\n", encoding="utf-8")


def read() -> Latency:
    """
    Read the latest result.
    """
    kept: Latency = json.loads(LATEST.read_text("utf-8"))
    return kept


def percentiles(runs: list[Paces]) -> tuple[Spread, Spread]:
    """
    Give the median and the 99th percentile, ms, over some runs.
    """
    p50 = spread([run["delays"]["p50_ms"] for run in runs])
    return p50, spread([run["delays"]["p99_ms"] for run in runs])


def targets(one: Latency) -> list[Target]:
    """
    Hold each rate against what is aimed at.
    """
    held = []
    for rate, runs in one["runs"].items():
        p50, p99 = percentiles(runs)
        held.append(Target(f"p50 at {int(rate):,} records/s, ms", round(p50.median, 1), P50_MS))
        held.append(Target(f"p99 at {int(rate):,} records/s, ms", round(p99.median, 1), P99_MS))
    return held
