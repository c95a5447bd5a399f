"""
The tracker against the simplest model there is: sets of offsets.
"""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sink.core.offsets import OffsetTracker, SettledTwice, Ticket
from sink.core.record import Partition

PARTITIONS = [Partition("orders", 0), Partition("bills", 0)]


@dataclass(eq=False)
class Epoch:
    """What is known of one assignment of a partition: every offset in it, and which are open."""

    begun: int | None = None  # where it is read again from
    tracked: set[int] = field(default_factory=set)
    open: set[int] = field(default_factory=set)
    committed: int | None = None

    def end_of_what_is_done(self) -> int | None:
        done = {offset for offset in self.tracked if not self.open or offset < min(self.open)}
        if done or not self.tracked:
            return max(done) + 1 if done else None
        return min(self.tracked) if self.begun is None else None

    def next_to_come(self) -> int | None:
        return max(self.tracked) + 1 if self.tracked else self.begun


@dataclass(eq=False)
class Work:
    """A ticket, the epoch it was made in, and how many of its parts are still under way."""

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
        self.spent: list[Ticket] = []  # tickets without a part left
        self.told: dict[Partition, int] = {}  # committable at last look, in this epoch

    @rule(partition=st.sampled_from(PARTITIONS), assigned=st.booleans())
    def rebalance(self, partition: Partition, assigned: bool) -> None:
        if assigned:
            self.tracker.assign(partition)
            self._begin(partition)
        else:
            self.tracker.drop(partition)
            self.owned.pop(partition, None)
            self.told.pop(partition, None)

    @precondition(lambda self: self.owned)
    @rule(data=st.data())
    def read_again(self, data: st.DataObject) -> None:
        partition = data.draw(st.sampled_from(sorted(self.owned)))
        first = min(self.owned[partition].open, default=None)
        assert self.tracker.read_again(partition) == first
        if first is not None:
            self._begin(partition, first)

    @precondition(lambda self: self.owned)
    @rule(data=st.data(), gap=st.integers(0, 3), length=st.integers(1, 4), parts=st.integers(0, 3))
    def track(self, data: st.DataObject, gap: int, length: int, parts: int) -> None:
        partition = data.draw(st.sampled_from(sorted(self.owned)))
        epoch = self.owned[partition]
        first = (epoch.next_to_come() or 0) + gap
        ticket = self.tracker.track(partition, first, first + length, parts)
        epoch.tracked |= set(range(first, first + length))
        if parts:
            epoch.open |= set(range(first, first + length))
            self.work.append(Work(ticket, epoch, parts))
        else:
            self.spent.append(ticket)

    @precondition(lambda self: self.owned)
    @rule(data=st.data(), gap=st.integers(0, 3))
    def reach_the_end(self, data: st.DataObject, gap: int) -> None:
        partition = data.draw(st.sampled_from(sorted(self.owned)))
        epoch = self.owned[partition]
        end = (epoch.next_to_come() or 0) + gap
        self.tracker.passed(partition, end)
        if end > (epoch.next_to_come() or 0):
            epoch.tracked.add(end - 1)

    @precondition(lambda self: self.work)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        work = data.draw(st.sampled_from(self.work))
        current = self.owned.get(work.ticket.partition) is work.epoch
        before = self.tracker.committable()

        assert current is self.tracker.settle(work.ticket)

        work.parts -= 1
        if not work.parts:
            self._done(work)
            self.work.remove(work)
        if not current:
            assert before == self.tracker.committable()

    @precondition(lambda self: self.spent)
    @rule(data=st.data())
    def settle_what_is_settled(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.spent))
        with pytest.raises(SettledTwice):
            self.tracker.settle(ticket)

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
            self._done(work)
        self.work.clear()
        self.commit()
        ends = {p: e.next_to_come() for p, e in self.owned.items() if e.tracked}
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
    def it_counts_the_runs_under_way_and_knows_what_comes_next(self) -> None:
        assert set(self.owned) == set(self.tracker.partitions())
        for partition, epoch in self.owned.items():
            assert bool(self.tracker.unsettled([partition])) is bool(epoch.open)
            assert self.tracker.expected(partition) == epoch.next_to_come()

    def _begin(self, partition: Partition, begun: int | None = None) -> None:
        self.owned[partition] = Epoch(begun)
        self.told.pop(partition, None)

    def _done(self, work: Work) -> None:
        work.epoch.open -= set(work.offsets())
        self.spent.append(work.ticket)


TestTracker = TrackerMachine.TestCase
TestTracker.settings = settings(max_examples=150, stateful_step_count=40)
