"""
One sink of a simulation: the workers and the writer, joined as the daemon does, without sockets.
"""

import asyncio
from functools import lru_cache, partial

from sink.config import Config
from sink.core.ledger import IN_FLIGHT, Account, total
from sink.edge.readiness import Readiness
from sink.reading.targets import Targets
from sink.reading.worker import Worker
from sink.routes import routes_of
from sink.testing import FakeElastic, FakeIndices
from sink.writing.writer import assemble
from tests.simulation.blocking import SimulatedHandoff, SimulatedStop
from tests.simulation.elastic import SimulatedElastic
from tests.simulation.history import History
from tests.simulation.kafka import SimulatedBroker
from tests.simulation.letters import SimulatedDeadLetters, SimulatedParked
from tests.simulation.loop import SimulatedLoop
from tests.simulation.scheduler import Group, Scheduler
from tests.simulation.setup import Setup

STOP_MS = 8_000
ROUTE = {
    "name": "ekk",
    "prefix": "ekk-",
    "index": {"prefix": "sag-"},
    "time_guard": {"not_before": "1970-01-01"},  # its clock begins there
}


class Outside:
    """
    What is left when a process dies.
    """

    def __init__(self, setup: Setup, scheduler: Scheduler, history: History) -> None:
        self.config = config_of(setup)
        self.scheduler = scheduler
        self.history = history
        self.broker = SimulatedBroker(scheduler, history)
        self.elastic = SimulatedElastic(scheduler, history)
        self.dead_letters = SimulatedDeadLetters(scheduler, history)
        self.parked = SimulatedParked(self.broker, self.config.parked_topic, scheduler, history)


class Process:
    """
    A sink that runs.

    Args:
        name: As the history calls it.
    """

    def __init__(self, name: str, setup: Setup, outside: Outside) -> None:
        self.group = Group(name)
        self._outside = outside
        self._scheduler = outside.scheduler
        config = outside.config
        self._readiness = Readiness()
        self._stop = SimulatedStop(self._scheduler, STOP_MS, setup.threads)
        self.handoff = SimulatedHandoff(
            self._scheduler,
            setup.threads,
            setup.places,
            setup.places * config.bulk.bytes_max,
            config.park.bytes_max,
        )
        self._loop = SimulatedLoop(self._scheduler, self.group)
        self._loop.set_exception_handler(self._note)
        self.handoff.open(self._loop)
        self._workers = [self._worker(number) for number in range(setup.threads)]
        self._running = len(self._workers)

    def start(self) -> None:
        """
        Let it begin to work.
        """
        letters = (self._outside.dead_letters, self._outside.parked)
        writer, self.lanes = assemble(
            self._outside.config,
            self.handoff,
            self._outside.elastic,
            letters,
            self._readiness,
            FakeIndices(FakeElastic()),
        )
        self._writing = self._loop.create_task(writer.run())
        self._scheduler.spawn("loop", self.group, self._loop.run_forever)
        for number, worker in enumerate(self._workers):
            self._scheduler.spawn(f"worker-{number}", self.group, partial(self._run, worker))

    def request_stop(self) -> None:
        """
        Ask it to stop.
        """
        self._stop.request()

    def has_stopped(self) -> bool:
        """
        Tell whether all workers ended.
        """
        return not self._running

    def end(self) -> None:
        """
        Let nothing of it go on, wherever it is.
        """
        for source in self._outside.broker.members:
            if source.group is self.group and not source.closed:
                source.die()
        self._scheduler.kill(self.group)
        self._loop.run_until_complete(_cancel_all())
        self._loop.close()

    def account(self) -> Account:
        return total([worker.account for worker in self._workers])

    def in_flight(self) -> dict[str, int]:
        return {topic: n for (topic, fate), n in self.account().items() if fate == IN_FLIGHT and n}

    def waits_for_nothing(self) -> bool:
        """
        Tell whether nothing is under way, set aside or parked.
        """
        handoff = self.handoff
        held = handoff.outstanding()[0] or handoff.aside()[0] or handoff.parked
        return not held and not self.in_flight()

    def _worker(self, number: int) -> Worker:
        config, broker = self._outside.config, self._outside.broker
        return Worker(
            number,
            config,
            broker.open,
            Targets(routes_of(config), broker.topic_ids, None, config.parked_topic),
            handoff=self.handoff,
            readiness=self._readiness,
            stop=self._stop,
        )

    def _note(self, _: object, context: dict[str, object]) -> None:
        if not self.group.dead:
            self._outside.history.bugs.append(f"in the event loop: {context}")

    def _run(self, worker: Worker) -> None:
        worker.run()
        self._running -= 1


@lru_cache
def config_of(setup: Setup) -> Config:
    """
    Give the configuration of a set-up.
    """
    return Config.model_validate(
        {
            "kafka": {"threads": setup.threads, "commit_interval_ms": 1000},
            "bulk": {"docs_max": setup.docs_max, "in_flight": 3, "probe_max_ms": 5_000},
            "park": {"bytes_max": setup.park_bytes_max, "ms_max": setup.park_ms_max},
            "dead_letter": {"rate_max": setup.rate_max},
            "routes": [ROUTE],
        }
    )


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
