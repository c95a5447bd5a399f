"""
A consumer of a FakeBroker, as a worker sees it.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from sink.core.record import Partition, Record
from sink.edge.kafka.news import End, News, Problem
from sink.edge.kafka.source import Listener

if TYPE_CHECKING:
    from sink.testing.broker import FakeBroker

_REFUSED = "the broker was told to refuse it"


class _Event(NamedTuple):
    """
    What the next poll does before, or after, it takes records.
    """

    serve: Callable[[], None]
    after_records: bool


class FakeSource:
    """
    What `sink.edge.kafka.source.Source` is on librdkafka. `FakeBroker.open` makes it.

    One thread uses it. Another tells it what its next poll does: `assign`, `revoke`, `lose`,
    `fail`.
    """

    def __init__(self, broker: "FakeBroker", listener: Listener) -> None:
        self.polls = 0
        self.closed = False
        self.paused: set[Partition] = set()
        self._broker = broker
        self._listener = listener
        self._positions: dict[Partition, int | None] = {}  # None: out of range, somebody must seek
        self._promised: set[Partition] = set()
        self._events: deque[_Event] = deque()
        self._failure: BaseException | None = None  # out of a callback
        self._errors: deque[BaseException] = deque()  # that polls were told to raise
        self.commits_unanswered = False  # the next commit would have to wait for the last
        self._refused: list[Partition] = []
        self._told_ends: dict[Partition, int] = {}
        self._topic_ids: dict[str, str] = {}  # that commits carry
        self._committed_under: dict[Partition, str | None] = {}
        self.leader_epochs: dict[Partition, int | None] = {}

    def assign(self, *partitions: Partition, after_records: bool = False) -> None:
        """
        Give it partitions, which begin at what is committed, or at the log's start.

        Args:
            after_records: In a poll that took records already.
        """
        with self._broker.changed:
            self._promised |= set(partitions)
            self._tell(lambda: self._assigned(list(partitions)), after_records=after_records)

    def revoke(self, *partitions: Partition, after_records: bool = False) -> None:
        """
        Take partitions away, which it may finish and commit before.

        Args:
            after_records: In a poll that took records of them already.
        """
        self._tell(lambda: self._revoked(list(partitions)), after_records=after_records)

    def lose(self, *partitions: Partition) -> None:
        """
        Take partitions away that somebody else owns already.
        """
        self._tell(lambda: self._lost(list(partitions)))

    def fail(self, *errors: BaseException) -> None:
        """
        Let the next polls raise.
        """
        with self._broker.changed:
            self._errors += errors
            self._broker.changed.notify_all()

    def promised(self) -> set[Partition]:
        """
        Give the partitions it has or will have after its next poll.
        """
        return set(self._promised)

    def poll(self, records_max: int, timeout_s: float) -> tuple[list[Record], list[News]]:
        """
        Take records and do what was told. Waits only while there is nothing at all.
        """
        self.polls += 1
        with self._broker.changed:
            if not (self._events or self._errors or self._any()):
                self._broker.changed.wait(timeout_s)
            if self._errors:
                raise self._errors.popleft()
            events = list(self._events)
            self._events.clear()
        self._serve(event for event in events if not event.after_records)
        records, news = self._take(records_max)
        self._serve(event for event in events if event.after_records)
        if self._failure is not None and not records:
            failure, self._failure = self._failure, None
            raise failure
        return records, news

    def assignment(self) -> list[Partition]:
        """
        List the assigned partitions.
        """
        return list(self._positions)

    def seek(self, partition: Partition, offset: int) -> None:
        """
        Go on from an offset.

        Raises:
            RuntimeError: The partition is not assigned; librdkafka refuses it as well.
        """
        if self._positions.get(partition) is None:
            raise RuntimeError(f"cannot seek {partition}: it is not assigned, or out of range")
        self._positions[partition] = offset
        self._told_ends.pop(partition, None)

    def restart(self, partition: Partition, offset: int | None) -> None:
        """
        Begin a partition anew at an offset, None for the log's start. It is not paused then.

        Raises:
            RuntimeError: The partition is not assigned.
        """
        if partition not in self._positions:
            raise RuntimeError(f"cannot restart {partition}: it is not assigned")
        begin = self._broker.log_start(partition) if offset is None else offset
        self._positions[partition] = begin
        self._told_ends.pop(partition, None)
        self.paused.discard(partition)

    def pause(self, partitions: Iterable[Partition]) -> None:
        """
        Take nothing of these partitions.
        """
        self.paused |= set(partitions) & set(self._positions)

    def resume(self, partitions: Iterable[Partition]) -> None:
        """
        Take from these partitions again.
        """
        self.paused -= set(partitions)

    def committed(self, partition: Partition) -> int | None:
        """
        Give the committed offset; None where there is none.
        """
        return self._broker.committed().get(partition)

    def log_start(self, partition: Partition) -> int:
        """
        Give the first offset of the log.
        """
        return self._broker.log_start(partition)

    def stamp(self, topic: str, topic_id: str) -> None:
        """
        Let commits of a topic carry its id from now on.
        """
        self._topic_ids[topic] = topic_id

    def read_under(self, partition: Partition, leader_epoch: int | None) -> None:
        """
        Note the leader epoch that commits of a partition would carry.
        """
        self.leader_epochs[partition] = leader_epoch

    def committed_under(self, partition: Partition) -> str | None:
        """
        Tell the topic's id that the committed offset carried when the partition was assigned.
        """
        return self._committed_under.get(partition)

    def commit(self, offsets: dict[Partition, int]) -> None:
        """
        Commit; what is refused is told by `refused`.
        """
        if not self._commit(offsets):
            self._refused += offsets

    def is_committing(self) -> bool:
        """
        Each commit is answered at once, unless `commits_unanswered` says otherwise.
        """
        return self.commits_unanswered

    def refused(self) -> list[Partition]:
        """
        Take the partitions whose commit was refused.
        """
        refused, self._refused = self._refused, []
        return refused

    def commit_now(self, offsets: dict[Partition, int]) -> dict[Partition, str]:
        """
        Commit, and tell at once what was refused.
        """
        return {} if not offsets or self._commit(offsets) else dict.fromkeys(offsets, _REFUSED)

    def close(self) -> None:
        """
        Leave the group: partitions are revoked first, as librdkafka does.
        """
        if self._positions:
            self._guarded(lambda: self._revoked(list(self._positions)))
        with self._broker.changed:
            self.closed = True
            self._events.clear()
            self._promised.clear()

    def _tell(self, serve: Callable[[], None], *, after_records: bool = False) -> None:
        with self._broker.changed:
            self._events.append(_Event(serve, after_records))
            self._broker.changed.notify_all()

    def _serve(self, events: Iterable[_Event]) -> None:
        for event in events:
            self._guarded(event.serve)

    def _guarded(self, body: Callable[[], None]) -> None:
        try:
            body()
        except BaseException as failure:  # a callback may not raise; the next empty poll does
            self._failure = failure

    def _assigned(self, partitions: list[Partition]) -> None:
        known = self._broker.committed()
        for partition in partitions:
            begin = known.get(partition)
            self._committed_under[partition] = self._broker.committed_under(partition)
            self._positions[partition] = (
                self._broker.log_start(partition) if begin is None else begin
            )
        self._listener.on_assign(partitions)

    def _revoked(self, partitions: list[Partition]) -> None:
        try:
            self._listener.on_revoke(partitions)
        finally:
            self._forget(partitions)

    def _lost(self, partitions: list[Partition]) -> None:
        self._forget(partitions)
        self._listener.on_lost(partitions)

    def _forget(self, partitions: list[Partition]) -> None:
        for partition in partitions:
            self._positions.pop(partition, None)
            self._told_ends.pop(partition, None)
            self.paused.discard(partition)
            self._promised.discard(partition)

    def _commit(self, offsets: dict[Partition, int]) -> bool:
        foreign = [partition for partition in offsets if partition not in self._positions]
        if foreign:
            self._broker.violations.append(f"committed without owning it: {foreign}")
        return self._broker.commit(offsets, self._topic_ids)

    def _flowing(self) -> list[tuple[Partition, int]]:
        return [
            (partition, position)
            for partition, position in self._positions.items()
            if position is not None and partition not in self.paused
        ]

    def _any(self) -> bool:
        return any(
            self._broker.read(p, position, 1) != [] or self._untold_end(p) is not None
            for p, position in self._flowing()
        )

    def _take(self, records_max: int) -> tuple[list[Record], list[News]]:
        records: list[Record] = []
        news: list[News] = []
        for partition, position in self._flowing():
            room = records_max - len(records)
            taken = self._broker.read(partition, position, room)
            if taken is None:
                self._positions[partition] = None
                news.append(Problem(partition, True, "offset out of range"))
                continue
            if taken:
                self._positions[partition] = taken[-1].offset() + 1
                records += taken
            end = self._untold_end(partition)
            if end is not None and len(taken) < room:
                self._told_ends[partition] = self._positions[partition] = end
                news.append(End(partition, end))
        return records, news

    def _untold_end(self, partition: Partition) -> int | None:
        """
        Give the log's end; None when it was told already, as librdkafka does once for each end.
        """
        end = self._broker.log_end(partition)
        return None if self._told_ends.get(partition) == end else end
