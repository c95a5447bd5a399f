"""
The workers and the writer as the daemon joins them, on a Kafka and an Elasticsearch in memory.

`everything_is_accounted_for` is how every flow test ends, whatever happened before.
"""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager

from sink.config import Config
from sink.core.ledger import CONSUMED, IN_FLIGHT, Account, imbalance, total
from sink.core.record import Partition
from sink.edge.handoff import Handoff, Settlement
from sink.edge.kafka.source import Listener
from sink.edge.readiness import Readiness
from sink.edge.retry import Backoff
from sink.reading.targets import Targets
from sink.reading.worker import Worker
from sink.routes import routes_of
from sink.stop import Stop
from sink.testing import (
    FakeBroker,
    FakeDeadLetters,
    FakeElastic,
    FakeIndices,
    FakeParked,
    FakeSource,
)
from sink.writing.writer import assemble
from tests.accounting import Books
from tests.waiting import wait_until

TOPIC = "ekk-order"
ORDERS = Partition(TOPIC, 0)
_DEADLINE_S = 20.0
ROUTE = {
    "name": "ekk",
    "prefix": "ekk-",
    "index": {"prefix": "sag-"},
    "time_guard": {"not_before": "1970-01-01"},
}


class Pipeline:
    """
    A running sink without daemon, engines and sockets.

    Args:
        threads: Workers.
        places: Bulks that may be outstanding.
        bulk: More of the [bulk] section.
        stop_ms: From the request to the deadline.
        kafka: More of the [kafka] section.
        park: More of the [park] section.
        route: More of the route.
        rate_max: Of dead letters of a topic, in a minute.
        route: More of the route.
        before: Whose Kafka and Elasticsearch it goes on with.
    """

    def __init__(
        self,
        *,
        threads: int = 1,
        places: int = 8,
        in_flight: int = 4,
        stop_ms: int = 10_000,
        kafka: Mapping[str, int] | None = None,
        park: Mapping[str, int] | None = None,
        rate_max: int | None = None,
        route: Mapping[str, object] | None = None,
        before: "Pipeline | None" = None,
        **bulk: int,
    ) -> None:
        small = {"linger_ms": 1, "retry_initial_ms": 1, "retry_max_ms": 10, "probe_max_ms": 10}
        self.config = Config.model_validate(
            {
                "kafka": {"threads": threads, "commit_interval_ms": 10, **(kafka or {})},
                "bulk": {**small, "in_flight": in_flight, **bulk},
                "park": park or {},
                "dead_letter": {"rate_max": rate_max},
                "routes": [{**ROUTE, **(route or {})}],
            }
        )
        self.broker: FakeBroker = before.broker if before else FakeBroker()
        self.elastic: FakeElastic = before.elastic if before else FakeElastic()
        self.indices = FakeIndices(self.elastic)
        self.dead_letters = FakeDeadLetters()
        self.parked = FakeParked(self.broker, self.config.parked_topic)
        self.readiness = Readiness()
        self.stop_wish = Stop(stop_ms)
        self.handoff = Handoff(
            threads, places, places * self.config.bulk.bytes_max, self.config.park.bytes_max
        )
        self.workers = [self._worker(number) for number in range(threads)]
        self._loop = asyncio.new_event_loop()
        self._threads: list[threading.Thread] = []
        self._writing: Future[None] | None = None

    def start(self) -> None:
        """Run the loop, the writer and the workers, each on its thread."""
        self.handoff.open(self._loop)
        loop = threading.Thread(target=self._loop.run_forever, name="loop", daemon=True)
        loop.start()
        self._writing = asyncio.run_coroutine_threadsafe(self._write(), self._loop)
        workers = [
            threading.Thread(target=worker.run, name="worker", daemon=True)
            for worker in self.workers
        ]
        for thread in workers:
            thread.start()
        self._threads = [*workers, loop]
        wait_until(lambda: hasattr(self, "lanes"), _DEADLINE_S, "the loop to make its lanes")

    def stop(self) -> bool:
        """Ask the workers to stop; tell whether all of them ended."""
        self.stop_wish.request()
        self.broker.wake()
        *workers, _ = self._threads
        for thread in workers:
            thread.join(_DEADLINE_S)
        return not any(thread.is_alive() for thread in workers)

    def close(self) -> None:
        """End what still runs, and fail if the writer had ended by itself."""
        stopped = self.stop()
        assert self._writing is not None
        assert not self._writing.done(), f"the writer ended: {self._writing.exception()!r}"
        asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result(_DEADLINE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._threads[-1].join(_DEADLINE_S)
        self._loop.close()
        assert stopped, "a worker did not stop"

    @property
    def source(self) -> FakeSource:
        """The newest consumer; the first is waited for."""
        wait_until(lambda: self.broker.sources, _DEADLINE_S, "the first consumer")
        return self.broker.sources[-1]

    def account(self) -> Account:
        return total([worker.account for worker in self.workers])

    def fates(self, topic: str = TOPIC) -> dict[str, int]:
        """What became of a topic's documents, without those of no number."""
        account = self.account()
        return {fate: n for (its, fate), n in account.items() if its == topic and n}

    def until_all_is_committed(self) -> None:
        """Wait until the group is at the end of every partition."""
        wait_until(
            lambda: self.broker.committed() == self.broker.ends(),
            _DEADLINE_S,
            f"all to be committed; {self.broker.ends()} is the end",
        )
        wait_until(lambda: not self.in_flight(), _DEADLINE_S, "the ledger to be published")

    def in_flight(self) -> dict[str, int]:
        return {topic: n for (topic, fate), n in self.account().items() if fate == IN_FLIGHT and n}

    def consumed(self) -> int:
        return sum(n for (_, fate), n in self.account().items() if fate == CONSUMED)

    async def _write(self) -> None:
        letters = (self.dead_letters, self.parked)
        writer, self.lanes = assemble(
            self.config, self.handoff, self.elastic, letters, self.readiness, self.indices
        )
        await writer.run()

    def _worker(self, number: int) -> Worker:
        worker = Worker(
            number,
            self.config,
            self._open,
            Targets(routes_of(self.config), self.broker.topic_ids, None, self.config.parked_topic),
            handoff=self.handoff,
            readiness=self.readiness,
            stop=self.stop_wish,
        )
        worker._rebuild = Backoff(1, 10)
        return worker

    def _open(self, listener: Listener) -> FakeSource:
        return self.broker.open(listener)


async def _cancel_all() -> None:
    """End every task of the loop, and wait for the end."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def passed(broker: FakeBroker) -> dict[Partition, int]:
    """
    Give what the group committed beyond each log's first record: there something is done.
    """
    return {partition: offset for partition, offset in broker.committed().items() if offset}


@contextmanager
def running(pipeline: Pipeline) -> Iterator[Pipeline]:
    """Run a pipeline, and let nothing of it go on afterwards."""
    pipeline.start()
    try:
        yield pipeline
    finally:
        try:
            pipeline.elastic.release()
        finally:
            pipeline.close()


def values(count: int, begin: int = 0) -> list[bytes]:
    """Documents that can be told apart."""
    return [b'{"n":%d}' % n for n in range(begin, begin + count)]


def waits_for_settlements(pipeline: Pipeline) -> list[int]:
    """Note each time that a worker begins to wait for a settlement: its number."""
    waits: list[int] = []
    settled = pipeline.handoff.settled

    def watched(worker: int, timeout_s: float = 0) -> list[Settlement]:
        if timeout_s:
            waits.append(worker)
        return settled(worker, timeout_s)

    pipeline.handoff.settled = watched  # type: ignore[method-assign]
    return waits


def everything_is_accounted_for(pipeline: Pipeline, *, through: bool = True) -> None:
    """
    Hold what was produced against what is indexed, dead and committed: E, D and O.

    Args:
        through: Every record that is still in the log was to be done; otherwise only those that
            are committed.
    """
    broker = pipeline.broker
    assert broker.violations == []
    books = Books(broker, pipeline.elastic, pipeline.dead_letters, pipeline.config.parked_topic)
    books.no_id_is_in_two_indices()
    assert books.passed() == [], f"committed past them: {broker.committed()}"
    assert imbalance(pipeline.account()) == {}
    if through:
        assert books.missing() == []
        assert pipeline.in_flight() == {}
        assert pipeline.handoff.outstanding() == (0, 0)
