"""
The tracker against the simplest model there is: sets of offsets.
"""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sink.core.offsets import OffsetTracker, Ticket
from sink.core.record import Partition

PARTITIONS = [Partition("orders", 0), Partition("orders", 1), Partition("bills", 0)]


@dataclass(eq=False)
class Epoch:
    """What is known of one assignment of a partition: every offset in it, and which are open."""

    tracked: set[int] = field(default_factory=set)
    open: set[int] = field(default_factory=set)
    committed: int | None = None

    def end_of_what_is_done(self) -> int | None:
        done = {offset for offset in self.tracked if not self.open or offset < min(self.open)}
        return max(done) + 1 if done else None


@dataclass(eq=False)
class Work:
    """A ticket that has parts left, and the epoch it was made in."""

    ticket: Ticket
    epoch: Epoch
    parts: int

    def offsets(self) -> range:
        return range(self.ticket.first, self.ticket.next_offset)


class TrackerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.tracker = OffsetTracker()
        self.owned: dict[Partition, Epoch] = {}
        self.work: list[Work] = []
        self.told: dict[Partition, int] = {}  # committable at last look, in this epoch

    @rule(partition=st.sampled_from(PARTITIONS))
    def assign(self, partition: Partition) -> None:
        self.tracker.assign(partition)
        self.owned[partition] = Epoch()
        self.told.pop(partition, None)

    @rule(partition=st.sampled_from(PARTITIONS))
    def drop(self, partition: Partition) -> None:
        self.tracker.drop(partition)
        self.owned.pop(partition, None)
        self.told.pop(partition, None)

    @precondition(lambda self: self.owned)
    @rule(data=st.data(), gap=st.integers(0, 3), length=st.integers(1, 4), parts=st.integers(0, 3))
    def track(self, data: st.DataObject, gap: int, length: int, parts: int) -> None:
        partition = data.draw(st.sampled_from(sorted(self.owned)))
        epoch = self.owned[partition]
        first = max(epoch.tracked, default=-1) + 1 + gap
        ticket = self.tracker.track(partition, first, first + length, parts)
        epoch.tracked |= set(range(first, first + length))
        if parts:
            epoch.open |= set(range(first, first + length))
            self.work.append(Work(ticket, epoch, parts))

    @precondition(lambda self: self.owned)
    @rule(data=st.data(), gap=st.integers(0, 3))
    def reach_the_end(self, data: st.DataObject, gap: int) -> None:
        partition = data.draw(st.sampled_from(sorted(self.owned)))
        epoch = self.owned[partition]
        end = max(epoch.tracked, default=-1) + 1 + gap
        self.tracker.passed(partition, end)
        epoch.tracked |= {end - 1} - {-1}

    @precondition(lambda self: self.work)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        work = data.draw(st.sampled_from(self.work))
        current = self.owned.get(work.ticket.partition) is work.epoch
        before = self.tracker.committable()

        assert current is self.tracker.settle(work.ticket)

        work.parts -= 1
        if not work.parts:
            self.work.remove(work)
            work.epoch.open -= set(work.offsets())
        if not current:
            assert before == self.tracker.committable()

    @rule()
    def commit(self) -> None:
        offsets = self.tracker.committable()
        self.tracker.committed(offsets)
        for partition, offset in offsets.items():
            self.owned[partition].committed = offset

    @rule(partition=st.sampled_from(PARTITIONS))
    def refuse_the_commit(self, partition: Partition) -> None:
        self.tracker.uncommitted([partition])
        if partition in self.owned:
            self.owned[partition].committed = None

    @rule()
    def settle_all(self) -> None:
        for work in self.work:
            for _ in range(work.parts):
                self.tracker.settle(work.ticket)
            work.epoch.open -= set(work.offsets())
        self.work.clear()
        self.commit()
        ends = {p: max(e.tracked) + 1 for p, e in self.owned.items() if e.tracked}
        assert ends == {p: e.committed for p, e in self.owned.items() if e.tracked}

    @invariant()
    def exactly_what_is_done_may_be_committed(self) -> None:
        done = {p: epoch.end_of_what_is_done() for p, epoch in self.owned.items()}
        expected = {p: end for p, end in done.items() if end not in (None, self.owned[p].committed)}
        assert expected == self.tracker.committable()

    @invariant()
    def no_open_offset_is_ever_passed(self) -> None:
        for partition, offset in self.tracker.committable().items():
            assert all(offset <= still_open for still_open in self.owned[partition].open)

    @invariant()
    def it_never_goes_back_within_an_epoch(self) -> None:
        for partition, offset in self.tracker.committable().items():
            assert offset >= self.told.get(partition, 0)
            self.told[partition] = offset

    @invariant()
    def it_counts_the_runs_under_way(self) -> None:
        assert set(self.owned) == set(self.tracker.partitions())
        for partition, epoch in self.owned.items():
            assert bool(self.tracker.unsettled([partition])) is bool(epoch.open)


TestTracker = TrackerMachine.TestCase
TestTracker.settings = settings(max_examples=150, stateful_step_count=40)
