"""
The dead letter: a record as it came, with headers that say where it came from and why it is here.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from sink.core.record import Headers, Record, headers_of

STUB_BYTES = 64 * 1024
_REASON_BYTES = 4096  # headers count against message.max.bytes; a trace is told by its end
PREFIX = "sink."


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """
    A record that cannot become a document, and why.

    Args:
        stage: `collect` (before it was sent), `index` (Elasticsearch refused it) or `park` (its
            index takes none for the time being).
        positions: Of the elements, where the record holds several documents.
    """

    record: Record
    stage: str
    error_type: str
    reason: str
    attempts: int = 0
    index: str | None = None
    id: str | None = None
    positions: tuple[int, ...] = ()
    topic_id: str = ""

    def __len__(self) -> int:
        """
        Count the documents it is for.
        """
        return len(self.positions) or 1

    def size_bytes(self) -> int:
        """
        Give the bytes of the record: value, key and its own headers.
        """
        record = self.record
        return len(_raw(record.value())) + len(_raw(record.key())) + _size_bytes(headers_of(record))

    def headers(self, origin: Mapping[str, str], own_bytes_max: int | None = None) -> Headers:
        """
        Give the record's own headers, then what is known of its end.

        Args:
            origin: What the dead letter itself cannot tell: version.
            own_bytes_max: Leaves the record's own headers out where they are larger than that.
        """
        record = self.record
        facts: dict[str, object] = {
            "topic": record.topic(),
            "topic_id": self.topic_id or None,
            "partition": record.partition(),
            "offset": record.offset(),
            "leader_epoch": record.leader_epoch(),
            "timestamp": record.timestamp()[1],
            "documents": len(self),
            "positions": _shortened(",".join(map(str, self.positions))) or None,
            "index": self.index,
            "id": self.id,
            "stage": self.stage,
            "error_type": self.error_type,
            "reason": _shortened(self.reason),
            "attempts": self.attempts,
            **origin,
        }
        told: Headers = [(PREFIX + k, str(v).encode()) for k, v in facts.items() if v is not None]
        own = headers_of(record)
        fits = own_bytes_max is None or _size_bytes(own) <= own_bytes_max
        return [*own, *told] if fits else told

    def stub(self) -> tuple[bytes, Headers]:
        """
        Give what is kept of a value that is too large for the dead-letter topic.

        Returns:
            The first 64 KiB, and headers with the length and SHA-256 of the whole.
        """
        raw = _raw(self.record.value())
        digest = hashlib.sha256(raw).hexdigest().encode()
        length = str(len(raw)).encode()
        return raw[:STUB_BYTES], [
            (PREFIX + "truncated", b"true"),
            (PREFIX + "value_bytes", length),
            (PREFIX + "value_sha256", digest),
        ]


def target_of(action: bytes) -> tuple[str, str | None]:
    """
    Read index and id out of an action line.
    """
    ((_, target),) = orjson.loads(action).items()
    return target["_index"], target.get("_id")


def _shortened(reason: str) -> str:
    # An exception may quote what has no UTF-8; its letter is written all the same.
    raw = reason.encode(errors="backslashreplace")
    if len(raw) <= _REASON_BYTES:
        return raw.decode()
    half = _REASON_BYTES // 2
    return f"{raw[:half].decode(errors='ignore')} … {raw[-half:].decode(errors='ignore')}"


def _raw(value: bytes | str | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""


def _size_bytes(headers: Headers) -> int:
    return sum(len(name) + len(value or "") for name, value in headers)
