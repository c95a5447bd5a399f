"""
One consumer thread: poll → collect → offer → settle → commit.

The thread owns its Source, its OffsetTracker and its Ledger. It hears of the outside in two ways
only: through `poll`, and through the settlements of the bulks it handed over. Every wait (the
caller runs, revoke, stop) takes settlements while it lasts.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import chain
from typing import NamedTuple

import structlog

from sink.config import Config
from sink.core.bulk import Bulk
from sink.core.collect import Run, runs
from sink.core.draft import Draft
from sink.core.ledger import Account, Ledger
from sink.core.offsets import OffsetTracker
from sink.core.record import Partition, Record
from sink.edge.handoff import Handoff
from sink.edge.kafka.news import News
from sink.edge.kafka.source import Listener
from sink.edge.readiness import Readiness
from sink.edge.retry import Backoff
from sink.reading.committing import Committing
from sink.reading.displaced import Displaced
from sink.reading.intake import Intake, RecordSource
from sink.reading.ownership import Ownership
from sink.reading.targets import AnyTarget, Targets
from sink.stop import Stop

log = structlog.get_logger()

# Who waits must poll, or the group evicts the member, and the others' rebalances wait for it. What
# a poll gives is kept meanwhile. A pause throws away librdkafka's whole prefetch: with bulks of
# 2.5 s each and a pause after 3 s, a topic was read six times over (seen).
_KEEP_ALIVE_S = 1.0
_PAUSE_AFTER_S = 30.0
_KEPT_BYTES_MAX = 1_000_000
# How long a rebalance waits for work in flight. What is not settled by then stays uncommitted, and
# the next owner reads it again: its ids make that harmless.
_REVOKE_S = 5.0
_TICK_S = 0.1
_STABLE_S = 60.0  # a consumer that ran so long begins its waits anew when it breaks


_Ours = tuple[Run, AnyTarget, int | None]  # with the epoch of its partition


class _Polled(NamedTuple):
    """
    What a poll gave, with the epochs it belongs to.
    """

    ours: list[_Ours]
    news: list[tuple[News, int | None]]


class Worker:
    """
    Consumes on one thread until the operator stops it.

    Args:
        number: Of the thread, from 0.
        open_source: Builds and subscribes a consumer that tells a listener of its partitions.
    """

    def __init__(
        self,
        number: int,
        config: Config,
        open_source: Callable[[Listener], RecordSource],
        targets: Targets,
        *,
        handoff: Handoff,
        readiness: Readiness,
        stop: Stop,
    ) -> None:
        self.account: Account = {}  # published by this thread, replaced as a whole, read by any
        self._number = number
        self._part = f"worker-{number}"  # as the readiness calls it
        self._config = config
        self._open_source = open_source
        self._handoff = handoff
        self._readiness = readiness
        self._stop = stop
        self._rebuild = Backoff(500, 10_000)
        self._ledger = Ledger()
        self._tracker = OffsetTracker()
        self._displaced = Displaced(self._ledger)
        self._outstanding = 0  # bulks of this worker that hold a place
        self._awaited: Bulk | None = None  # this thread sees it through itself
        self._owned = Ownership(
            number,
            targets,
            self._tracker,
            self._ledger,
            readiness=readiness,
            give_back=self._give_back,
        )
        self._intake = Intake(config, readiness)
        self._kept = _Polled([], [])  # polled while it waited, and not carried yet
        self._commit_at = 0.0
        self._committing = Committing(number, self._tracker)
        self._log = log.bind(worker=number)

    def run(self) -> None:
        """
        Consume until stopped. A consumer that breaks is closed, and a new one built after a wait.
        """
        failures = 0
        while not self._stop.requested():
            began = time.monotonic()
            try:
                self._consume()
            except Exception as failure:
                failures = 1 if time.monotonic() - began > _STABLE_S else failures + 1
                self._readiness.lacks(self._part, f"consumer broke: {failure}")
                self._log.exception("consumer broke, a new one is built; nothing is committed")
                self._stop.wait(self._rebuild.seconds(failures))
                # The bulk it saw through itself, beyond the places: one more of them for each
                # consumer that breaks would overfill the queue of settlements.
                self._settle_until(lambda: self._awaited is None or self._stop.requested())
        self._stop.left()
        self.account = self._ledger.publish()

    def _consume(self) -> None:
        self._kept = _Polled([], [])
        self._source = self._owned.begin(self._open_source)
        try:
            self._turn()
            self._readiness.has(self._part)
            while not self._stop.requested():
                self._turn()
            self._settle_until(lambda: not self._outstanding or self._stop.expired())
            self._committing.await_answer(self._source, self._stop.remaining_s() / 2)
            self._commit_now(self._tracker.partitions())
            self._stop.leave_together()
        finally:
            self._source.close()

    def _turn(self) -> None:
        self._owned.before_poll()
        polled = self._told(*self._intake.take(self._source, idle=not self._outstanding))
        # Together: what was kept one by one would make bulks of one document, and each of these
        # another wait (seen: the throughput stayed down for good).
        kept, self._kept = self._kept, _Polled([], [])
        ours = kept.ours + polled.ours
        if ours:
            self._carry(ours)
        # Behind the records: an offset that expired is counted from their end.
        self._owned.attend(kept.news + polled.news)
        self._take_settled(0)
        self._owned.read_again(self._handoff.parked)
        self._owned.wait_with(self._handoff.full)
        self._commit_if_due()

    def _told(self, records: list[Record], news: list[News]) -> _Polled:
        """
        Note whose it is what a poll gave. Before anything else: a wait may bring a rebalance.
        """
        ours = [
            (run, target, self._tracker.epoch(run.partition))
            for run in runs(records)
            if (target := self._owned.target(run.partition))
        ]
        for run, _, _ in ours:
            self._source.read_under(run.partition, run.records[-1].leader_epoch())
        return _Polled(ours, self._owned.news(news))

    def _carry(self, ours: list[_Ours]) -> None:
        """
        Make bulks of a poll and hand them over.
        """
        docs_max = self._config.bulk.docs_max
        size_bytes, draft = 0, Draft()
        for run, target, epoch in ours:
            if self._tracker.epoch(run.partition) != epoch:
                continue  # kept while it waited, and given away since: nothing is learned of it
            for piece, made, actions in target.pieces(run, docs_max):
                if self._tracker.epoch(run.partition) != epoch:
                    break  # given away while a bulk was handed over: read again by its owner
                draft.add(piece, made, actions)
                if self._handoff.full:
                    self._owned.waiting.note(run.partition, (bound for bound, _ in actions.bounds))
                self._ledger.consumed(run.partition.topic, len(made), made.dropped)
                if made.displaced:
                    self._displaced.note(run.partition.topic, made.displaced)
                if len(draft) >= docs_max:
                    size_bytes += self._hand_over_all(draft)
                    draft = Draft()
        size_bytes += self._hand_over_all(draft)
        self._intake.took([*chain.from_iterable(run.records for run, _, _ in ours)], size_bytes)

    def _hand_over_all(self, draft: Draft) -> int:
        limits = self._config.bulk
        bulks = draft.bulks(self._tracker, limits.docs_max, limits.bytes_max)
        waiting = deque(bulks)
        try:
            while waiting:
                self._hand_over(waiting.popleft())
        finally:  # the consumer broke in a wait: the others are read again by the next
            for topic, documents in (each for bulk in waiting for each in bulk.by_topic()):
                self._ledger.unread(topic, documents)
        return sum(bulk.size_bytes for bulk in bulks)

    def _hand_over(self, bulk: Bulk) -> None:
        """
        Offer a bulk; when there is no place, see it through before anything else (caller runs).
        """
        if self._stop.expired():
            return  # unsettled, so uncommitted: it is read again
        # A poll may make more bulks than the queue of settlements has places: one array of many.
        self._take_settled(0)
        bulk.worker = self._number
        self._outstanding += 1
        if not self._handoff.offer(bulk):
            self._awaited = bulk
            self._handoff.submit(bulk)
            self._hold()

    def _hold(self) -> None:
        """
        Wait for the bulk this thread sees through, and poll meanwhile. A long wait pauses all.
        """
        began = time.monotonic()
        poll_at, kept_bytes = began + _KEEP_ALIVE_S, 0
        while self._awaited is not None and not self._stop.expired():
            self._take_settled(_TICK_S)
            self._commit_if_due()
            now = time.monotonic()
            long = now > began + _PAUSE_AFTER_S or kept_bytes > _KEPT_BYTES_MAX
            if long and not self._owned.held:
                self._owned.hold()
            if self._owned.held or now > poll_at:
                poll_at = now + _KEEP_ALIVE_S
                kept_bytes += self._keep_alive()
        if self._owned.held:
            self._owned.flow()

    def _keep_alive(self) -> int:
        """
        Poll, so that the group keeps the member and rebalances are answered.

        Returns:
            Bytes of the records that were kept.
        """
        self._owned.before_poll()
        polled = self._told(*self._intake.take_one(self._source))
        if self._owned.held:
            for run, _, _ in polled.ours:
                self._source.seek(run.partition, run.first)  # it came before the pause: read later
            polled.ours.clear()
        self._kept.ours.extend(polled.ours)
        self._kept.news.extend(polled.news)
        return sum(len(r.value() or b"") for run, _, _ in polled.ours for r in run.records)

    def _give_back(self, partitions: list[Partition]) -> None:
        """
        See to partitions that will be another's: what is settled in time is committed.
        """
        bound = time.monotonic() + _REVOKE_S
        self._settle_until(
            lambda: not self._outstanding or time.monotonic() > bound or self._stop.expired()
        )
        self._commit_now(partitions)

    def _settle_until(self, done: Callable[[], bool]) -> None:
        while not done():
            self._take_settled(_TICK_S)

    def _take_settled(self, timeout_s: float) -> None:
        for settlement in self._handoff.settled(self._number, timeout_s):
            for ticket in settlement.tickets:
                self._tracker.settle(ticket)
            self._owned.parked.left(settlement.left)
            self._ledger.settled(settlement.fates)
            self._outstanding -= settlement.bulk is not None
            if settlement.bulk is self._awaited:
                self._awaited = None

    def _commit_if_due(self) -> None:
        """
        Commit what is settled, without waiting, and publish the ledger: once an interval.
        """
        now = time.monotonic()
        if now < self._commit_at:
            return
        self._commit_at = now + self._config.kafka.commit_interval_ms / 1000
        self._owned.settle_open_questions()
        self._committing.go_on(self._source)
        self.account = self._ledger.publish()

    def _commit_now(self, partitions: Iterable[Partition]) -> None:
        self._take_settled(0)
        self._committing.finish(self._source, partitions)
