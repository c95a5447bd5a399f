"""
The record inside a dead letter or a parked document, as it was polled once.

The counterpart of `core/dead_letter.py`, which closes the envelope.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from sink.core.dead_letter import PREFIX
from sink.core.record import NO_TIMESTAMP, Headers, Record, headers_of
from sink.errors import Reject

# The first of the sink's headers. Those before it are the record's own, whatever they are called.
ORIGIN = PREFIX + "topic"
# Message.timestamp()[0] of a record whose time the producer gave (confluent_kafka).
_CREATE_TIME = 1


@dataclass(frozen=True, slots=True)
class Original:
    """
    A record as it was polled from its own topic: fits `Record`.
    """

    _topic: str
    _partition: int
    _offset: int
    _leader_epoch: int
    _timestamp_ms: int
    _key: bytes | str | None
    _value: bytes | str | None
    _headers: Headers

    def topic(self) -> str | None:  # noqa: D102
        return self._topic

    def partition(self) -> int | None:  # noqa: D102
        return self._partition

    def offset(self) -> int | None:  # noqa: D102
        return self._offset

    def key(self) -> bytes | str | None:  # noqa: D102
        return self._key

    def value(self) -> bytes | str | None:  # noqa: D102
        return self._value

    def headers(self) -> Headers | None:  # noqa: D102
        return self._headers

    def timestamp(self) -> tuple[int, int]:  # noqa: D102
        return (NO_TIMESTAMP if self._timestamp_ms < 0 else _CREATE_TIME), self._timestamp_ms

    def leader_epoch(self) -> int | None:  # noqa: D102
        return self._leader_epoch


@dataclass(frozen=True, slots=True)
class Envelope:
    """
    A dead letter or a parked document, read back.

    Args:
        stage: `collect`, `index` or `park`; `operation` where it tells what an operator did.
        positions: Of the elements it is for, where the record holds several documents. With one
            position and an index, the value is that document alone.
        documents: How many it is for.
        truncated: Only the beginning of the value was kept.
    """

    record: Original
    topic_id: str
    stage: str
    error_type: str
    reason: str
    attempts: int
    documents: int
    index: str | None = None
    id: str | None = None
    positions: tuple[int, ...] = ()
    truncated: bool = False

    @property
    def is_element(self) -> bool:
        """
        Tell whether the value is one document out of a record that held several.
        """
        return self.index is not None and bool(self.positions)

    @property
    def identity(self) -> bytes:
        """
        Tell documents apart by where they came from, in 16 bytes: one may be written twice.

        By the topic's id: a topic that was created again begins at offset 0. With the leader epoch:
        a truncated log has other records at its offsets.
        """
        record = self.record
        origin = (self.topic_id or record.topic(), record.partition(), record.offset())
        # A long list of positions is not kept whole: its length still tells such letters apart.
        told = (*origin, record.leader_epoch(), self.positions, self.documents)
        return blake2b(repr(told).encode(), digest_size=16).digest()


def open_envelope(message: Record) -> Envelope:
    """
    Read a message of the dead-letter topic or the parked topic.

    Raises:
        Reject: Its headers are not those of the sink.
    """
    headers = headers_of(message)
    begin = max((n for n, (name, _) in enumerate(headers) if name == ORIGIN), default=len(headers))
    ours = [header for header in headers[begin:] if header[0].startswith(PREFIX)]
    own = headers[:begin] + [h for h in headers[begin:] if not h[0].startswith(PREFIX)]
    try:
        told = {name[len(PREFIX) :]: _text(value) for name, value in ours}
        return _envelope(message, told, own)
    except (KeyError, ValueError) as failure:
        raise Reject(f"no envelope of the sink: header {PREFIX}* {failure}") from failure


def _envelope(message: Record, told: Mapping[str, str], own: Headers) -> Envelope:
    original = Original(
        told["topic"],
        int(told["partition"]),
        int(told["offset"]),
        int(told["leader_epoch"]) if "leader_epoch" in told else 0,
        int(told["timestamp"]),
        message.key(),
        message.value(),
        own,
    )
    return Envelope(
        original,
        topic_id=told.get("topic_id", ""),
        stage=told["stage"],
        error_type=told["error_type"],
        reason=told.get("reason", ""),
        attempts=int(told.get("attempts", "0")),
        documents=int(told.get("documents", "1")),
        index=told.get("index"),
        id=told.get("id"),
        positions=_positions(told.get("positions", "")),
        truncated=told.get("truncated") == "true",
    )


def _positions(told: str) -> tuple[int, ...]:
    # A long list was shortened in its middle, and is no list any more.
    return () if not told or "…" in told else tuple(int(each) for each in told.split(","))


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
