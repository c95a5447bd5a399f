"""
Who held which partition from when to when, by the sinks' own logs.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from tests.engines.running import SinkProcess

LOST = "lost, what was in flight is read again"
_ENDS = ("revoked", LOST)


class Span(NamedTuple):
    """
    The time in which one thread of one sink held a partition.
    """

    partition: str
    begin_s: float
    end_s: float  # infinite while it holds it
    member: tuple[int, int]  # sink, thread


def held(sink: SinkProcess, topic: str) -> set[str]:
    """
    Tell which partitions of a topic a sink has now, all its threads together.
    """
    now = float("inf")
    return {span.partition for span in spans([sink], topic) if span.end_s == now}


def given_up(sink: SinkProcess, topic: str) -> int:
    """
    Count how often a sink gave up or lost a partition of a topic.
    """
    return sum(
        name.startswith(f"{topic}/")
        for event in _ENDS
        for line in sink.events(event)
        for name in line["partitions"]
    )


def spans(
    sinks: Iterable[SinkProcess], topic: str, dead_at_s: dict[int, float] | None = None
) -> list[Span]:
    """
    Read the spans of a topic's partitions from the logs.

    Args:
        dead_at_s: When sinks were killed: position in `sinks` → time of day. What such a sink held
            it held until then.
    """
    found: list[Span] = []
    for number, sink in enumerate(sinks):
        open_: dict[tuple[str, int], float] = {}
        for at_s, begins, worker, partition in _changes(sink, topic):
            if begins:
                open_[partition, worker] = at_s
            elif (partition, worker) in open_:
                begin_s = open_.pop((partition, worker))
                found.append(Span(partition, begin_s, at_s, (number, worker)))
        end_s = (dead_at_s or {}).get(number, float("inf"))
        found += [Span(p, begin_s, end_s, (number, w)) for (p, w), begin_s in open_.items()]
    return sorted(found)


def hand_overs_s(of_a_topic: Iterable[Span]) -> list[float]:
    """
    Measure how long each partition was nobody's between two members; negative where two had it.
    """
    return [
        after.begin_s - before.end_s
        for before, after in pairwise(sorted(of_a_topic))
        if before.partition == after.partition
    ]


def _changes(sink: SinkProcess, topic: str) -> list[tuple[float, bool, int, str]]:
    return sorted(
        (_seconds(line["timestamp"]), event == "assigned", line["worker"], name)
        for event in ("assigned", *_ENDS)
        for line in sink.events(event)
        for name in line["partitions"]
        if name.startswith(f"{topic}/")
    )


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()
