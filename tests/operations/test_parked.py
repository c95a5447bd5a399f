"""
What waits in the parked topic: counted by group, each document once, with what was decided of it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from sink.config import Config
from sink.core.command import Command, Decision
from sink.core.dead_letter import DeadLetter
from sink.core.record import Partition, Record
from sink.edge.kafka.reader import Bound, Reader, Span
from sink.operations.parked import Key, Listing, choice, fill, spans
from sink.testing import FakeRecord

INDEX = "sag-a_2026-11-01"
BLOCKED = "cluster_block_exception"
KEY = Key(INDEX, "ekk-a", BLOCKED)


def parked(origin: int, offset: int = 0, *, number: int = 0, **more: Any) -> FakeRecord:
    """A parked document: offset `origin` of its topic, parked at an offset of a partition."""
    given = {"index": INDEX, "id": f"T-0-0-{origin}", "topic_id": "T", "reason": "blocked"}
    record = FakeRecord(more.pop("topic", "ekk-a"), 0, origin, b"12345", leader_epoch=0)
    seen_ms = more.pop("seen_ms", 1000)
    letter = DeadLetter(record, "park", **({"error_type": BLOCKED} | given | more))
    headers = letter.headers({"version": "1"})
    return FakeRecord("parked", number, offset, b"12345", headers=headers, timestamp_ms=seen_ms)


def given(
    command: Command, offset: int, index: str = "*", *, number: int = 0, by: str = "anna"
) -> FakeRecord:
    """A command as it stands in one partition."""
    headers = Decision(command, index, by=by).headers()
    return FakeRecord("parked", number, offset, None, headers=headers)


def listed(*records: FakeRecord, index: str | None = None, topic: str | None = None) -> Listing:
    listing = Listing(choice(index, topic))
    for record in records:
        listing.add(cast("Record", record))
    return listing


def test_documents_are_counted_by_index_topic_and_error_with_the_oldest_and_the_last_reason() -> (
    None
):
    listing = listed(
        parked(1, 0, seen_ms=5000, reason="first"),
        parked(2, 1, seen_ms=9000, reason="last"),
        parked(3, 2, seen_ms=7000, reason="between"),
        parked(4, 3, error_type="other"),
        parked(5, 4, topic="ekk-b"),
        parked(6, 5, index="sag-b"),
    )

    (first, group), *others = listing.by_size()
    assert (first, group.documents, group.size_bytes) == (KEY, 3, 15)
    assert (group.oldest_ms, group.newest.reason) == (5000, "last")
    assert [each.documents for _, each in others] == [1, 1, 1]
    assert listing.documents == 6


def test_a_document_that_a_crash_parked_twice_counts_once() -> None:
    again = parked(1, 0, number=1)

    listing = listed(parked(1, 0), parked(2, 1), parked(1, 2), again, parked(1, 3, positions=(0,)))

    assert listing.documents == 3


def test_documents_are_chosen_by_patterns_of_index_and_topic() -> None:
    records = [parked(1), parked(2, topic="ekk-b"), parked(3, index="sag-b_2026-11-01")]

    assert listed(*records).documents == 3
    assert listed(*records, index="sag-a_*").documents == 2
    assert listed(*records, topic="ekk-[b-z]").documents == 1
    assert listed(*records, index="sag-a_*", topic="ekk-a").documents == 1
    assert listed(*records, index="SAG-*").documents == 0


def test_a_decision_is_told_once_and_counted_for_what_stands_before_it_in_its_partition() -> None:
    listing = listed(
        parked(1, 0),
        parked(2, 1),
        given(Command.DROP, 2, "sag-a_*"),
        parked(3, 3),
        parked(4, 0, number=1, index="sag-b"),
        given(Command.DROP, 1, "sag-a_*", number=1),
    )

    assert [(each.command, each.index) for each in listing.decisions] == [("drop", "sag-a_*")]
    assert {key.index: group.decided.total() for key, group in listing.by_size()} == {
        INDEX: 2,
        "sag-b": 0,
    }


def test_the_same_decision_given_twice_is_told_twice() -> None:
    listing = listed(given(Command.DROP, 0, by="anna"), given(Command.DROP, 1, by="bert"))

    assert [each.by for each in listing.decisions] == ["anna", "bert"]


def test_a_record_of_somebody_else_and_a_command_of_a_later_version_are_no_documents() -> None:
    later = FakeRecord("parked", 0, 1, None, headers=[("sink.command", b"burn")])

    listing = listed(FakeRecord("parked", 0, 0, b"foreign"), later)

    assert (listing.documents, listing.foreign, listing.decisions) == (0, 1, [])


def test_what_stands_behind_a_document_that_is_not_meant_is_told() -> None:
    """
    There the committed offset cannot move, whatever became of them.
    """
    listing = listed(
        given(Command.DROP, 0),
        parked(1, 1, index="sag-b"),
        parked(2, 2),
        parked(3, 0, number=1),
        parked(4, 1, number=1, index="sag-b"),
        index=INDEX,
    )

    assert (listing.documents, listing.behind) == (2, 1)
    assert listing.last == {Partition("parked", 0): 2, Partition("parked", 1): 0}


class MemoryReader:
    """Partitions of the parked topic with ten records each."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions

    def partitions(self, topic: str) -> list[Partition]:
        return [Partition(topic, number) for number in range(self._partitions)]

    def spans(self, partitions: list[Partition], begin: Bound | None) -> list[Span]:
        return [Span(p, begin if isinstance(begin, int) else 0, 10) for p in partitions]

    def batches(self, wanted: Sequence[Span]) -> Iterator[list[Record]]:
        for span in wanted:
            records = [parked(n, n, number=span.partition.number) for n in range(*span[1:])]
            yield cast("list[Record]", records)


def test_what_the_group_has_committed_waits_no_more() -> None:
    route = {"name": "ekk", "prefix": "ekk-", "index": {"prefix": "sag-"}}
    config = Config.model_validate({"routes": [route]})
    reader = cast("Reader", MemoryReader(2))
    first = Partition(config.parked_topic, 0)
    listing = Listing(choice(None, None))

    wanted = spans(reader, config, {first: 7, Partition("ekk-a", 1): 9})

    assert [(span.partition.number, span.begin) for span in wanted] == [(0, 7), (1, 0)]
    assert list(fill(listing, reader, wanted)) == [3, 10]
    assert listing.documents == 10  # the first three were parked twice
    assert spans(cast("Reader", MemoryReader(0)), config, {}) == []
