"""
What the bench beside the peers came to: written as JSON, read again for the page.
"""

import json
from pathlib import Path
from typing import TypedDict

from bench.measure import Figures, figures
from bench.peers.behaviour import Killed, Refused
from bench.result import Result
from bench.target import Target

LATEST = Path(__file__).parents[1] / "results" / "peers.json"


class Beside(TypedDict):
    """
    One bench beside the peers.
    """

    moved: Result  # all runs, as of the bench without peers
    what: dict[str, str]  # by candidate, with its version
    not_run: dict[str, str]  # by peer, why
    killed: dict[str, list[Killed]]
    killed_records: int
    refused: dict[str, Refused]
    refused_records: int


def write(one: Beside) -> None:
    """
    Keep a result as the latest.
    """
    LATEST.write_text(json.dumps(one, indent=1) + "\n", encoding="utf-8")


def read() -> Beside:
    """
    Read the latest result.
    """
    kept: Beside = json.loads(LATEST.read_text("utf-8"))
    return kept


def summed(one: Beside) -> dict[str, Figures]:
    """
    Give the figures of each candidate.
    """
    moved = one["moved"]
    return {name: figures(runs, moved["records"]) for name, runs in moved["samples"].items()}


def targets(one: Beside) -> list[Target]:
    """
    Hold the sink against what it aims at; against rsyslog where that was run.
    """
    by_name = summed(one)
    sink, floor, rsyslog = (by_name.get(name) for name in ("sink", "floor", "rsyslog"))
    assert sink is not None
    assert floor is not None
    over_mib = sink.rss_mib.median - floor.rss_mib.median
    held = [
        Target("CPU a record, in times the floor loop's", _ratio(sink, floor), 2.0),
        Target("peak RSS above the floor loop's, in MiB", round(over_mib, 1), 60),
    ]
    if rsyslog is not None:
        speed = round(sink.records_per_s.median / rsyslog.records_per_s.median, 3)
        held += [
            Target("CPU a record, in times rsyslog's", _ratio(sink, rsyslog), 0.5),
            Target("records/s, in times rsyslog's", speed, 1.5, least=True),
        ]
    lost = max(each["lost"] for each in one["killed"]["sink"])
    refused = one["refused"]["sink"]
    return [
        *held,
        Target("documents lost by a SIGKILL", lost, 0),
        Target("refused documents kept", refused["kept"], refused["refused"], least=True),
    ]


def _ratio(one: Figures, other: Figures) -> float:
    return round(one.us_per_record.median / other.us_per_record.median, 3)
