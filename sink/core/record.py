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
