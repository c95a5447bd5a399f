"""
Letters, written as the sink writes them and opened again.
"""

from fuzz.broken import must
from sink.core.dead_letter import DeadLetter
from sink.core.envelope import Envelope, open_envelope
from sink.core.record import Headers, Record
from sink.testing import FakeRecord

_DEAD_LETTERS = "sink-dlq.fuzz"
_LONG_BYTES = 4096  # the sink shortens what is longer


def check_letter(letter: DeadLetter) -> None:
    """
    Hold that a letter can be written, and says the same when it is opened.

    Raises:
        Broken: It says something else.
    """
    headers = letter.headers({"version": "fuzz"})
    record = letter.record
    _check_same(letter, open_envelope(_message(record, record.value(), headers)))
    kept, more = letter.stub()
    stub = open_envelope(_message(record, kept, [*headers, *more]))
    must(stub.truncated, "a stub does not say that it is one")
    _check_same(letter, stub)


def _check_same(letter: DeadLetter, envelope: Envelope) -> None:
    opened, record = envelope.record, letter.record
    expected = {
        "topic": record.topic(),
        "partition": record.partition(),
        "offset": record.offset(),
        "leader epoch": record.leader_epoch() or 0,
        "time": record.timestamp()[1],
        "key": record.key(),
        "headers": record.headers() or [],
        "index": letter.index,
        "id": letter.id,
        "topic id": letter.topic_id,
        "stage": letter.stage,
        "documents": len(letter),
        "attempts": letter.attempts,
    }
    found = {
        "topic": opened.topic(),
        "partition": opened.partition(),
        "offset": opened.offset(),
        "leader epoch": opened.leader_epoch(),
        "time": opened.timestamp()[1],
        "key": opened.key(),
        "headers": opened.headers(),
        "index": envelope.index,
        "id": envelope.id,
        "topic id": envelope.topic_id,
        "stage": envelope.stage,
        "documents": envelope.documents,
        "attempts": envelope.attempts,
    }
    other = {name: (expected[name], found[name]) for name in found if expected[name] != found[name]}
    must(not other, f"a letter says other things when it is opened: {other}")
    if len(",".join(map(str, letter.positions))) <= _LONG_BYTES:
        must(envelope.positions == letter.positions, f"positions became {envelope.positions}")


def _message(record: Record, value: bytes | str | None, headers: Headers) -> Record:
    key = record.key()
    return FakeRecord(
        _DEAD_LETTERS,
        0,
        0,
        value if isinstance(value, bytes) else None,
        key=key if isinstance(key, bytes) else None,
        headers=headers,
    )
