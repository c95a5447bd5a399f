"""
Build everything from the configuration, start it in order, watch it, stop it in order.

    start   logs → status port → Elasticsearch reachable → templates → Kafka reachable → dead-letter
            topic → event loop → workers subscribe
    stop    workers finish what is in flight, commit, leave the group → event loop → status port

Until the start is through nothing is consumed, and the status port says what is waited for.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from sink import __version__, templates
from sink.config import Config
from sink.core.budget import memory_bound_bytes
from sink.core.lane import ParkedIndex
from sink.core.ledger import Account, imbalance
from sink.core.record import Partition
from sink.core.route import Route, route_of, subscription
from sink.core.template_plan import Step
from sink.edge import garbage, threads
from sink.edge.elastic import Elastic
from sink.edge.handoff import Handoff
from sink.edge.indices import ClusterIndices
from sink.edge.kafka.beginnings import begin_group
from sink.edge.kafka.dead_letters import DeadLetters
from sink.edge.kafka.groups import Groups
from sink.edge.kafka.properties import Renewal, consumer
from sink.edge.kafka.source import Source
from sink.edge.readiness import Readiness
from sink.edge.retry import Backoff
from sink.edge.status import StatusServer
from sink.errors import ConfigError, Unavailable
from sink.kibana.upkeep import Upkeep
from sink.reading.crew import Crew
from sink.reading.targets import Targets
from sink.reading.worker import Worker
from sink.routes import routes_of
from sink.stop import Stop
from sink.writing.letter_topics import LetterTopics
from sink.writing.sender import ASIDE_IN_FLIGHT
from sink.writing.writer import assemble

if TYPE_CHECKING:
    from sink.writing.lanes import Lanes

log = structlog.get_logger()

_T = TypeVar("_T")
_WATCH_S = 5.0
_TEMPLATES_EVERY_S = 600.0
_LETTERS_EVERY_S = 60.0


class Daemon:
    """
    The running sink.

    Args:
        config: Checked; the routes are built here.
    Raises:
        ConfigError: A route is impossible, a library refuses what is passed through to it, or the
            status port is taken.
        Unavailable: The system gives no thread; so does `run`.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._routes: list[Route] = routes_of(config)
        templates.destinations(config)
        self._stop = Stop(config.shutdown.timeout_ms, config.kafka.threads)
        self._readiness = Readiness()
        self._readiness.lacks("start", "starting")
        self._crew = Crew((), self._stop)
        self._unbalanced: dict[str, int] = {}
        self._brokers = Groups(config.kafka)
        self._elastic = Elastic(
            config.elasticsearch,
            bulk_timeout_ms=config.bulk.timeout_ms,
            connections=config.bulk.in_flight + ASIDE_IN_FLIGHT + 1,
        )
        self._lanes: Lanes | None = None  # made by the loop, which owns them
        self._handoff: Handoff | None = None
        self._letter_topics = LetterTopics(config, self._routes, self._brokers)
        self._kibana = Upkeep(config, self._brokers.topics)
        self._status = StatusServer(
            config.status,
            self._readiness,
            self._account,
            self._parked,
            lambda: self._letter_topics.at_risk,
            self._kibana.links,
            in_flight_max=lambda: 0 if self._handoff is None else self._handoff.in_flight_max,
        )
        self._loop = asyncio.new_event_loop()  # runs on its own thread from `run` on

    def run(self) -> int:
        """
        Run until the operator stops it.

        Returns:
            The exit code.
        """
        with ExitStack() as failing:
            # At the end of the process it would be taken to pieces in any order: a traceback.
            failing.callback(self._loop.close)
            self._stop.on_signals()
            failing.pop_all()
        garbage.tune()
        bound = memory_bound_bytes(self._config)
        log.info("starting", version=__version__, memory_bound_mib=round(bound / 2**20))
        thread = threads.start(self._loop.run_forever, "loop")
        with self._status:
            letters = self._start()
            if letters is not None:
                self._consume(*letters)
            self._on_loop(self._elastic.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        thread.join(self._stop.remaining_s())
        self._report()
        return 0

    def _start(self) -> tuple[DeadLetters, DeadLetters] | None:
        """
        Wait for both sides and prepare them.

        Returns:
            What writes dead letters and parked documents; None when stopped before.
        """
        version = self._until_available("elasticsearch", self._ping)
        if self._config.templates.apply_on_start:
            self._until_available("templates", self._apply_templates)
        self._until_available("kafka", self._brokers.topics)
        letters = self._until_available("dead_letters", self._letters)
        self._until_available("kafka", self._begin_group)
        if letters is not None:
            log.info("both sides answer", elasticsearch=version)
        return letters

    def _begin_group(self) -> dict[Partition, int]:
        """
        Commit where the group begins, if it is new.
        """
        topics = [t for t in self._brokers.topics() if route_of(t, self._routes)]
        parked = self._config.parked_topic
        return begin_group(self._config.kafka, self._brokers, topics, parked)

    def _letters(self) -> tuple[DeadLetters, DeadLetters]:
        """
        Have both topics of letters, and what writes them.
        """
        config, origin = self._config, {"version": __version__}
        dead, parked = config.dead_letter_topic, config.parked_topic
        limits = self._letter_topics.ensure()
        widen = self._brokers.take_messages_of
        return (
            DeadLetters(config, dead, limits[dead], origin, stubs=True),
            DeadLetters(config, parked, limits[parked], origin, stubs=False, widen=widen),
        )

    def _consume(self, *letters: DeadLetters) -> None:
        bulk = self._config.bulk
        self._handoff = handoff = Handoff(
            self._config.kafka.threads,
            bulk.queue_slots + bulk.in_flight,
            (bulk.queue_slots + bulk.in_flight) * bulk.bytes_max,
            self._config.park.bytes_max,
        )
        handoff.open(self._loop)
        writing = asyncio.run_coroutine_threadsafe(self._write(handoff, *letters), self._loop)
        numbers = range(self._config.kafka.threads)
        self._crew = Crew([self._worker(number, handoff) for number in numbers], self._stop)
        self._attempt("threads", self._crew.ensure)
        self._readiness.has("start")
        self._watch(writing)
        self._crew.join()
        writing.cancel()
        for each in letters:
            each.close()

    async def _write(self, handoff: Handoff, dead: DeadLetters, parked: DeadLetters) -> None:
        writer, self._lanes = assemble(
            self._config,
            handoff,
            self._elastic,
            (dead, parked),
            self._readiness,
            ClusterIndices(self._elastic),
        )
        await writer.run()

    def _worker(self, number: int, handoff: Handoff) -> Worker:
        kafka, parked = self._config.kafka, self._config.parked_topic
        properties = consumer(kafka, number)
        topics = [*subscription(self._routes), parked]
        return Worker(
            number,
            self._config,
            lambda listener: Source(properties, Renewal(kafka), topics, listener),
            Targets(self._routes, self._brokers.topic_ids, kafka.id_namespace, parked),
            handoff=handoff,
            readiness=self._readiness,
            stop=self._stop,
        )

    def _watch(self, writing: Future[None]) -> None:
        """
        Until stopped: collect garbage, check the ledger, see to threads, Kafka and templates.
        """
        templates_at = time.monotonic() + _TEMPLATES_EVERY_S
        letters_at = time.monotonic() + _LETTERS_EVERY_S
        collecting = garbage.rounds()
        while not self._stop.wait(_WATCH_S):
            next(collecting)
            self._check_ledger()
            if writing.done():  # a bug: nothing is settled or committed any more, nothing is lost
                self._readiness.lacks("writer", "the writer ended, restart the daemon")
            reasons = self._readiness.reasons()
            if "kafka" in reasons:
                self._attempt("kafka", lambda: self._brokers.topics(timeout_s=_WATCH_S))
            self._attempt("threads", self._crew.ensure)
            self._kibana.ensure(self._stop)
            amiss = reasons.keys() & {"dead_letters", "parked", "letter_topics"}
            if amiss or time.monotonic() > letters_at:
                letters_at = time.monotonic() + _LETTERS_EVERY_S
                # A part of its own: that the topics are there does not say that they are written.
                self._attempt("letter_topics", self._letter_topics.ensure)
            if self._config.templates.apply_on_start and time.monotonic() > templates_at:
                templates_at = time.monotonic() + _TEMPLATES_EVERY_S
                self._attempt("templates", self._apply_templates)

    def _check_ledger(self) -> None:
        """
        Hold the account against itself. Each published account is complete, so a gap is a bug.
        """
        gaps = imbalance(self._account())
        if gaps != self._unbalanced:
            self._unbalanced = gaps
            log.error("the ledger does not add up, please report this", documents_by_topic=gaps)

    def _account(self) -> Account:
        return self._crew.account()

    def _parked(self) -> Sequence[ParkedIndex]:
        return () if self._lanes is None else self._lanes.published

    def _until_available(self, part: str, action: Callable[[], _T]) -> _T | None:
        """
        Try until it works, with backoff, saying why not. None when stopped meanwhile.
        """
        self._readiness.lacks("start", f"waiting for {part}")
        backoff, attempt = Backoff(500, 10_000), 0
        while not self._stop.requested():
            answer = self._attempt(part, action)
            if answer is not None:
                return answer
            attempt += 1
            self._stop.wait(0.2 + backoff.seconds(attempt))
        return None

    def _attempt(self, part: str, action: Callable[[], _T]) -> _T | None:
        try:
            answer = action()
        except (Unavailable, ConfigError) as failure:
            self._readiness.lacks(part, str(failure))
            return None
        except Exception as failure:
            # Unforeseen, on the main thread: it must not end the daemon. It is tried again.
            self._readiness.lacks(part, f"{type(failure).__name__}: {failure}")
            log.exception("failed unexpectedly, it is tried again", part=part)
            return None
        self._readiness.has(part)
        return answer

    def _ping(self) -> str:
        self._on_loop(self._elastic.refresh_credentials())
        return self._on_loop(self._elastic.ping())

    def _apply_templates(self) -> list[Step]:
        steps = self._on_loop(templates.apply(self._elastic, self._config))
        templates.tell(steps)
        return steps

    def _on_loop(self, work: Coroutine[Any, Any, _T]) -> _T:
        future: Future[_T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(timeout=self._config.elasticsearch.request_timeout_ms / 1000 + 5)

    def _report(self) -> None:
        account = self._account()
        left = sum(n for (_, fate), n in account.items() if fate == "in_flight")
        log.info(
            "stopped", in_flight_documents=left, note="in flight: read again at the next start"
        )
