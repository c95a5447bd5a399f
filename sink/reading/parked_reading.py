"""
How a worker reads the parked topic: commands first, then the documents, then what was left.

Documents whose lane is closed are left there, unsettled. Their partition is read again from the
first of them when the lane is open, or when an operator decided about them.
"""

from collections.abc import Iterable

from sink.core.offsets import OffsetTracker, Ticket
from sink.core.parked import ParkedTarget
from sink.core.record import Partition


class ParkedReading:
    """
    The partitions of the parked topic that a worker holds. Its thread owns it.
    """

    def __init__(self, topic: str | None, target: ParkedTarget, tracker: OffsetTracker) -> None:
        self._topic = topic
        self._target = target
        self._tracker = tracker
        self._left: dict[Partition, set[str]] = {}  # the lanes that documents there wait for

    def begin(self, partitions: Iterable[Partition]) -> None:
        """
        Begin partitions at an offset: what operators decided about them is learned first.

        A command stands behind the documents it is about: they would be sent before it is read.
        """
        for partition in partitions:
            if partition.topic == self._topic:
                self._left.pop(partition, None)
                self._target.begin(partition)

    def forget(self, partition: Partition) -> None:
        """
        Let a partition go.
        """
        self._left.pop(partition, None)

    def at_end(self, partition: Partition) -> int | None:
        """
        Note that a partition was read to its end.

        Returns:
            Where it is read again, with all commands known; None to go on.
        """
        first = self._target.learned(partition)
        if first is not None:
            self._tracker.assign(partition, first)
        return first

    def left(self, left: Iterable[tuple[Ticket, str]]) -> None:
        """
        Note documents that were left, with the lane that was closed to them.
        """
        for ticket, lane in left:
            if self._tracker.epoch(ticket.partition) == ticket.epoch:
                self._left.setdefault(ticket.partition, set()).add(lane)

    def again(self, closed: frozenset[str]) -> dict[Partition, int]:
        """
        Tell which partitions are to be read again, and from where. A new epoch of each begins.

        Args:
            closed: The keys of the lanes that are.
        """
        wanted = {p for p, lanes in self._left.items() if lanes - closed} | self._target.news()
        offsets: dict[Partition, int] = {}
        for partition in wanted:
            self._left.pop(partition, None)
            first = self._tracker.read_again(partition) if self._tracker.owns(partition) else None
            if first is not None:
                offsets[partition] = first
        return offsets
