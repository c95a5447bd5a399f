"""
Where a partition is read on when its offset is no longer in the log.

librdkafka is told `auto.offset.reset=error`: with `earliest`, retention overtaking the group would
pass without a word.
"""

from collections.abc import Iterator, Set
from typing import Protocol

import structlog

from sink.core.ledger import Ledger
from sink.core.offsets import OffsetTracker
from sink.core.record import Partition

log = structlog.get_logger()


class Log(Protocol):
    """
    What is asked of a partition's log.
    """

    def committed(self, partition: Partition) -> int | None: ...  # noqa: D102
    def log_start(self, partition: Partition) -> int: ...  # noqa: D102
    def restart(self, partition: Partition, offset: int | None) -> None: ...  # noqa: D102


class Positions:
    """
    The partitions of a worker that lost their position. Its thread owns it.
    """

    def __init__(self, tracker: OffsetTracker, ledger: Ledger) -> None:
        self._tracker = tracker
        self._ledger = ledger
        self._lost: dict[Partition, int | None] = {}  # with the epoch they lost it in

    def lost(self, partition: Partition) -> None:
        """
        Note that a partition cannot go on where it was.
        """
        self._lost[partition] = self._tracker.epoch(partition)

    def topics(self) -> set[str]:
        """
        Tell whose partitions have no position. One that was taken away or begun anew is well.
        """
        self._lost = {
            partition: epoch
            for partition, epoch in self._lost.items()
            if epoch is not None and epoch == self._tracker.epoch(partition)
        }
        return {partition.topic for partition in self._lost}

    def find(self, source: Log, topics: Set[str]) -> Iterator[Partition]:
        """
        Go on at the start of the log, with those that still lack a position.

        Args:
            topics: That exist.
        Returns:
            Each partition as soon as it goes on.
        Raises:
            Unavailable: The brokers do not tell where a log starts.
        """
        wanted = self.topics() & topics
        for partition in [partition for partition in self._lost if partition.topic in wanted]:
            self._to_log_start(source, partition)
            yield partition

    def _to_log_start(self, source: Log, partition: Partition) -> None:
        """
        Go on at the log's start, in a new epoch, and enter what retention deleted as expired.
        """
        wanted = self._tracker.expected(partition)
        if wanted is None:
            wanted = source.committed(partition)
        position = source.log_start(partition)
        expired = max(0, position - wanted) if wanted is not None else 0
        self._ledger.expired(partition.topic, expired)
        log.error(
            "offset out of range, reading goes on at the log's start",
            partition=partition,
            wanted=wanted,
            log_start=position,
            expired_records=expired,
        )
        self._tracker.assign(partition)
        source.restart(partition, position)
