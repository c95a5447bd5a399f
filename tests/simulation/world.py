"""
All that there is in a simulation: Kafka, Elasticsearch, the sinks, and what becomes of them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from random import getstate, seed, setstate
from types import SimpleNamespace
from unittest.mock import patch

import sink.edge.handoff
import sink.edge.threads
import sink.reading.intake
import sink.reading.worker
from sink.core.ledger import imbalance
from sink.core.record import Partition
from tests.accounting import Books
from tests.simulation.blocking import SimulatedThread
from tests.simulation.history import History, logged_to
from tests.simulation.kafka import SESSION_S
from tests.simulation.process import STOP_MS, Outside, Process
from tests.simulation.scheduler import Scheduler
from tests.simulation.setup import Setup

TOPICS = ("ekk-a", "ekk-b")
PARTITIONS = 2
# Once all is well, everything is through in that time.
_QUIET_S = 3600.0
_ASIDE_PARTS_MAX = 6
# Longer than the sink's own: what it waits for wakes it, and it looks about less often.
_IDLE_S = 2.0
_TICK_S = 0.5


class World:
    """
    A few sinks of one group, and the outside.
    """

    def __init__(self, setup: Setup, scheduler: Scheduler, history: History) -> None:
        self.setup = setup
        self.scheduler = scheduler
        self.history = history
        self.outside = Outside(setup, scheduler, history)
        self.broker, self.elastic = self.outside.broker, self.outside.elastic
        self.dead_letters, self.parked = self.outside.dead_letters, self.outside.parked
        self.parked_topic = self.outside.config.parked_topic
        self._books = Books(self.broker, self.elastic, self.dead_letters, self.parked_topic)
        self.broker.on_commit = self._check_commit
        self.produced = 0
        self._began_s = scheduler.now_s
        self._started = 0
        self.processes: list[Process | None] = [None] * setup.processes
        for topic in TOPICS:
            self.broker.create_topic(topic, PARTITIONS)
        self.broker.create_topic(self.parked_topic)
        # What is refused for its own sake is refused for ever.
        self.elastic.refuse(b'"dead"', 400, "document_parsing_exception", "failed to parse")
        self.elastic.refuse(b'"unclear"', 400, "illegal_argument_exception", "is it the document?")

    def elapsed_s(self) -> float:
        """
        Tell how much time was simulated.
        """
        return self.scheduler.now_s - self._began_s

    def start(self, slot: int) -> None:
        """
        Start a sink where none runs.
        """
        if self.processes[slot] is None:
            self._started += 1
            process = Process(f"sink-{self._started}", self.setup, self.outside)
            self.history.note("operator", "starts {}", process.group.name)
            process.start()
            self.processes[slot] = process

    def crash(self, slot: int) -> None:
        """
        Kill a sink.
        """
        process = self.processes[slot]
        if process is not None:
            self.history.note("fault", "{} is killed", process.group.name)
            process.end()
            self.processes[slot] = None

    def stop(self, slot: int) -> None:
        """
        Stop a sink in order.
        """
        process = self.processes[slot]
        if process is None:
            return
        self.history.note("operator", "stops {}", process.group.name)
        self.scheduler.thaw(process.group)
        process.request_stop()
        self.scheduler.run_for(STOP_MS / 1000 + 1.0, until=process.has_stopped)
        assert process.has_stopped(), f"{process.group.name} did not stop by its deadline"
        _is_balanced(process)
        process.end()
        self.processes[slot] = None

    def freeze(self, process: Process, ms: int) -> None:
        """
        Let a sink stand still for a while; the group misses it when its session ends.
        """
        group, now_s = process.group, self.scheduler.now_s
        self.history.note("fault", "{} stands still for {} ms", group.name, ms)
        group.frozen = True
        self.scheduler.at(now_s + ms / 1000, lambda: self.scheduler.thaw(group))
        self.scheduler.at(now_s + SESSION_S, lambda: self.broker.miss(group))

    def run_for(self, ms: int) -> None:
        """
        Let all work for a while.
        """
        self.scheduler.run_for(ms / 1000)
        broken = self.broker.violations + self.history.bugs
        assert not broken, "; ".join(broken)

    def heal(self) -> None:
        """
        End what befell Kafka, Elasticsearch and the sinks.
        """
        self.history.note("operator", "mends everything")
        self.elastic.heal()
        for letters in (self.dead_letters, self.parked):
            letters.up()
            letters.way.cut = 0
        self.broker.refuse_commits(0)
        self.broker.refuse_topic_ids(0)
        for slot in range(len(self.processes)):
            self.start(slot)

    def until_all_is_quiet(self) -> None:
        """
        Wait until everything is committed, and hold E, D and O.
        """
        deadline_s = self.scheduler.now_s + _QUIET_S
        while not self._is_quiet():
            assert self.scheduler.now_s < deadline_s, f"it does not end: {self._what_is_left()}"
            self.run_for(1000)
        self._books.no_id_is_in_two_indices()
        passed, missing = self._books.passed(), self._books.missing()
        assert not passed, f"committed past {passed}"
        assert not missing, f"not accounted for: {missing}"
        for process in self.running():
            _is_balanced(process)

    def running(self) -> list[Process]:
        """
        List the sinks that run.
        """
        return [process for process in self.processes if process is not None]

    def end(self) -> None:
        """
        Let nothing go on.
        """
        for process in self.running():
            process.end()

    def _is_quiet(self) -> bool:
        through = self.broker.committed() == self.broker.ends()
        return through and all(process.waits_for_nothing() for process in self.running())

    def _what_is_left(self) -> Mapping[str, object]:
        committed = self.broker.committed()
        return {
            "uncommitted": {
                f"{p.topic}/{p.number}": (committed.get(p), end)
                for p, end in self.broker.ends().items()
                if committed.get(p) != end
            },
            "parked": [sorted(process.handoff.parked) for process in self.running()],
            "in flight": [process.in_flight() for process in self.running()],
        }

    def _check_commit(self, offsets: Mapping[Partition, int]) -> None:
        """
        Hold a commit against what is accounted for at that moment.
        """
        for partition, offset in offsets.items():
            records = self.broker.read(partition, self.broker.log_start(partition), 10**9) or []
            passed = self._books.missing([r for r in records if r.offset() < offset])
            if passed:
                self.broker.violations.append(f"committed {offset} of {partition}, past {passed}")


def _is_balanced(process: Process) -> None:
    gap = imbalance(process.account())
    assert not gap, f"the ledger of {process.group.name} lacks {gap}"


@contextmanager
def simulated(setup: Setup, seed_: int) -> Iterator[World]:
    """
    Make a world, and let nothing of it go on afterwards.
    """
    scheduler = Scheduler(seed_)
    history = History(scheduler)
    before = getstate()
    seed(seed_)
    SimulatedThread.scheduler = scheduler
    threads = SimpleNamespace(Thread=SimulatedThread)
    with (
        patch("time.monotonic", scheduler.clock),
        patch.object(sink.edge.threads, "threading", threads),
        patch.object(sink.edge.handoff, "ASIDE_PARTS_MAX", _ASIDE_PARTS_MAX),
        patch.object(sink.reading.intake, "_IDLE_S", _IDLE_S),
        patch.object(sink.reading.worker, "_TICK_S", _TICK_S),
        logged_to(history),
    ):
        world = World(setup, scheduler, history)
        try:
            yield world
        finally:
            world.end()
            setstate(before)
