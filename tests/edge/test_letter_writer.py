"""
What is too large for the dead-letter topic becomes a stub; nothing unacknowledged passes for done.
"""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from structlog.testing import capture_logs

from sink.config import Config
from sink.core.dead_letter import STUB_BYTES, DeadLetter
from sink.core.record import Headers
from sink.edge.kafka import dead_letters as module
from sink.edge.kafka.dead_letters import DeadLetters
from sink.errors import Unauthorized, Unavailable
from sink.testing import FakeRecord

TOPIC_BYTES = 200_000
WHOLE = b"x" * 300_000


class _Producer:
    """
    A producer that refuses what is too large at once, or when the broker answers.
    """

    def __init__(self, *, at_once: bool, bytes_max: int, acknowledges: bool) -> None:
        self.written: list[tuple[bytes | None, bytes | None, Headers]] = []
        self._at_once = at_once
        self.bytes_max = bytes_max
        self._acknowledges = acknowledges
        self._pending: list[Callable[[], None]] = []

    def produce(
        self, topic: str, value: bytes, key: bytes, headers: Headers, on_delivery: Any
    ) -> None:
        error = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
        fits = len(value or b"") <= self.bytes_max
        if not fits and self._at_once:
            raise KafkaException(error)
        if fits:
            self.written.append((value, key, headers))
        if self._acknowledges:
            self._pending.append(lambda: on_delivery(None if fits else error, None))

    def flush(self, _timeout_s: float) -> None:
        for done in self._pending:
            done()
        self._pending.clear()


def _letter(value: bytes) -> DeadLetter:
    record = FakeRecord("ekk-order", 3, 7, value, key=b"its key", headers=[("trace", b"\xff")])
    return DeadLetter(record, "index", "document_parsing_exception", "because", topic_id="T")


def _writer(
    monkeypatch: pytest.MonkeyPatch,
    *,
    stubs: bool = True,
    at_once: bool = True,
    bytes_max: int = TOPIC_BYTES,
    acknowledges: bool = True,
    room: "_Room | None" = None,
) -> tuple[DeadLetters, _Producer]:
    fake = _Producer(at_once=at_once, bytes_max=bytes_max, acknowledges=acknowledges)
    monkeypatch.setattr(module, "Producer", lambda _: fake)
    table = {"name": "r", "prefix": "ekk-", "index": {"prefix": "sag-"}}
    config = Config.model_validate({"routes": [table]})
    widen = room.widen if room else None
    origin = {"version": "1"}
    return DeadLetters(config, "dlq", TOPIC_BYTES, origin, stubs=stubs, widen=widen), fake


@pytest.mark.parametrize("at_once", [True, False])
def test_a_record_too_large_for_the_topic_becomes_a_stub_and_the_others_are_whole(
    monkeypatch: pytest.MonkeyPatch, *, at_once: bool
) -> None:
    """
    The client refuses it by its own limit, the broker by the topic's.
    """
    writer, producer = _writer(monkeypatch, at_once=at_once)

    writer.write([_letter(b"small"), _letter(WHOLE), _letter(b"small too")])

    values = [value for value, _, _ in producer.written]
    assert values == [b"small", b"small too", WHOLE[:STUB_BYTES]]
    _, key, headers = producer.written[2]
    told = dict(headers)
    assert key == b"its key"
    assert headers[0] == ("trace", b"\xff")
    assert (told["sink.truncated"], told["sink.value_bytes"]) == (b"true", b"300000")
    assert (told["sink.topic"], told["sink.offset"]) == (b"ekk-order", b"7")
    assert "sink.truncated" not in dict(producer.written[0][2])


def test_a_parked_document_is_never_cut_for_it_is_to_be_indexed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writer, producer = _writer(monkeypatch, stubs=False)

    with pytest.raises(Unavailable, match=r"max\.message\.bytes"):
        writer.write([_letter(WHOLE)])

    assert producer.written == []


def test_a_topic_that_takes_not_even_a_stub_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    writer, _ = _writer(monkeypatch, bytes_max=10)

    with pytest.raises(Unavailable, match="not even a stub"):
        writer.write([_letter(WHOLE)])


@pytest.mark.parametrize("value", [b"small", WHOLE])
def test_what_nobody_acknowledged_is_not_written(
    monkeypatch: pytest.MonkeyPatch, value: bytes
) -> None:
    writer, _ = _writer(monkeypatch, at_once=True, acknowledges=False)

    with pytest.raises(Unavailable, match="not acknowledged"):
        writer.write([_letter(value)])


class _Room:
    """A topic whose limit may be raised, or not."""

    def __init__(self, failure: Unavailable | None = None) -> None:
        self.asked: list[tuple[str, int]] = []
        self.producer: _Producer | None = None
        self._failure = failure

    def widen(self, topic: str, bytes_max: int) -> None:
        self.asked.append((topic, bytes_max))
        if self._failure:
            raise self._failure
        if self.producer:
            self.producer.bytes_max = bytes_max


def test_a_parked_document_that_is_too_large_has_its_topic_take_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = _Room()
    writer, room.producer = _writer(monkeypatch, stubs=False, at_once=False, room=room)

    with capture_logs() as said:
        writer.write([_letter(b"small"), _letter(WHOLE)])

    ((topic, bytes_max),) = room.asked
    assert topic == "dlq" and len(WHOLE) < bytes_max < len(WHOLE) + 100_000
    assert [value for value, _, _ in room.producer.written] == [b"small", WHOLE]
    assert [(line["event"], line["topic"]) for line in said] == [
        ("topic takes larger messages", "dlq")
    ]


def test_where_the_topic_may_not_be_changed_that_is_said_and_the_others_are_written_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = _Room(Unauthorized("Kafka denies the request"))
    writer, producer = _writer(monkeypatch, stubs=False, at_once=False, room=room)

    for _ in range(3):
        with pytest.raises(Unavailable, match=r"max\.message\.bytes to \d+; .* denies"):
            writer.write([_letter(b"small"), _letter(WHOLE), _letter(b"small too")])
    assert [value for value, _, _ in producer.written] == [b"small", b"small too"]
    assert len(room.asked) == 3, "it may be allowed meanwhile"

    producer.bytes_max = len(WHOLE)
    writer.write([_letter(b"small"), _letter(WHOLE), _letter(b"small too")])
    assert [value for value, _, _ in producer.written][2:] == [WHOLE, b"small", b"small too"]
    writer.write([_letter(b"next")])
    assert len(room.asked) == 3
