"""
One consumer thread: poll → collect → offer → settle → commit, and what a rebalance asks of it.

The thread owns its Source, its OffsetTracker and its Ledger. It hears of the outside in two ways
only: through `poll`, and through the settlements of the bulks it handed over. Every wait (the
caller runs, revoke, stop) takes settlements while it lasts.
"""

import time
from collections.abc import Callable, Iterable

import structlog

from sink.config import Config
from sink.core.bulk import Bulk, Draft
from sink.core.collect import runs
from sink.core.ledger import Account, Ledger
from sink.core.offsets import OffsetTracker
from sink.core.record import Partition, Record
from sink.edge.handoff import Handoff
from sink.edge.kafka.source import Listener, Problem
from sink.edge.readiness import Readiness
from sink.edge.retry import Backoff
from sink.errors import Unavailable
from sink.intake import Intake, RecordSource
from sink.positions import to_log_start
from sink.stop import Stop
from sink.targets import Targets

log = structlog.get_logger()

# A shorter wait does not pause: pausing throws away librdkafka's whole prefetch (seen: 75 MB read
# again and 0.9 s of standstill each time). A longer one must poll, or the group evicts the member.
_PAUSE_AFTER_S = 3.0
# How long a rebalance waits for work in flight. What is not settled by then stays uncommitted, and
# the next owner reads it again: its ids make that harmless.
_REVOKE_S = 5.0
_TICK_S = 0.1
_STABLE_S = 60.0  # a consumer that ran so long begins its waits anew when it breaks


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
        self._targets = targets
        self._handoff = handoff
        self._readiness = readiness
        self._stop = stop
        self._rebuild = Backoff(500, 10_000)
        self._ledger = Ledger()
        self._tracker = OffsetTracker()
        self._outstanding = 0  # bulks of this worker that hold a place
        self._awaited: Bulk | None = None  # this thread sees it through itself
        self._given_away: set[Partition] = set()  # revoked or lost within the poll under way
        self._paused = False
        self._unlearned: set[str] = set()  # topics of ours whose id the brokers have not told
        self._intake = Intake(config, readiness)
        self._commit_at = 0.0
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
        self.account = self._ledger.publish()

    def on_assign(self, partitions: list[Partition]) -> None:
        """
        Begin with partitions: learn their topics' ids, and wait with them while holding.
        """
        self._learn({partition.topic for partition in partitions})
        for partition in partitions:
            self._tracker.assign(partition)
        # While holding, their records would arrive in a full pipeline (seen: 940,000 of them);
        # before their topic's id is known they would have no ids.
        self._source.pause(p for p in partitions if self._paused or p.topic not in self._targets)
        self._log.info("assigned", partitions=_shown(partitions))

    def _learn(self, topics: set[str]) -> None:
        """
        Learn route and id of topics. Where the brokers do not tell, it is tried again each second.

        A new consumer instead would wait for the old one's session to end, more than once.
        """
        self._unlearned |= topics
        try:
            self._targets.learn(self._unlearned)
        except Unavailable as failure:
            self._readiness.lacks(f"{self._part} topics", str(failure))
            return
        self._readiness.has(f"{self._part} topics")
        learned = self._unlearned & self._targets.keys()
        self._unlearned = set()
        if not self._paused:
            self._source.resume(p for p in self._tracker.partitions() if p.topic in learned)

    def on_revoke(self, partitions: list[Partition]) -> None:
        """
        Give partitions back: wait for their work within a bound, and commit what is settled.
        """
        bound = time.monotonic() + _REVOKE_S
        self._settle_until(
            lambda: not self._outstanding or time.monotonic() > bound or self._stop.expired()
        )
        self._commit_now(partitions)
        self._forget(partitions)
        self._log.info("revoked", partitions=_shown(partitions))

    def on_lost(self, partitions: list[Partition]) -> None:
        """
        Drop partitions that others own already: nothing of them may be committed.
        """
        self._forget(partitions)
        self._log.warning("lost, what was in flight is read again", partitions=_shown(partitions))

    def _consume(self) -> None:
        self._forget(self._tracker.partitions())
        self._paused = False
        self._unlearned = set()
        self._source = self._open_source(self)
        try:
            self._turn()
            self._readiness.has(self._part)
            while not self._stop.requested():
                self._turn()
            self._settle_until(lambda: not self._outstanding or self._stop.expired())
            self._commit_now(self._tracker.partitions())
        finally:
            self._source.close()

    def _turn(self) -> None:
        self._given_away.clear()
        idle = not self._outstanding
        records, problems = self._intake.take(self._source, idle=idle)
        if records:
            self._carry(records)
        self._attend(problems)  # behind the records: an offset that expired is counted from there
        self._take_settled(0)
        self._commit_if_due()

    def _carry(self, records: list[Record]) -> None:
        """
        Make bulks of a poll and hand them over.
        """
        docs_max = self._config.bulk.docs_max
        ours = [
            (run, target, self._tracker.epoch(run.partition))
            for run in runs(records)
            if self._is_ours(run.partition) and (target := self._targets.get(run.partition.topic))
        ]
        size_bytes, draft = 0, Draft()
        for run, target, epoch in ours:
            for piece, made, actions in target.pieces(run, docs_max):
                if self._tracker.epoch(run.partition) != epoch:
                    break  # given away while a bulk was handed over: read again by its owner
                draft.add(piece, made, actions, target.topic_id)
                self._ledger.consumed(run.partition.topic, len(made), made.dropped)
                if len(draft) >= docs_max:
                    size_bytes += self._hand_over_all(draft)
                    draft = Draft()
        size_bytes += self._hand_over_all(draft)
        self._intake.took(len(records), size_bytes)

    def _hand_over_all(self, draft: Draft) -> int:
        limits = self._config.bulk
        bulks = draft.bulks(self._tracker, limits.docs_max, limits.bytes_max)
        for bulk in bulks:
            self._hand_over(bulk)
        return sum(bulk.size_bytes for bulk in bulks)

    def _is_ours(self, partition: Partition) -> bool:
        """
        Tell whether records just polled may be sent; not if their partition was given away then.

        Raises:
            RuntimeError: It was given away and back within that poll. Nobody can tell which records
                are from before; committed, they would pass what was in flight then.
        """
        if not self._tracker.owns(partition):
            return False  # its owner reads them again
        if partition in self._given_away:
            raise RuntimeError(f"{_shown([partition])} given away and back within one poll")
        if partition.topic in self._unlearned and partition.topic not in self._targets:
            raise RuntimeError(f"{_shown([partition])} gave records while it was paused")
        return True

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
        Wait for the bulk this thread sees through. A long wait pauses the assignment and polls.
        """
        pause_at = time.monotonic() + _PAUSE_AFTER_S
        while self._awaited is not None and not self._stop.expired():
            self._take_settled(_TICK_S)
            self._commit_if_due()
            if not self._paused and time.monotonic() > pause_at:
                self._paused = True
                self._source.pause(self._source.assignment())
            if self._paused:
                self._keep_alive()
        if self._paused:
            self._paused = False
            self._source.resume(p for p in self._source.assignment() if p.topic in self._targets)

    def _keep_alive(self) -> None:
        """
        Poll while paused, so that the group keeps the member and rebalances are answered.
        """
        self._given_away.clear()
        records, problems = self._intake.take_one(self._source)
        for run in runs(records):
            if self._is_ours(run.partition):
                self._source.seek(run.partition, run.first)  # it came before the pause: read later
        self._attend(problems)

    def _attend(self, problems: list[Problem]) -> None:
        for problem in problems:
            if problem.no_position and self._tracker.owns(problem.partition):
                # A topic that was deleted and created again has another id, and offsets from 0.
                self._targets.learn([problem.partition.topic])
                to_log_start(self._source, self._tracker, self._ledger, problem.partition)
                if self._paused:
                    self._source.pause([problem.partition])
            elif not problem.no_position:
                self._log.warning("partition", partition=problem.partition, why=problem.reason)

    def _settle_until(self, done: Callable[[], bool]) -> None:
        while not done():
            self._take_settled(_TICK_S)

    def _take_settled(self, timeout_s: float) -> None:
        for settlement in self._handoff.settled(self._number, timeout_s):
            for ticket in settlement.tickets:
                self._tracker.settle(ticket)
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
        if self._unlearned:
            self._learn(set())
        refused = self._source.refused()
        if refused:
            self._tracker.uncommitted(refused)
            self._log.warning("commit refused, it is tried again", partitions=_shown(refused))
        offsets = self._tracker.committable()
        if offsets:
            self._source.commit(offsets)
            self._tracker.committed(offsets)
        self.account = self._ledger.publish()

    def _commit_now(self, partitions: Iterable[Partition]) -> None:
        self._take_settled(0)
        wanted = set(partitions)
        self._tracker.uncommitted(wanted)  # the last asynchronous commit may still fail
        offsets = {p: o for p, o in self._tracker.committable().items() if p in wanted}
        for partition, reason in self._source.commit_now(offsets).items():
            self._log.warning("not committed, read again", partition=partition, why=reason)

    def _forget(self, partitions: Iterable[Partition]) -> None:
        for partition in partitions:
            self._tracker.drop(partition)
            self._given_away.add(partition)


def _shown(partitions: Iterable[Partition]) -> list[str]:
    return [f"{topic}/{number}" for topic, number in partitions]
