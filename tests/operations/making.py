"""
Dead letters as they lie in their topic, and items to be sent, made by hand.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from sink.core.dead_letter import DeadLetter
from sink.core.envelope import open_envelope
from sink.core.record import Record
from sink.edge.kafka.reader import Reader, Span
from sink.operations.dead_letters import Choice, Letter, Page, Place, pages
from sink.operations.item import Item
from sink.operations.report import Origin
from sink.testing import FakeRecord

TOPIC_ID = "t" * 22
NO_TIME = b'{"logtime":"garbage"}'


def message(letter: DeadLetter, offset: int = 0, *, seen_ms: int = 1000) -> FakeRecord:
    """A dead letter as Kafka gives it back."""
    record = letter.record
    value = record.value()
    return FakeRecord(
        "dlq",
        0,
        offset,
        value if isinstance(value, bytes) else None,
        headers=letter.headers({"version": "1"}),
        timestamp_ms=seen_ms,
    )


def refused(value: bytes = NO_TIME, offset: int = 5, **more: Any) -> DeadLetter:
    """The dead letter of a record that Elasticsearch refused."""
    given = {
        "stage": "index",
        "error_type": "document_parsing_exception",
        "reason": "no time",
        "index": "sag-a_2026-11-01",
        "id": f"{TOPIC_ID}-0-2-{offset}",
        "topic_id": TOPIC_ID,
    }
    record = FakeRecord("ekk-a", 0, offset, value, leader_epoch=2)
    return DeadLetter(**({"record": record} | given | more))


def rejected(value: bytes, **more: Any) -> DeadLetter:
    """The dead letter of a record that the collector refused."""
    given = {"stage": "collect", "error_type": "reject", "index": None, "id": None}
    return refused(value, **(given | more))


def letter(written: DeadLetter) -> Letter:
    """A dead letter as it is read back."""
    return opened(message(written))


def opened(written: FakeRecord) -> Letter:
    return Letter(Place(0, 0), 1000, open_envelope(written))


def item(number: int, value: bytes = b"{}", index: str = "i") -> Item:
    action = b'{"create":{"_index":"%b","_id":"%d"}}' % (index.encode(), number)
    return Item(action, value, index, Origin("ekk-a", 0, number))


class Batches:
    """A Reader that was given what it reads."""

    def __init__(self, *batches: list[FakeRecord]) -> None:
        self._batches = batches

    def batches(self, _: Sequence[Span]) -> Iterator[list[Record]]:
        return iter(cast("tuple[list[Record], ...]", self._batches))


def read(*batches: list[FakeRecord], choice: Choice | None = None) -> list[Page]:
    return list(pages(cast("Reader", Batches(*batches)), [], choice or Choice()))
