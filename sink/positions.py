"""
Where a partition is read from when Kafka has no position for it.

librdkafka is told `auto.offset.reset=error`: with `earliest`, retention overtaking the group would
pass without a word.
"""

from datetime import datetime
from typing import Protocol

import structlog

from sink.core.ledger import Ledger
from sink.core.offsets import OffsetTracker
from sink.core.record import Partition
from sink.edge.kafka.source import BEGINNING, END

log = structlog.get_logger()

_NAMED = {"earliest": BEGINNING, "latest": END}


class Log(Protocol):
    """
    What is asked of a partition's log.
    """

    def committed(self, partition: Partition) -> int | None: ...  # noqa: D102
    def log_start(self, partition: Partition) -> int: ...  # noqa: D102
    def offset_at(self, partition: Partition, time_ms: int) -> int: ...  # noqa: D102
    def seek(self, partition: Partition, offset: int) -> None: ...  # noqa: D102


def find_position(
    source: Log, tracker: OffsetTracker, ledger: Ledger, partition: Partition, start: str | datetime
) -> None:
    """
    Seek a partition that has no valid position, and begin a new epoch of it.

    Args:
        start: `earliest`, `latest` or a time: where a partition that was never committed
            begins. One whose offset is no longer in the log begins at the log's start, and what
            is missing is entered as expired.
    """
    known = tracker.expected(partition)
    if known is None:
        known = source.committed(partition)
    if known is None:
        if isinstance(start, datetime):
            position = source.offset_at(partition, round(start.timestamp() * 1000))
        else:
            position = _NAMED[start]
        log.info("no committed offset", partition=partition, start=str(start))
    else:
        position = source.log_start(partition)
        expired = max(0, position - known)
        ledger.expired(partition.topic, expired)
        log.error(
            "offset out of range, reading goes on at the log's start",
            partition=partition,
            wanted=known,
            log_start=position,
            expired_records=expired,
        )
    tracker.assign(partition)
    source.seek(partition, position)
