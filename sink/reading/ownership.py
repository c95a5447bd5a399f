"""
Which partitions a worker holds, whether they flow, and the targets of their topics.

Its methods are called by the worker's thread only: by the worker itself, and from within `poll`
when the group's assignment changes.
"""

import time
from collections.abc import Callable, Iterable

import structlog

from sink.core.ledger import Ledger
from sink.core.offsets import OffsetTracker
from sink.core.record import Partition
from sink.edge.kafka.news import End, News
from sink.edge.kafka.source import Listener
from sink.edge.readiness import Readiness
from sink.errors import Unavailable
from sink.reading.committing import shown
from sink.reading.identities import Identities
from sink.reading.intake import RecordSource
from sink.reading.parked_reading import ParkedReading
from sink.reading.positions import Positions
from sink.reading.targets import AnyTarget, Targets
from sink.reading.waiting import Waiting

log = structlog.get_logger()

_AGAIN_S = 1.0


class Ownership:
    """
    The partitions of one worker, from assignment to revocation.

    Args:
        give_back: Waits, within a bound, for work in flight and commits what is settled of
            partitions that are about to be another's.
    """

    def __init__(
        self,
        number: int,
        targets: Targets,
        tracker: OffsetTracker,
        ledger: Ledger,
        *,
        readiness: Readiness,
        give_back: Callable[[list[Partition]], None],
    ) -> None:
        self.held = False  # all is paused: the worker sees a bulk through, and takes nothing new
        self._part = f"worker-{number} topics"  # as the readiness calls it
        self._targets = targets
        self._tracker = tracker
        self._positions = Positions(tracker, ledger)
        self._place_at = 0.0
        self._readiness = readiness
        self._give_back = give_back
        self._given_away: set[Partition] = set()  # revoked or lost within the poll under way
        self._unlearned: set[str] = set()  # topics of ours whose id the brokers have not told
        self._identities = Identities(targets.ask)
        self.waiting = Waiting(number, targets.parked_topic)
        self.parked = ParkedReading(targets.parked_topic, targets.parked, tracker)
        self._log = log.bind(worker=number)

    def begin(self, open_source: Callable[[Listener], RecordSource]) -> RecordSource:
        """
        Join the group anew, with a consumer that has nothing yet.
        """
        self._forget(self._tracker.partitions())
        self.held = False
        self._identities.forget()
        self._source = open_source(self)
        return self._source

    def before_poll(self) -> None:
        """
        Begin to watch what is given away within the next poll.
        """
        self._given_away.clear()

    def on_assign(self, partitions: list[Partition]) -> None:
        """
        Begin with partitions: learn their topics' ids, and wait with them while holding.
        """
        topics = {partition.topic for partition in partitions}
        self._targets.forget(topics - self._topics())
        for partition in partitions:
            self._tracker.assign(partition)
        self.parked.begin(partitions)
        self._unlearned |= topics
        self._learn()
        # While holding, their records would arrive in a full pipeline (seen: 940,000 of them);
        # before their topic's id is known they would have no ids.
        self._source.pause(p for p in partitions if self.held or p.topic not in self._targets)
        self._log.info("assigned", partitions=shown(partitions))

    def on_revoke(self, partitions: list[Partition]) -> None:
        """
        Give partitions back: wait for their work within a bound, and commit what is settled.
        """
        self._give_back(partitions)
        self._forget(partitions)
        self._log.info("revoked", partitions=shown(partitions))

    def on_lost(self, partitions: list[Partition]) -> None:
        """
        Drop partitions that others own already: nothing of them may be committed.
        """
        self._forget(partitions)
        self._log.warning("lost, what was in flight is read again", partitions=shown(partitions))

    def target(self, partition: Partition) -> AnyTarget | None:
        """
        Give the target of records just polled; None where they are not ours to send.

        Raises:
            RuntimeError: The partition was given away and back within that poll. Nobody can tell
                which records are from before; committed, they would pass what was in flight then.
        """
        if not self._tracker.owns(partition):
            return None  # its owner reads them again
        if partition in self._given_away:
            raise RuntimeError(f"{shown([partition])} given away and back within one poll")
        target = self._targets.get(partition.topic)
        if target is None and partition.topic in self._unlearned:
            raise RuntimeError(f"{shown([partition])} gave records while it was paused")
        return target

    def hold(self) -> None:
        """
        Pause all, and what is assigned from now on as well.
        """
        self.held = True
        self._source.pause(self._source.assignment())

    def flow(self) -> None:
        """
        Resume all whose topic is known, and which do not wait.
        """
        self.held = False
        self._source.resume(
            p
            for p in self._source.assignment()
            if p.topic in self._targets and p not in self.waiting
        )

    def wait_with(self, full: frozenset[str]) -> None:
        """
        Pause partitions that give nothing but documents of lanes without room, and resume others.
        """
        self.waiting.apply(full, self._source, held=self.held)

    def news(self, polled: Iterable[News]) -> list[tuple[News, int | None]]:
        """
        Give what was polled besides records, with the epoch it belongs to; read before any wait.

        What tells of partitions that were given away within that poll is let go.
        """
        return [
            (news, self._tracker.epoch(news.partition))
            for news in polled
            if news.partition not in self._given_away
        ]

    def attend(self, polled: Iterable[tuple[News, int | None]]) -> None:
        """
        Pass ends, find a way on where a position was lost, and tell of other problems.
        """
        for news, epoch in polled:
            if isinstance(news, End):
                if epoch is not None and epoch == self._tracker.epoch(news.partition):
                    self._pass(news)
            elif not news.no_position:
                self._log.warning("partition", partition=news.partition, why=news.reason)
            elif epoch == self._tracker.epoch(news.partition):
                self._positions.lost(news.partition)
        self._place()

    def settle_open_questions(self) -> None:
        """
        Ask again what the brokers did not tell, and whether topics are still the same.
        """
        if self._unlearned:
            self._learn()
        if told := self._identities.answer():  # seldom: all that is held is gone through
            self._targets.compare(told)
            self._begin_again()
        self._identities.ask(self._topics)

    def read_again(self, closed: frozenset[str]) -> None:
        """
        Read partitions of the parked topic again, where it is worth it.

        Args:
            closed: The keys of the lanes that are.
        """
        for partition, offset in self.parked.again(closed).items():
            self._source.seek(partition, offset)
            self._log.info("parked documents are read again", partition=partition, offset=offset)

    def _pass(self, end: End) -> None:
        first = self.parked.at_end(end.partition)
        if first is None:
            if self._tracker.passed(end.partition, end.offset):
                # Nobody tells the leader epoch of markers.
                self._source.read_under(end.partition, None)
        else:
            self._source.seek(end.partition, first)

    def _learn(self) -> None:
        """
        Learn route and id of topics. Where the brokers do not tell, it is tried again each second.

        A new consumer instead would wait for the old one's session to end, more than once.
        """
        self._unlearned &= self._topics()
        wanted, self._unlearned = self._unlearned, set()
        self._identities.forget()
        try:
            self._targets.learn(wanted)
        except Unavailable as failure:
            self._unlearned = wanted - self._targets.keys()
            self._readiness.lacks(self._part, str(failure))
        else:
            self._readiness.has(self._part)
        learned = wanted & self._targets.keys()
        self._begin_again(p for p in self._tracker.partitions() if self._is_of_another(p, learned))
        if not self.held:
            self._source.resume(p for p in self._tracker.partitions() if p.topic in learned)

    def _is_of_another(self, partition: Partition, learned: set[str]) -> bool:
        """
        Tell whether the committed offset was meant for an older topic of that name.
        """
        if partition.topic not in learned or self._tracker.expected(partition) is not None:
            return False
        topic_id = self._targets.topic_id(partition.topic)
        return topic_id is not None and self._source.committed_under(partition) not in {
            None,
            topic_id,
        }

    def _place(self) -> None:
        """
        Go on where partitions lost their position; where the brokers do not tell, a second later.
        """
        topics = self._positions.topics()
        if not topics or time.monotonic() < self._place_at:
            return
        self._place_at = time.monotonic() + _AGAIN_S
        try:
            # A topic that was deleted and created again has another id, and offsets from 0.
            told = self._targets.ask(topics)
            self._targets.compare(told)
            self._begin_again()
            for partition in self._positions.find(self._source, told.keys()):
                self.parked.begin([partition])
                self.waiting.forget(partition)
                if self.held:
                    self._source.pause([partition])
        except Unavailable as failure:
            self._readiness.lacks(self._part, str(failure))
        else:
            self._readiness.has(self._part)

    def _begin_again(self, more: Iterable[Partition] = ()) -> None:
        """
        Read partitions of topics that are others than they were from the beginning.

        A late commit of the old topic would be taken for one of the new: its track is dropped.
        """
        again = self._targets.created_again()
        wanted = {p for p in self._tracker.partitions() if p.topic in again} | set(more)
        for topic in self._topics():
            topic_id = self._targets.topic_id(topic)
            if topic_id is not None:
                self._source.stamp(topic, topic_id)
        for partition in wanted:
            self.parked.begin([partition])
            self.waiting.forget(partition)
            self._tracker.assign(partition)
            self._source.restart(partition, None)
            if self.held:
                self._source.pause([partition])
        if wanted:
            self._log.warning("created again, read from its beginning", partitions=shown(wanted))
        if any(partition.topic == self._targets.parked_topic for partition in wanted):
            self._log.error("the parked topic was deleted: what waited there is gone, run an audit")

    def _topics(self) -> set[str]:
        return {partition.topic for partition in self._tracker.partitions()}

    def _forget(self, partitions: Iterable[Partition]) -> None:
        for partition in partitions:
            self._tracker.drop(partition)
            self._given_away.add(partition)
            self.parked.forget(partition)
            self.waiting.forget(partition)
