"""
What the bench of the engine came to: written as JSON, read again for the page.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

from bench.engine.run import Indexed
from bench.engine.variants import BASE
from bench.measure import Spread, spread
from bench.surroundings import Machine
from bench.target import Target

LATEST = Path(__file__).parents[1] / "results" / "engine.json"
_SHARE_MAX = 15


class Engine(TypedDict):
    """
    One bench.
    """

    machine: Machine
    versions: dict[str, str]
    records: int
    varied: dict[str, tuple[str, str]]  # by variant: the setting and its value
    defaults: dict[str, str]  # by setting
    runs: dict[str, list[Indexed]]  # by variant


class Cost(NamedTuple):
    """
    What a variant's runs come to.
    """

    engine_us: Spread
    sink_us: Spread
    share: Spread  # of the sink in the CPU of both, %
    records_per_s: Spread
    store_mb: Spread


def cost(runs: Sequence[Indexed], records: int) -> Cost:
    """
    Sum up a variant's runs.
    """
    return Cost(
        engine_us=spread([run["engine_cpu_s"] / records * 1e6 for run in runs]),
        sink_us=spread([run["sink_cpu_s"] / records * 1e6 for run in runs]),
        share=spread(
            [100 * run["sink_cpu_s"] / (run["sink_cpu_s"] + run["engine_cpu_s"]) for run in runs]
        ),
        records_per_s=spread([records / run["wall_s"] for run in runs]),
        store_mb=spread([run["store_mb"] for run in runs]),
    )


def write(one: Engine) -> None:
    """
    Keep a result as the latest.
    """
    LATEST.write_text(json.dumps(one, indent=1) + "\n", encoding="utf-8")


def read() -> Engine:
    """
    Read the latest result.
    """
    kept: Engine = json.loads(LATEST.read_text("utf-8"))
    return kept


def costs(one: Engine) -> dict[str, Cost]:
    """
    Give the figures of each variant.
    """
    return {name: cost(runs, one["records"]) for name, runs in one["runs"].items()}


def targets(one: Engine) -> list[Target]:
    """
    Hold the sink as it is by default against what is aimed at.
    """
    share = costs(one)[BASE].share.median
    what = "CPU of the sink, in % of the sink's and Elasticsearch's"
    return [Target(what, round(share, 1), _SHARE_MAX)]
