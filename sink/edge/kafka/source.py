"""
One consumer, touched by one thread only: poll, seek, pause, commit, and the news of its partitions.

No exception leaves a librdkafka callback: one that does makes `consume()` raise *and* drop records
it had already taken (seen: 146 of a million). It is kept, and raised by `poll` where it is safe.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Protocol, cast

import structlog
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from sink.core.record import Partition, Record
from sink.edge.kafka.commits import Commits
from sink.edge.kafka.news import News, news_of
from sink.edge.kafka.properties import SOCKET_TIMEOUT_MS, Properties, Renewal
from sink.edge.kafka.telling import telling
from sink.errors import Unauthorized, Unavailable

log = structlog.get_logger()

_TIMEOUT_S = SOCKET_TIMEOUT_MS / 1000
_LEAVE_S, _LEAVE_LONGEST_S = 0.2, 1.0
_CREDENTIALS = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001  librdkafka's own codes begin with _
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)


class Listener(Protocol):
    """
    What a worker wants to know of its partitions. Called from within `poll`, on its thread.
    """

    def on_assign(self, partitions: list[Partition]) -> None: ...  # noqa: D102
    def on_revoke(self, partitions: list[Partition]) -> None: ...  # noqa: D102
    def on_lost(self, partitions: list[Partition]) -> None: ...  # noqa: D102


class Source:
    """
    A Kafka consumer of one worker thread.

    Args:
        properties: Of librdkafka.
        renewal: Gives a replaced password to the client after the old one was refused.
        topics: Literal names and anchored patterns.
        listener: Hears of assigned, revoked and lost partitions.
    """

    def __init__(
        self,
        properties: Properties,
        renewal: Renewal,
        topics: Sequence[str],
        listener: Listener,
    ) -> None:
        self._renewal = renewal
        self._is_static = "group.instance.id" in properties  # KIP-345
        self._failure: BaseException | None = None
        self._commits = Commits()
        self._listener = listener
        hooks = {"error_cb": self._on_error, "on_commit": self._on_commit}
        self._consumer = Consumer(properties | hooks)
        self._consumer.subscribe(
            list(topics),
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )

    def poll(self, records_max: int, timeout_s: float) -> tuple[list[Record], list[News]]:
        """
        Take records, at most so many, waiting for them at most so long.

        Raises:
            Unauthorized, Unavailable: The client reported it; the consumer itself goes on trying.
            KafkaException: The consumer is broken for good, or records may have been dropped.
        """
        messages = self._consumer.consume(records_max, timeout_s)
        self._raise_failure(took_records=bool(messages))
        if not any(map(Message.error, messages)):
            return cast("list[Record]", messages), []
        good = [m for m in messages if m.error() is None]
        news = [news_of(m, error) for m in messages if (error := m.error()) is not None]
        return cast("list[Record]", good), news

    def _raise_failure(self, *, took_records: bool) -> None:
        """
        Raise what a callback left. News of the outside waits for a poll that took no record.
        """
        failure = self._failure
        if failure is None or (took_records and isinstance(failure, Unavailable)):
            return
        self._failure = None
        if isinstance(failure, Unauthorized):
            self._renewal.renew(self._consumer)
        raise failure

    def assignment(self) -> list[Partition]:
        """
        List the assigned partitions.
        """
        return _names(self._consumer.assignment())

    def seek(self, partition: Partition, offset: int) -> None:
        """
        Go on with a partition from an offset.
        """
        self._consumer.seek(TopicPartition(*partition, offset))

    def restart(self, partition: Partition, offset: int | None) -> None:
        """
        Begin a partition anew at an offset (None: the log's start), whatever state it is in.

        seek() would fail with _STATE after an error took the position away: librdkafka has stopped
        fetching the partition.
        """
        begin = OFFSET_BEGINNING if offset is None else offset
        self._commits.read_under(partition, None)
        self._consumer.incremental_unassign([TopicPartition(*partition)])
        self._consumer.incremental_assign([TopicPartition(*partition, begin)])

    def pause(self, partitions: Iterable[Partition]) -> None:
        """
        Fetch nothing of these partitions. Throws away what was prefetched of them.
        """
        self._consumer.pause([TopicPartition(*p) for p in partitions])

    def resume(self, partitions: Iterable[Partition]) -> None:
        """
        Fetch these partitions again.
        """
        self._consumer.resume([TopicPartition(*p) for p in partitions])

    def committed(self, partition: Partition) -> int | None:
        """
        Ask for the committed offset of a partition; None where there is none.

        Raises:
            Unavailable: The brokers do not tell.
        """
        with telling(f"the committed offset of {partition.topic}/{partition.number}"):
            (answer,) = self._consumer.committed([TopicPartition(*partition)], timeout=_TIMEOUT_S)
        return answer.offset if answer.offset >= 0 else None

    def log_start(self, partition: Partition) -> int:
        """
        Ask for the first offset that is still in a partition's log.

        Raises:
            Unavailable: The brokers do not tell.
        """
        with telling(f"the log's start of {partition.topic}/{partition.number}"):
            ends = self._consumer.get_watermark_offsets(TopicPartition(*partition), _TIMEOUT_S)
        return ends[0]

    def stamp(self, topic: str, topic_id: str) -> None:
        """
        Let commits of a topic carry its id from now on.
        """
        self._commits.stamp(topic, topic_id)

    def read_under(self, partition: Partition, leader_epoch: int | None) -> None:
        """
        Tell the leader epoch of what was read last, for commits; None: unknown.
        """
        self._commits.read_under(partition, leader_epoch)

    def committed_under(self, partition: Partition) -> str | None:
        """
        Tell the topic's id of the committed offset when the partition was assigned.
        """
        return self._commits.under(partition)

    def commit(self, offsets: dict[Partition, int]) -> None:
        """
        Commit without waiting; what the broker refuses is told by `refused`.
        """
        self._commits.begin(self._consumer, offsets)

    def refused(self) -> list[Partition]:
        """
        Take the partitions whose last commit failed.
        """
        return self._commits.refused()

    def commit_now(self, offsets: dict[Partition, int]) -> dict[Partition, str]:
        """
        Commit and wait for it, at most socket.timeout.ms.

        Returns:
            The partitions that could not be committed, with the reason.
        """
        return self._commits.now(self._consumer, offsets)

    def is_committing(self) -> bool:
        """
        Tell whether a commit is not answered yet; the answer comes within a poll.
        """
        return self._commits.is_under_way()

    def close(self) -> None:
        """
        Leave the group and free the client.

        A static member stays: its partitions wait for it until its session ends.
        """
        if not self._is_static:
            with suppress(KafkaException):  # whatever it is, it is closed
                self._unsubscribe()
        self._consumer.close()

    def _unsubscribe(self) -> None:
        """
        Give everything back before the consumer is closed. What is polled is read again.

        One closed amid a rebalance stays a member until its session ends, and holds partitions that
        nobody reads (seen on 2.16).
        """
        began_s = time.monotonic()
        self._consumer.unsubscribe()
        while time.monotonic() < began_s + (
            _LEAVE_LONGEST_S if self._consumer.assignment() else _LEAVE_S
        ):
            self._consumer.consume(1, _LEAVE_S / 4)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        def assigned() -> None:
            starts = self._starts(partitions)
            consumer.incremental_assign(starts)
            # An assigned offset is not held against the log where the leader is known already, a
            # sought one is (seen on 2.16): the log may have been truncated, and grown past it.
            for place in starts:
                if place.leader_epoch is not None:
                    consumer.seek(place)
            self._listener.on_assign(_names(partitions))

        self._guarded(assigned)

    def _starts(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        """
        Give partitions with the offset each begins at.

        One that the group has never committed came after the group began, or `kafka.start` says so:
        it is read from its first record.
        """
        if not partitions:
            return []
        known = self._consumer.committed(partitions, timeout=_TIMEOUT_S)
        self._commits.found(known)
        for place in known:
            if place.offset < 0:
                place.offset = OFFSET_BEGINNING
        return known

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._guarded(lambda: self._listener.on_revoke(_names(partitions)))

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._guarded(lambda: self._listener.on_lost(_names(partitions)))

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        self._guarded(lambda: self._commits.note(error, partitions))

    def _on_error(self, error: KafkaError) -> None:
        self._guarded(lambda: self._note(error))

    def _note(self, error: KafkaError) -> None:
        if error.fatal():
            self._failure = KafkaException(error)
        elif error.code() in _CREDENTIALS:
            self._failure = Unauthorized(f"Kafka refuses the credentials: {error.str()}")
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001
            self._failure = Unavailable(f"no Kafka broker answers: {error.str()}")

    def _guarded(self, body: Callable[[], None]) -> None:
        try:
            body()
        except BaseException as failure:  # raised by poll, where nothing is lost
            self._failure = failure


def _names(partitions: Iterable[TopicPartition]) -> list[Partition]:
    return [Partition(p.topic, p.partition) for p in partitions]
