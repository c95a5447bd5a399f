"""
Kafka of a simulation: a group whose members join, leave, are frozen and are put out.
"""

from collections.abc import Callable, Mapping

from sink.core.record import Partition, Record
from sink.edge.kafka.news import News
from sink.edge.kafka.source import Listener
from sink.testing import FakeBroker, FakeSource
from tests.simulation.blocking import VirtualCondition
from tests.simulation.history import History
from tests.simulation.scheduler import Group, ProcessDied, Scheduler

SESSION_S = 3.0  # a process that is silent for so long is put out of the group
# Who does not poll for so long is put out: max.poll.interval.ms, shorter than anyone's real one.
# A sink that is not frozen has no reason to be: it polls while it waits.
POLL_INTERVAL_S = 20.0
_REBALANCE_S = 0.3
_COMMIT_S = 0.3
_LATE_COMMIT_S = 2.5  # of one that nobody waits for: longer than the interval of commits


class SimulatedSource(FakeSource):
    """
    A consumer of one thread of a simulated process.
    """

    def __init__(self, broker: "SimulatedBroker", listener: Listener, name: str) -> None:
        super().__init__(broker, listener)
        self.name = name
        self.group = broker.scheduler.current().group
        self.is_out = False  # of the group, without knowing it
        self.polled_s = broker.scheduler.now_s
        self._of = broker
        self._under_way: list[dict[Partition, int]] = []  # commits that have no answer yet
        self._leaving: set[Partition] = set()  # to be revoked in its next poll
        self._coming_back: set[Partition] = set()  # and to be assigned again in the same

    def poll(self, records_max: int, timeout_s: float) -> tuple[list[Record], list[News]]:
        self._of.scheduler.pause()
        self._is_heard()
        records, news = super().poll(records_max, timeout_s)
        self._is_heard()
        if records:
            first, last = records[0], records[-1]
            self._of.history.note(
                self.name,
                "polls {} records: {}/{}@{} to {}/{}@{}",
                len(records),
                *(first.topic(), first.partition(), first.offset()),
                *(last.topic(), last.partition(), last.offset()),
            )
        return records, news

    def is_committing(self) -> bool:
        self._of.scheduler.pause()
        return super().is_committing()

    def commit(self, offsets: dict[Partition, int]) -> None:
        """
        Commit without waiting. It is done a little later, and of two the second may be done first.
        """
        self._under_way.append(offsets)
        self.commits_unanswered = True
        done_s = self._of.scheduler.now_s + self._of.scheduler.within(0, _LATE_COMMIT_S)
        self._of.scheduler.at(done_s, lambda: self._answer(offsets))

    def commit_now(self, offsets: dict[Partition, int]) -> dict[Partition, str]:
        self._of.scheduler.wait(self._of.scheduler.within(0, _COMMIT_S))
        self._answer_all()
        return super().commit_now(offsets)

    def revoke(self, *partitions: Partition, after_records: bool = False) -> None:
        self._leaving |= set(partitions)
        super().revoke(*partitions, after_records=after_records)

    def promised(self) -> set[Partition]:
        return super().promised() | self._coming_back

    def give_away_and_back(self, partition: Partition) -> None:
        """
        Lose a partition and get it back within the next poll, which took records of it before.
        """
        self._coming_back.add(partition)
        self.revoke(partition, after_records=True)
        self.assign(partition, after_records=True)

    def staying(self) -> list[Partition]:
        """
        List the partitions that it has and nobody takes from it.
        """
        return sorted(set(self._positions) & self._promised - self._leaving)

    def close(self) -> None:
        if self.group.dead:
            return
        super().close()
        self._coming_back.clear()
        self._of.history.note(self.name, "leaves the group")
        self._of.group_changed()

    def put_out(self) -> None:
        """
        Put it out of the group: others get its partitions at once, it hears of it at its next poll.
        """
        if self.closed or self.is_out or not self._promised:
            return
        self.is_out = True
        self._answer_all()
        self._events.clear()
        self._of.history.note(self.name, "is put out of the group, and does not know it")
        self.lose(*self._positions)
        self._promised.clear()
        self._coming_back.clear()
        self._of.group_changed()

    def die(self) -> None:
        """
        Vanish with its process: the group notices when the session ends.
        """
        if self._of.scheduler.random.random() < 0.5:
            self._answer_all()  # it was on its way
        self.is_out = self.closed = True
        self._positions.clear()
        self._of.scheduler.at(self._of.scheduler.now_s + SESSION_S, self._is_missed)

    def _is_missed(self) -> None:
        self._promised.clear()
        self._coming_back.clear()
        self._of.group_changed()

    def _is_heard(self) -> None:
        if self.group.dead:
            raise ProcessDied
        now_s = self._of.scheduler.now_s
        silent_s = now_s - max(self.polled_s, self.group.thawed_s)
        if silent_s > POLL_INTERVAL_S and self._positions:
            self._of.violations.append(f"{self.name} did not poll for {silent_s:.1f} s")
        self.polled_s = now_s

    def _assigned(self, partitions: list[Partition]) -> None:
        self._promised |= set(partitions)
        self._coming_back -= set(partitions)
        super()._assigned(partitions)

    def _lost(self, partitions: list[Partition]) -> None:
        self._answer_all()  # refused, if it is out
        self.is_out = False  # it joins again
        super()._lost([p for p in partitions if p in self._positions])
        self._of.group_changed()

    def _forget(self, partitions: list[Partition]) -> None:
        super()._forget(partitions)
        self._leaving -= set(partitions)
        self._of.group_changed()

    def _answer_all(self) -> None:
        for offsets in list(self._under_way):
            self._answer(offsets)

    def _answer(self, offsets: dict[Partition, int]) -> None:
        if any(offsets is waiting for waiting in self._under_way):
            self._under_way = [waiting for waiting in self._under_way if waiting is not offsets]
            self.commits_unanswered = bool(self._under_way)
            if not self._commit(offsets):
                self._refused += offsets

    def _commit(self, offsets: dict[Partition, int]) -> bool:
        if self.is_out or not offsets:
            return not offsets
        stored = super()._commit(offsets)
        shown = {f"{p.topic}/{p.number}": offset for p, offset in offsets.items()}
        self._of.history.note(self.name, "commits {}: {}", shown, "done" if stored else "refused")
        return stored


class SimulatedBroker(FakeBroker):
    """
    The brokers, and the coordinator of the group: partitions that nobody has are given away.
    """

    def __init__(self, scheduler: Scheduler, history: History) -> None:
        super().__init__()
        self.changed = VirtualCondition(scheduler)
        self.scheduler = scheduler
        self.history = history
        self.members: list[SimulatedSource] = []
        self.on_commit: Callable[[Mapping[Partition, int]], None] = lambda _: None
        self._rebalances = False

    def open(self, listener: Listener) -> FakeSource:
        task = self.scheduler.current()
        source = SimulatedSource(self, listener, f"{task.group.name} {task.name}")
        self.members.append(source)
        self.history.note(source.name, "joins the group")
        self.group_changed()
        return source

    def commit(
        self, offsets: dict[Partition, int], topic_ids: Mapping[str, str] | None = None
    ) -> bool:
        for partition, offset in offsets.items():
            end = self.log_end(partition)
            if end is not None and offset > end:
                self.violations.append(f"committed {offset} of {partition}, which ends at {end}")
        stored = super().commit(offsets, topic_ids)
        if stored:
            self.on_commit(offsets)
        return stored

    def create_topic(self, topic: str, partitions: int = 1) -> list[Partition]:
        made = super().create_topic(topic, partitions)
        self.group_changed()
        return made

    def alive(self) -> list[SimulatedSource]:
        """
        List the members of the group.
        """
        return [source for source in self.members if not source.closed and not source.is_out]

    def group_changed(self) -> None:
        """
        Give away what is free, and share evenly, a little later.
        """
        if not self._rebalances:
            self._rebalances = True
            after_s = self.scheduler.within(0, _REBALANCE_S)
            self.scheduler.at(self.scheduler.now_s + after_s, self._rebalance)

    def miss(self, group: Group) -> None:
        """
        Put the members of a process out of the group, if it is frozen.
        """
        if group.frozen:
            for source in self.members:
                if source.group is group:
                    source.put_out()

    def _rebalance(self) -> None:
        self._rebalances = False
        self.members = [s for s in self.members if s.promised() or not s.closed]
        alive = self.alive()
        if not alive:
            return
        owned = {p for source in self.members for p in source.promised()}
        for partition in sorted(set(self._logs) - owned):
            heir = min(alive, key=lambda source: (len(source.promised()), source.name))
            late = self.scheduler.random.random() < 0.5
            heir.assign(partition, after_records=late)
            self.history.note("coordinator", "gives {} to {}", _shown(partition), heir.name)
        rich = max(alive, key=lambda source: len(source.promised()))
        poor = min(alive, key=lambda source: len(source.promised()))
        if len(rich.promised()) > len(poor.promised()) + 1:
            self.move(rich)

    def move(self, owner: SimulatedSource) -> None:
        """
        Let a partition of a member be another's.
        """
        held = owner.staying()
        if held:
            partition = held[int(self.scheduler.random.random() * len(held))]
            self.history.note("coordinator", "takes {} from {}", _shown(partition), owner.name)
            owner.revoke(partition, after_records=self.scheduler.random.random() < 0.5)

    def give_away_and_back(self, owner: SimulatedSource) -> None:
        """
        Take a partition and give it back within one poll that took records of it before.
        """
        for partition in owner.staying()[:1]:
            shown = _shown(partition)
            self.history.note(
                "coordinator", "takes {} from {} and gives it back", shown, owner.name
            )
            owner.give_away_and_back(partition)


def _shown(partition: Partition) -> str:
    return f"{partition.topic}/{partition.number}"
