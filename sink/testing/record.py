"""
A Kafka message made by hand.
"""

from sink.core.record import NO_TIMESTAMP, Headers

_CREATE_TIME = 1  # confluent_kafka.TIMESTAMP_CREATE_TIME


class FakeRecord:
    """
    One record, with the methods of confluent_kafka.Message that the sink and collectors use.

    Args:
        timestamp_ms: Milliseconds since the epoch, UTC; None for a record that carries no time.
        leader_epoch: Of the record's batch (KIP-320).
    """

    __slots__ = (
        "_headers",
        "_key",
        "_leader_epoch",
        "_offset",
        "_partition",
        "_timestamp_ms",
        "_topic",
        "_value",
    )

    def __init__(
        self,
        topic: str,
        partition: int,
        offset: int,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Headers | None = None,
        timestamp_ms: int | None = 1_795_252_441_945,
        leader_epoch: int | None = 0,
    ) -> None:
        self._topic = topic
        self._partition = partition
        self._offset = offset
        self._value = value
        self._key = key
        self._headers = headers
        self._timestamp_ms = timestamp_ms
        self._leader_epoch = leader_epoch

    def __repr__(self) -> str:
        return f"FakeRecord({self._topic}/{self._partition}@{self._offset}, {self._value!r})"

    def topic(self) -> str:
        """
        Give the topic.
        """
        return self._topic

    def partition(self) -> int:
        """
        Give the partition's number.
        """
        return self._partition

    def offset(self) -> int:
        """
        Give the offset.
        """
        return self._offset

    def key(self) -> bytes | None:
        """
        Give the key.
        """
        return self._key

    def value(self) -> bytes | None:
        """
        Give the value; None is a tombstone.
        """
        return self._value

    def headers(self) -> Headers | None:
        """
        Give the headers; None where there are none.
        """
        return self._headers

    def timestamp(self) -> tuple[int, int]:
        """
        Give (type, milliseconds since the epoch); -1 ms where the record carries no time.
        """
        if self._timestamp_ms is None:
            return NO_TIMESTAMP, -1
        return _CREATE_TIME, self._timestamp_ms

    def leader_epoch(self) -> int | None:
        """
        Give the leader epoch of the record's batch.
        """
        return self._leader_epoch
