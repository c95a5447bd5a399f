"""
The actions of documents, made as the daemon makes them.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

import orjson

from sink.config import Config
from sink.core.collect import Rejected, Run
from sink.core.record import Partition, Record
from sink.core.target import Target
from sink.routes import routes_of
from sink.testing import FakeRecord

AT = 1_795_252_441_945  # 2026-11-21T09:14:01.945Z


class Watched(Target):
    """A target that remembers what it rejected and displaced."""

    displaced: Counter[str]
    rejected: list[Rejected]


def target(topic: str = "ekk-order", **route: object) -> Watched:
    given = {"name": "r", "prefix": "ekk-", **route}
    (made,) = routes_of(Config.model_validate({"routes": [given]}))
    return Watched(topic, made, "TOPICID")


def actions(
    made: Watched, *values: bytes, time_ms: int = AT, first: int = 0
) -> list[tuple[str, Mapping[str, Any]]]:
    """Give operation and target of each document."""
    records = cast(
        "list[Record]",
        [
            FakeRecord("ekk-order", 3, first + n, each, timestamp_ms=time_ms, leader_epoch=5)
            for n, each in enumerate(values)
        ],
    )
    run = Run(Partition("ekk-order", 3), records, first, first + len(records))
    found = []
    made.displaced, made.rejected = Counter(), []
    for _, documents, its in made.pieces(run, 10**6):
        made.displaced += documents.displaced
        made.rejected += documents.rejected
        assert sum(count for _, count in its.bounds) == len(its.lines) == len(documents.sources)
        names = [bound.index for bound, count in its.bounds for _ in range(count)]
        for line, name in zip(its.lines, names, strict=True):
            ((op_type, told),) = orjson.loads(line).items()
            assert told["_index"] == name
            found.append((op_type, told))
    return found


def indices(made: Watched, *values: bytes, time_ms: int = AT) -> list[str]:
    return [told["_index"] for _, told in actions(made, *values, time_ms=time_ms)]
