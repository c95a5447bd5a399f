"""
What the bench of growth came to: written as JSON, read again for the pages.
"""

import json
from pathlib import Path
from typing import TypedDict

from bench.measure import Spread, spread
from bench.surroundings import Machine
from bench.target import Target

LATEST = Path(__file__).parents[1] / "results" / "scale.json"

# Topics and the partitions of each; the first is what the others are held against.
SHAPES = ((1, 12), (1_000, 1), (1, 3_000), (1_000, 3))
PROCESSES = (1, 2, 4)


def partitions(shape: str) -> int:
    """
    Count the partitions of a shape, as `name` calls it.
    """
    topics, each = map(int, shape.split("x"))
    return topics * each


def name(shape: tuple[int, int]) -> str:
    """
    Name a shape: topics x partitions of each.
    """
    return f"{shape[0]}x{shape[1]}"


class Grown(TypedDict):
    """
    One run over a backlog.
    """

    us_per_record: float  # from the first bulk to the last
    start_cpu_s: float
    rss_mib: float
    load: float


class Idle(TypedDict):
    """
    One daemon that has read what is there, and has nothing to do.
    """

    cpu_share: float  # of a core
    rss_mib: float  # now, not the peak
    load: float


class Grouped(TypedDict):
    """
    One run of some processes of one group.
    """

    us_per_record: float  # of all together, from the first bulk to the last
    records_per_s: float
    rss_mib: float  # of all together
    load: float


class Started(TypedDict):
    """
    One start.
    """

    help_s: float  # `sink --help`
    first_s: float  # from the first assignment to the arrival of the first bulk
    load: float


class Scale(TypedDict):
    """
    One bench.
    """

    machine: Machine
    versions: dict[str, str]
    records: int
    grown: dict[str, list[Grown]]  # by shape
    idle: dict[str, list[Idle]]  # by shape
    started: list[Started]
    grouped: dict[str, list[Grouped]]  # by number of processes


def write(one: Scale) -> None:
    """
    Keep a result as the latest.
    """
    LATEST.write_text(json.dumps(one, indent=1) + "\n", encoding="utf-8")


def read() -> Scale:
    """
    Read the latest result.
    """
    kept: Scale = json.loads(LATEST.read_text("utf-8"))
    return kept


def us_per_record(runs: list[Grown]) -> Spread:
    """
    Give the CPU a record of some runs.
    """
    return spread([run["us_per_record"] for run in runs])


def partition_kb(one: Scale) -> float:
    """
    Give what each further partition holds in memory, between the least and the greatest idle shape.
    """
    by_partitions = sorted(one["idle"].items(), key=lambda item: partitions(item[0]))
    (least, few), (most, many) = by_partitions[0], by_partitions[-1]
    more_mib = _idle_mib(many) - _idle_mib(few)
    return more_mib * 2**20 / 1000 / (partitions(most) - partitions(least))


def _idle_mib(runs: list[Idle]) -> float:
    return spread([run["rss_mib"] for run in runs]).median


def targets(one: Scale) -> list[Target]:
    """
    Hold growth, idling and starting against what is aimed at.
    """
    base, *others = one["grown"]
    least = us_per_record(one["grown"][base]).median
    grown = [
        Target(
            f"CPU a record at {shape} topics x partitions, in times that at {base}",
            round(us_per_record(one["grown"][shape]).median / least, 2),
            1.5,
        )
        for shape in others
    ]
    many = name(SHAPES[1])
    idle = spread([100 * run["cpu_share"] for run in one["idle"][many]]).median
    help_ms = spread([1000 * run["help_s"] for run in one["started"]]).median
    first_s = spread([run["first_s"] for run in one["started"]]).median
    return [
        *grown,
        Target("memory a partition, KB", round(partition_kb(one), 1), 20),
        Target(f"idle with {many} topics x partitions, % of a core", round(idle, 2), 1),
        Target("`sink --help`, ms", round(help_ms), 250),
        Target("from the assignment to the first bulk, s", round(first_s, 2), 1.5),
    ]
