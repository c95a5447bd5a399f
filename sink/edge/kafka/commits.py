"""
The committed offsets of one consumer, and which topic and which log each of them was meant for.

A topic may be deleted and created again unnoticed. Without its id, an offset committed late would
be taken for one of the new topic, and the records before it would be skipped. A log may be cut off
below the offset and grow past it again: without the leader epoch (KIP-320) nobody would notice.
"""

import time
from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from sink.core.record import Partition

_ANSWERED_BY_S = 60.0  # an answer that has not come by then does not come
_UNKNOWN = -1  # a leader epoch
_STAMP = "topic-id:"  # begins the metadata of our commits; those of other tools have none


class Commits:
    """
    Commits, and remembers what was refused. One thread owns it.
    """

    def __init__(self) -> None:
        self._refused: list[Partition] = []
        self._begun_at_s: float | None = None  # of the commit that is not answered yet
        self._topic_ids: dict[str, str] = {}
        self._found: dict[Partition, str] = {}
        self._leader_epochs: dict[Partition, int] = {}

    def stamp(self, topic: str, topic_id: str) -> None:
        """
        Let commits of a topic carry its id from now on.
        """
        self._topic_ids[topic] = topic_id

    def read_under(self, partition: Partition, leader_epoch: int | None) -> None:
        """
        Let commits of a partition carry the leader epoch of what was read last; None: unknown.

        It may be newer than that of the committed record, never older: an older one looks as if the
        log had been cut off where the newer begins.
        """
        if leader_epoch is None:
            self._leader_epochs.pop(partition, None)
        else:
            self._leader_epochs[partition] = leader_epoch

    def found(self, known: Iterable[TopicPartition]) -> None:
        """
        Note with which topic ids offsets were committed, maybe by another member.
        """
        for place in known:
            _, _, topic_id = (place.metadata or "").partition(_STAMP)
            partition = Partition(place.topic, place.partition)
            self._found[partition] = topic_id
            self.read_under(partition, place.leader_epoch)

    def under(self, partition: Partition) -> str | None:
        """
        Tell the topic's id of the offset last found; None where it carries none.
        """
        return self._found.get(partition) or None

    def begin(self, consumer: Consumer, offsets: dict[Partition, int]) -> None:
        """
        Commit without waiting; what the broker refuses is told by `refused`.
        """
        consumer.commit(offsets=self._positions(offsets), asynchronous=True)
        self._begun_at_s = time.monotonic()

    def is_under_way(self) -> bool:
        """
        Tell whether a commit is not answered yet.

        A second one then could be overtaken by the first: librdkafka sends what got no answer
        again, and the committed offset goes back (seen: a broker killed and restarted).
        """
        begun_at_s = self._begun_at_s
        return begun_at_s is not None and time.monotonic() < begun_at_s + _ANSWERED_BY_S

    def note(self, error: KafkaError | None, partitions: Iterable[TopicPartition]) -> None:
        """
        Take the broker's answer to what `begin` sent.
        """
        self._begun_at_s = None
        self._refused += [
            Partition(p.topic, p.partition)
            for p in partitions
            if error is not None or p.error is not None
        ]

    def refused(self) -> list[Partition]:
        """
        Take the partitions whose last commit failed.
        """
        refused, self._refused = self._refused, []
        return refused

    def now(self, consumer: Consumer, offsets: dict[Partition, int]) -> dict[Partition, str]:
        """
        Commit and wait for it, at most socket.timeout.ms.

        A list with one vanished topic fails as a whole although the others were stored: it is
        repeated topic by topic.

        Returns:
            The partitions that could not be committed, with the reason.
        """
        if not offsets:
            return {}
        try:
            return _failures(consumer.commit(offsets=self._positions(offsets), asynchronous=False))
        except KafkaException as failure:
            topics = {partition.topic for partition in offsets}
            if len(topics) == 1:
                return dict.fromkeys(offsets, str(failure))
        failed: dict[Partition, str] = {}
        for topic in topics:
            failed |= self.now(consumer, {p: o for p, o in offsets.items() if p.topic == topic})
        return failed

    def _positions(self, offsets: dict[Partition, int]) -> list[TopicPartition]:
        return [
            TopicPartition(
                *partition,
                offset,
                self._metadata(partition.topic),
                self._leader_epochs.get(partition, _UNKNOWN),
            )
            for partition, offset in offsets.items()
        ]

    def _metadata(self, topic: str) -> str:
        topic_id = self._topic_ids.get(topic)
        return "" if topic_id is None else _STAMP + topic_id


def _failures(answers: Iterable[TopicPartition]) -> dict[Partition, str]:
    return {Partition(a.topic, a.partition): a.error.str() for a in answers if a.error is not None}
