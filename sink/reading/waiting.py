"""
Partitions that wait in Kafka: all they give is bound for lanes that have no room any more.

Read on, their documents would be written to the parked topic as fast as they come, and that costs
the others most of their throughput (measured: 70 %).
"""

from collections.abc import Iterable

import structlog

from sink.core.bulk import Bound
from sink.core.lane import topic_key
from sink.core.record import Partition
from sink.reading.committing import shown
from sink.reading.intake import RecordSource

log = structlog.get_logger()


class Waiting:
    """
    The partitions of one worker that are paused for that reason. Its thread owns it.
    """

    def __init__(self, number: int, parked_topic: str | None) -> None:
        self._parked_topic = parked_topic
        self._bound: dict[Partition, list[frozenset[str]]] = {}  # lanes of what each gave last
        self._waiting: set[Partition] = set()
        self._log = log.bind(worker=number)

    def __contains__(self, partition: Partition) -> bool:
        """
        Tell whether a partition waits.
        """
        return partition in self._waiting

    def note(self, partition: Partition, bounds: Iterable[Bound]) -> None:
        """
        Note where what a partition gave last is bound for.

        Never of the parked topic: documents are left there anyway, and commands come from there.
        """
        if partition.topic != self._parked_topic:
            self._bound[partition] = [frozenset((b.index, topic_key(b.topic))) for b in bounds]

    def apply(self, full: frozenset[str], source: RecordSource, *, held: bool) -> None:
        """
        Pause what is to wait, and resume what need not wait any more.

        Args:
            full: The keys of closed lanes, where they have no room.
            held: All is paused.
        """
        if not full and not self._waiting:
            self._bound.clear()
            return
        wanted = {
            partition
            for partition, lanes in self._bound.items()
            if lanes and all(each & full for each in lanes)
        }
        more, fewer = wanted - self._waiting, self._waiting - wanted
        self._waiting = wanted
        if more:
            self._log.debug("waits in Kafka for parked indices", partitions=shown(more))
        if fewer:
            self._log.debug("read on", partitions=shown(fewer))
        if more and not held:
            source.pause(more)
        if fewer and not held:
            source.resume(fewer)

    def forget(self, partition: Partition) -> None:
        """
        Let a partition go, or begin anew.
        """
        self._bound.pop(partition, None)
        self._waiting.discard(partition)
