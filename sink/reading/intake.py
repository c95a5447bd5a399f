"""
How much a worker takes from Kafka at a time, and how long it waits for it.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from sink.config import Config
from sink.core.budget import extra_bytes, value_bytes
from sink.core.record import Partition, Record
from sink.edge.kafka.news import News
from sink.edge.readiness import Readiness
from sink.errors import Unavailable
from sink.reading.positions import Log

# Idle, one record is waited for, then the linger begins: an idle thread wakes twice a second.
_IDLE_S = 0.5
_KEEP_ALIVE_S = 0.01

Polled = tuple[list[Record], list[News]]


class RecordSource(Log, Protocol):
    """
    What a worker asks of Kafka: `sink.edge.kafka.source.Source`, or a fake.
    """

    def poll(self, records_max: int, timeout_s: float) -> Polled: ...  # noqa: D102
    def assignment(self) -> list[Partition]: ...  # noqa: D102
    def seek(self, partition: Partition, offset: int) -> None: ...  # noqa: D102
    def pause(self, partitions: Iterable[Partition]) -> None: ...  # noqa: D102
    def resume(self, partitions: Iterable[Partition]) -> None: ...  # noqa: D102
    def stamp(self, topic: str, topic_id: str) -> None: ...  # noqa: D102
    def read_under(self, partition: Partition, leader_epoch: int | None) -> None: ...  # noqa: D102
    def committed_under(self, partition: Partition) -> str | None: ...  # noqa: D102
    def commit(self, offsets: dict[Partition, int]) -> None: ...  # noqa: D102
    def is_committing(self) -> bool: ...  # noqa: D102
    def refused(self) -> list[Partition]: ...  # noqa: D102
    def commit_now(self, offsets: dict[Partition, int]) -> dict[Partition, str]: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class Intake:
    """
    Takes polls of a fitting size. One worker thread owns it.

    consume() bounds a poll by count only; 5,000 records of 1 MB would be 5 GB. So the count follows
    the size of the records that came last. Where they grow at once, the prefetch is the bound.
    """

    def __init__(self, config: Config, readiness: Readiness) -> None:
        self._docs_max = config.bulk.docs_max
        self._bytes_max = config.kafka.poll_bytes_max
        self._linger_s = config.bulk.linger_ms / 1000
        self._readiness = readiness
        self._busy = False  # the last poll gave something
        self._bulk_bytes_max = config.bulk.bytes_max
        self._records_max = self._fitting(1024.0, 0.0)

    def take(self, source: RecordSource, *, idle: bool) -> Polled:
        """
        Take what is there, up to count and bytes.

        Args:
            idle: Nothing is under way: wait for one record, then linger for more.
        """
        records_max = self._records_max
        if self._busy or not idle:
            records, news = self._poll(source, records_max, self._linger_s)
        else:
            records, news = self._poll(source, 1, _IDLE_S)
            if records and records_max > 1:
                more, further = self._poll(source, records_max - 1, self._linger_s)
                records, news = records + more, news + further
        self._busy = bool(records)
        return records, news

    def take_one(self, source: RecordSource) -> Polled:
        """
        Poll so that the group keeps the member; a record may come all the same.
        """
        return self._poll(source, 1, _KEEP_ALIVE_S)

    def took(self, records: Sequence[Record], size_bytes: int) -> None:
        """
        Note the size of what came, for the next poll. It becomes twice as long at most.

        Args:
            size_bytes: What was made of the records.
        """
        # Nothing is made of records that are dropped, or read for commands only.
        value = max(size_bytes / len(records), value_bytes(records))
        self._records_max = min(self._fitting(value, extra_bytes(records)), 2 * self._records_max)

    def _fitting(self, value: float, extra: float) -> int:
        """
        Tell how many records fit a poll: bytes of what is sent of each, and of what is kept.

        A bulk keeps keys and headers of its records beside its own bytes: both must fit one.
        """
        bytes_max = min(self._bytes_max, self._bulk_bytes_max) if extra else self._bytes_max
        return max(1, min(self._docs_max, int(bytes_max / max(1.0, value + extra))))

    def _poll(self, source: RecordSource, records_max: int, timeout_s: float) -> Polled:
        try:
            return source.poll(records_max, timeout_s)
        except Unavailable as failure:
            # The consumer goes on trying by itself; it raises this only when it took no record.
            self._readiness.lacks("kafka", str(failure))
            return [], []
