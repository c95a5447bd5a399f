"""
Where a partition is read on when its offset is no longer in the log.

librdkafka is told `auto.offset.reset=error`: with `earliest`, retention overtaking the group would
pass without a word.
"""

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
    def restart(self, partition: Partition, offset: int) -> None: ...  # noqa: D102


def to_log_start(source: Log, tracker: OffsetTracker, ledger: Ledger, partition: Partition) -> None:
    """
    Go on at the log's start, in a new epoch, and enter what retention deleted as expired.
    """
    wanted = tracker.expected(partition)
    if wanted is None:
        wanted = source.committed(partition)
    position = source.log_start(partition)
    expired = max(0, position - wanted) if wanted is not None else 0
    ledger.expired(partition.topic, expired)
    log.error(
        "offset out of range, reading goes on at the log's start",
        partition=partition,
        wanted=wanted,
        log_start=position,
        expired_records=expired,
    )
    tracker.assign(partition)
    source.restart(partition, position)
