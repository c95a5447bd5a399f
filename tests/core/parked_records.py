"""
Records of the parked topic by hand, and what is made of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import orjson

from sink.config import Config
from sink.core.bulk import Bound
from sink.core.collect import Rejected, Run
from sink.core.collector import Answer, Collector
from sink.core.dead_letter import DeadLetter, target_of
from sink.core.parked import ParkedTarget
from sink.core.record import Headers, Partition, Record
from sink.core.target import Target
from sink.routes import routes_of
from sink.testing import FakeRecord

PARKED = Partition("parked", 2)
TOPIC = "ekk-order"


def target_of_topic(topic: str, topic_id: str, **more: object) -> Target | None:
    guard = {"not_before": "1970-01-01"}
    index = {"prefix": "sag-"}
    table = {"name": "r", "prefix": "ekk-", "index": index, "time_guard": guard, **more}
    (route,) = routes_of(Config.model_validate({"routes": [table]}))
    return Target(topic, route, topic_id) if topic == TOPIC else None


def collecting(collect: Callable[[Record], Answer]) -> ParkedTarget:
    """
    The same route, with another collector than when its documents were parked.
    """
    target = target_of_topic(TOPIC, "T")
    assert target is not None
    other = replace(target.route, collector=Collector("mine", collect))
    return ParkedTarget(lambda topic, topic_id: Target(topic, other, topic_id))


class Document(NamedTuple):
    """
    A document on its way to Elasticsearch, and the record it is of.
    """

    action: Mapping[str, Any]
    source: bytes
    record: Record
    bound: Bound


class Made(NamedTuple):
    documents: list[Document]
    dropped: Mapping[str, int]
    rejected: list[Rejected]


def make(
    *records: FakeRecord, target: ParkedTarget | None = None, docs_max: int = 100
) -> list[Made]:
    run = Run(PARKED, [*records], records[0].offset(), records[-1].offset() + 1)
    pieces = []
    for _, documents, actions in (target or ParkedTarget(target_of_topic)).pieces(run, docs_max):
        bounds = [bound for bound, count in actions.bounds for _ in range(count)]
        lines = map(orjson.loads, actions.lines)
        each = zip(lines, documents.sources, documents.records, bounds, strict=True)
        pieces.append(Made([Document(*one) for one in each], documents.dropped, documents.rejected))
    return pieces


def letters_of(record: FakeRecord, **more: object) -> list[DeadLetter]:
    """
    Give the letters of all documents of a record, as they are parked the first time.
    """
    target = target_of_topic(TOPIC, "T", **more)
    assert target is not None
    run = Run(Partition(TOPIC, 0), [record], record.offset(), record.offset() + 1)
    ((_, documents, actions),) = target.pieces(run, 10**9)
    letters = []
    for line, each in zip(actions.lines, documents.records, strict=True):
        index, id_ = target_of(line)
        position = getattr(each, "position", None)
        positions = () if position is None else (position,)
        letters.append(
            DeadLetter(
                each, "park", "x", "y", index=index, id=id_, positions=positions, topic_id="T"
            )
        )
    return letters


def written(*letters: DeadLetter, first: int = 0) -> list[FakeRecord]:
    """
    Write letters to the parked topic.
    """
    return [
        FakeRecord(
            *PARKED,
            first + n,
            letter.record.value(),  # type: ignore[arg-type]
            key=letter.record.key(),  # type: ignore[arg-type]
            headers=letter.headers({}),
        )
        for n, letter in enumerate(letters)
    ]


def record_of(value: bytes, offset: int = 7, headers: Headers | None = None) -> FakeRecord:
    return FakeRecord(
        TOPIC, 0, offset, value, key=b"k", headers=headers, timestamp_ms=1, leader_epoch=5
    )


def parked(offset: int, index: str = "may", at: int | None = None) -> FakeRecord:
    letter = DeadLetter(
        record_of(b'{"n":1}', offset), "park", "x", "y", index=index, id=f"T-{offset}", topic_id="T"
    )
    return written(letter, first=offset if at is None else at)[0]


def unmade(value: bytes, positions: tuple[int, ...] = (), at: int = 0) -> FakeRecord:
    """
    A record that became no document, parked before it was dead.
    """
    letter = DeadLetter(record_of(value), "collect", "x", "y", positions=positions, topic_id="T")
    return written(letter, first=at)[0]


def keeps_its_name(rejected: Rejected) -> bool:
    return (rejected.index, rejected.id, rejected.topic_id) == ("may", "T-7", "T")
