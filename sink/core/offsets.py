"""
Which offset of each partition may be committed: the heart of the promise.

Two rules bind every change here:
1. The committable offset of a partition never passes a record that is not settled.
2. Work of an older epoch (the partition was taken away, or sought, since) is ignored when it
   comes back: the partition may have another owner by now.

One worker thread owns a tracker; nothing here is locked.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from sink.core.record import Partition


class SettledTwice(AssertionError):
    """
    A part of a ticket was settled more often than it has parts: a bug, never a state of the world.
    """


@dataclass(slots=True)
class Ticket:
    """
    A run of records of one partition, as polled, and how much of it is still under way.
    """

    partition: Partition
    epoch: int
    first: int
    next_offset: int  # the offset after the last record: what is committed once all is settled
    parts: int  # bulks that still hold documents of these records


@dataclass(slots=True)
class _Track:
    epoch: int
    expected: int | None = None  # where the next record comes from; None before the first
    committed: int | None = None  # last offset handed to the broker in this epoch
    settled: int | None = None  # end of the settled prefix
    open: deque[Ticket] = field(default_factory=deque)


class OffsetTracker:
    """
    Tracks runs of records from poll to settlement, partition by partition.
    """

    def __init__(self) -> None:
        self._tracks: dict[Partition, _Track] = {}
        self._epochs: dict[Partition, int] = {}

    def assign(self, partition: Partition, expected: int | None = None) -> None:
        """
        Begin a new epoch of a partition: it was assigned, or sought to another offset.

        Args:
            expected: The offset it was sought to, where it was read before: what retention deletes
                from there on is known to be missing.
        """
        epoch = self._epochs.get(partition, 0) + 1
        self._epochs[partition] = epoch
        self._tracks[partition] = _Track(epoch, expected)

    def read_again(self, partition: Partition) -> int | None:
        """
        Begin a new epoch at the first record that is not settled.

        Returns:
            Its offset; None where nothing was read yet, or all is settled.
        """
        track = self._tracks[partition]
        if not track.open:
            return None
        first = track.open[0].first
        self.assign(partition, first)
        return first

    def drop(self, partition: Partition) -> None:
        """
        Forget a partition: it was revoked or lost. Its work still under way is ignored from now on.
        """
        self._tracks.pop(partition, None)

    def owns(self, partition: Partition) -> bool:
        """
        Tell whether the partition is assigned.
        """
        return partition in self._tracks

    def epoch(self, partition: Partition) -> int | None:
        """
        Tell the epoch of a partition; None where it is not assigned.
        """
        track = self._tracks.get(partition)
        return track.epoch if track else None

    def partitions(self) -> list[Partition]:
        """
        List the assigned partitions.
        """
        return list(self._tracks)

    def track(self, partition: Partition, first: int, next_offset: int, parts: int) -> Ticket:
        """
        Note a run of records that was polled.

        Args:
            partition: One that is assigned.
            first: Offset of the first record.
            next_offset: Offset after the last one.
            parts: Settlements to wait for; 0 when no record gave a document.
        """
        track = self._tracks[partition]
        assert first < next_offset, (partition, first, next_offset)
        assert track.expected is None or first >= track.expected, (partition, first, track.expected)
        ticket = Ticket(partition, track.epoch, first, next_offset, parts)
        if track.expected is None:
            track.settled = first  # committed at once: what retention deletes from here on is told
        track.expected = next_offset
        track.open.append(ticket)
        if not parts:
            _advance(track)
        return ticket

    def passed(self, partition: Partition, end: int) -> bool:
        """
        Note that everything before an offset was polled: the log has nothing more up to there.

        Markers of transactions, aborted records and what compaction removed are never polled.

        Returns:
            Whether anything was passed that was not polled.
        """
        expected = self._tracks[partition].expected
        first = end - 1 if expected is None else expected
        if not 0 <= first < end:
            return False
        self.track(partition, first, end, 0)
        return True

    def settle(self, ticket: Ticket) -> bool:
        """
        Settle one part of a ticket.

        Returns:
            False when the ticket is of an older epoch: nothing was changed.
        Raises:
            SettledTwice: The ticket has no part left.
        """
        if ticket.parts <= 0:
            raise SettledTwice(ticket)
        ticket.parts -= 1
        track = self._tracks.get(ticket.partition)
        if track is None or track.epoch != ticket.epoch:
            return False
        if not ticket.parts:
            _advance(track)
        return True

    def committable(self) -> dict[Partition, int]:
        """
        Tell what may be committed now and was not yet: partition → next offset.
        """
        return {
            partition: track.settled
            for partition, track in self._tracks.items()
            if track.settled is not None and track.settled != track.committed
        }

    def committed(self, offsets: dict[Partition, int]) -> None:
        """
        Note offsets as handed to the broker, so that they are not committed again.
        """
        for partition, offset in offsets.items():
            track = self._tracks.get(partition)
            if track is not None:
                track.committed = offset

    def uncommitted(self, partitions: Iterable[Partition]) -> None:
        """
        Take a commit back that the broker refused: the offsets are committable again.
        """
        for partition in partitions:
            track = self._tracks.get(partition)
            if track is not None:
                track.committed = None

    def expected(self, partition: Partition) -> int | None:
        """
        Tell the offset that the next record of a partition comes from; None before its first.
        """
        track = self._tracks.get(partition)
        return track.expected if track else None

    def unsettled(self, partitions: Iterable[Partition] | None = None) -> int:
        """
        Count the runs that are still under way, of some partitions or of all.
        """
        tracks = self._tracks.values() if partitions is None else self._of(partitions)
        return sum(len(track.open) for track in tracks)

    def _of(self, partitions: Iterable[Partition]) -> list[_Track]:
        return [self._tracks[p] for p in partitions if p in self._tracks]


def _advance(track: _Track) -> None:
    """
    Move the end of the settled prefix over every run at its front that is done.
    """
    while track.open and not track.open[0].parts:
        track.settled = track.open.popleft().next_offset
