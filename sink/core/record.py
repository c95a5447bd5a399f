"""
What the core knows of a Kafka message: a Protocol, and the name of a partition.

`confluent_kafka.Message` fits `Record` as it is: a wrapper object a record would cost 125-500 ns.
"""

from typing import NamedTuple, Protocol

# Message.timestamp()[0] of a record that carries no time (confluent_kafka.TIMESTAMP_NOT_AVAILABLE).
NO_TIMESTAMP = 0

Headers = list[tuple[str, bytes | str | None]]


class Partition(NamedTuple):
    """
    A partition of a topic.
    """

    topic: str
    number: int


class Record(Protocol):
    """
    One Kafka message as polled.

    Source: confluent_kafka.Message. `timestamp()` is (type, milliseconds since the epoch, UTC);
    `leader_epoch()` is that of the record's batch (KIP-320).
    """

    def topic(self) -> str | None: ...  # noqa: D102
    def partition(self) -> int | None: ...  # noqa: D102
    def offset(self) -> int | None: ...  # noqa: D102
    def key(self) -> bytes | str | None: ...  # noqa: D102
    def value(self) -> bytes | str | None: ...  # noqa: D102
    def headers(self) -> Headers | None: ...  # noqa: D102
    def timestamp(self) -> tuple[int, int]: ...  # noqa: D102
    def leader_epoch(self) -> int | None: ...  # noqa: D102


class Element:
    """
    One document of a record that holds several: the record, with that document for its value.

    A dead letter of it holds the document alone. With the whole record it would be as large as the
    record for each of its documents.
    """

    __slots__ = ("_record", "_value", "position")

    def __init__(self, record: Record, position: int, value: bytes) -> None:
        self._record = record
        self._value = value
        self.position = position  # in the record, from 0

    def topic(self) -> str | None:  # noqa: D102
        return self._record.topic()

    def partition(self) -> int | None:  # noqa: D102
        return self._record.partition()

    def offset(self) -> int | None:  # noqa: D102
        return self._record.offset()

    def key(self) -> bytes | str | None:  # noqa: D102
        return self._record.key()

    def value(self) -> bytes | str | None:  # noqa: D102
        return self._value

    def headers(self) -> Headers | None:  # noqa: D102
        return self._record.headers()

    def timestamp(self) -> tuple[int, int]:  # noqa: D102
        return self._record.timestamp()

    def leader_epoch(self) -> int | None:  # noqa: D102
        return self._record.leader_epoch()
