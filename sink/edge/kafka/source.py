"""
One consumer, touched by one thread only: poll, seek, pause, commit, and the news of its partitions.

No exception leaves a librdkafka callback: one that does makes `consume()` raise *and* drop records
it had already taken (seen: 146 of a million). It is kept, and raised by `poll` where it is safe.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, cast

import structlog
from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from sink.core.record import Partition, Record
from sink.edge.kafka.properties import SOCKET_TIMEOUT_MS, Properties, Renewal
from sink.errors import Unauthorized, Unavailable

log = structlog.get_logger()

_TIMEOUT_S = SOCKET_TIMEOUT_MS / 1000
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


@dataclass(frozen=True, slots=True)
class Problem:
    """
    An error of one partition, delivered between records.
    """

    partition: Partition
    no_position: bool  # neither a committed offset nor one within the log: somebody must seek
    reason: str


class Source:
    """
    A Kafka consumer of one worker thread.

    Args:
        properties: Of librdkafka.
        renewal: Gives a replaced password to the client after the old one was refused.
        topics: Literal names and anchored patterns.
        listener: Hears of assigned, revoked and lost partitions.
        start: Where a partition begins that was never committed.
    """

    def __init__(
        self,
        properties: Properties,
        renewal: Renewal,
        topics: Sequence[str],
        listener: Listener,
        start: Literal["earliest", "latest"] | datetime,
    ) -> None:
        self._start = start
        self._renewal = renewal
        self._failure: BaseException | None = None
        self._refused: list[Partition] = []
        self._listener = listener
        hooks = {"error_cb": self._on_error, "on_commit": self._on_commit}
        self._consumer = Consumer(properties | hooks)
        self._consumer.subscribe(
            list(topics),
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )

    def poll(self, records_max: int, timeout_s: float) -> tuple[list[Record], list[Problem]]:
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
        problems = [_problem(m, error) for m in messages if (error := m.error()) is not None]
        return cast("list[Record]", good), problems

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

    def restart(self, partition: Partition, offset: int) -> None:
        """
        Begin a partition anew at an offset, after an error took its position away.

        seek() would fail then with _STATE: librdkafka has stopped fetching the partition.
        """
        self._consumer.incremental_unassign([TopicPartition(*partition)])
        self._consumer.incremental_assign([TopicPartition(*partition, offset)])

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
        """
        (answer,) = self._consumer.committed([TopicPartition(*partition)], timeout=_TIMEOUT_S)
        return answer.offset if answer.offset >= 0 else None

    def log_start(self, partition: Partition) -> int:
        """
        Ask for the first offset that is still in a partition's log.
        """
        low, _ = self._consumer.get_watermark_offsets(
            TopicPartition(*partition), timeout=_TIMEOUT_S
        )
        return low

    def commit(self, offsets: dict[Partition, int]) -> None:
        """
        Commit without waiting; what the broker refuses is told by `refused`.
        """
        self._consumer.commit(offsets=_positions(offsets), asynchronous=True)

    def refused(self) -> list[Partition]:
        """
        Take the partitions whose last commit failed.
        """
        refused, self._refused = self._refused, []
        return refused

    def commit_now(self, offsets: dict[Partition, int]) -> dict[Partition, str]:
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
            return _failures(self._consumer.commit(offsets=_positions(offsets), asynchronous=False))
        except KafkaException as failure:
            topics = {partition.topic for partition in offsets}
            if len(topics) == 1:
                return dict.fromkeys(offsets, str(failure))
        failed: dict[Partition, str] = {}
        for topic in topics:
            failed |= self.commit_now({p: o for p, o in offsets.items() if p.topic == topic})
        return failed

    def close(self) -> None:
        """
        Leave the group and free the client.
        """
        self._consumer.close()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        def assigned() -> None:
            consumer.incremental_assign(self._starts(partitions))
            self._listener.on_assign(_names(partitions))

        self._guarded(assigned)

    def _starts(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        """
        Give partitions with the offset each begins at: the committed one, or `start`.
        """
        if not partitions:
            return []
        known = self._consumer.committed(partitions, timeout=_TIMEOUT_S)
        fresh = [p for p in known if p.offset < 0]
        if fresh and isinstance(self._start, datetime):
            at_ms = round(self._start.timestamp() * 1000)
            wanted = [TopicPartition(p.topic, p.partition, at_ms) for p in fresh]
            fresh = self._consumer.offsets_for_times(wanted, timeout=_TIMEOUT_S)
        else:
            logical = OFFSET_END if self._start == "latest" else OFFSET_BEGINNING
            fresh = [TopicPartition(p.topic, p.partition, logical) for p in fresh]
        return [p for p in known if p.offset >= 0] + fresh

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._guarded(lambda: self._listener.on_revoke(_names(partitions)))

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._guarded(lambda: self._listener.on_lost(_names(partitions)))

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        def note() -> None:
            failed = [p for p in partitions if error is not None or p.error is not None]
            self._refused += _names(failed)

        self._guarded(note)

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


def _problem(message: Message, error: KafkaError) -> Problem:
    partition = Partition(message.topic() or "", message.partition() or 0)
    no_position = error.code() == KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001
    # A fenced static member hears of it in this way only: the error's own flag is not set.
    if error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001
        raise KafkaException(error)
    return Problem(partition, no_position, error.str())


def _names(partitions: Iterable[TopicPartition]) -> list[Partition]:
    return [Partition(p.topic, p.partition) for p in partitions]


def _positions(offsets: dict[Partition, int]) -> list[TopicPartition]:
    return [TopicPartition(*partition, offset) for partition, offset in offsets.items()]


def _failures(answers: Iterable[TopicPartition]) -> dict[Partition, str]:
    return {Partition(a.topic, a.partition): a.error.str() for a in answers if a.error is not None}
