"""
What the core knows of a Kafka message: a Protocol, and the name of a partition.

`confluent_kafka.Message` fits `Record` as it is: a wrapper object a record would cost 125-500 ns.
"""

import gc
from operator import methodcaller
from typing import NamedTuple, Protocol

# Message.timestamp()[0] of a record that carries no time (confluent_kafka.TIMESTAMP_NOT_AVAILABLE).
NO_TIMESTAMP = 0
_PAIR = 2
# Python 3.11 checks the result of a method it calls often no more: the error it left set would
# surface anywhere. This one is always checked.
_headers = methodcaller("headers")

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

    @property
    def whole(self) -> Record:
        """
        The record that holds it.
        """
        return self._record

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
        return headers_of(self._record)

    def timestamp(self) -> tuple[int, int]:  # noqa: D102
        return self._record.timestamp()

    def leader_epoch(self) -> int | None:  # noqa: D102
        return self._record.leader_epoch()


def headers_of(record: Record) -> Headers:
    """
    Read the headers of a record, without those whose names are no UTF-8.

    For such a name confluent_kafka 2.16 raises SystemError the first time, and gives a tuple with a
    null pointer in it from then on: whoever unpacks that ends the process (seen: SIGSEGV). Asking
    the collector what a tuple refers to touches no item of it.
    """
    try:
        headers = _headers(record)
    except SystemError:
        headers = _headers(record)
    return [header for header in headers or [] if len(gc.get_referents(header)) == _PAIR]
