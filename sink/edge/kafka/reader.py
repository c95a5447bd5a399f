"""
Reads a bounded range of topics in no group: for the commands that look, replay and audit.

Nothing is committed and no group is joined, so a running daemon notices nothing of it.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import NamedTuple, Self, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from sink.config import KafkaSettings
from sink.core.record import Partition, Record
from sink.edge.kafka.properties import bounded_reader
from sink.errors import Unauthorized, Unavailable

_TIMEOUT_S = 20.0
_STALLED_S = 60.0  # a range that gives nothing for so long is given up
_TICK_S = 0.2
Bound = int | datetime  # an offset, or the first record at or after a time


class Span(NamedTuple):
    """
    Offsets of one partition: begin <= offset < end. Compaction and markers may leave gaps in it.
    """

    partition: Partition
    begin: int
    end: int

    @property
    def offsets(self) -> int:
        """
        How many offsets it has.
        """
        return max(0, self.end - self.begin)


class Reader:
    """
    Reads spans of partitions, once each. A context manager; one thread uses it.

    Args:
        settings: Where the brokers are and who we are.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._error: KafkaError | None = None
        self._consumer = Consumer(bounded_reader(settings) | {"error_cb": self._on_error})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._consumer.close()

    def partitions(self, topic: str) -> list[Partition]:
        """
        List the partitions of a topic; none when there is no such topic.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        try:
            found = self._consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic]
        except KafkaException as failure:
            raise self._explained(failure.args[0], topic) from failure
        unknown = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)  # noqa: SLF001
        if found.error is not None and found.error.code() not in unknown:
            raise self._explained(found.error, topic)
        return [Partition(topic, number) for number in sorted(found.partitions)]

    def spans(
        self, partitions: Iterable[Partition], begin: Bound | None = None, end: Bound | None = None
    ) -> list[Span]:
        """
        Say what there is to read, within bounds.

        Args:
            begin: First offset, or the first record at or after a time; None for the log's start.
            end: Offset after the last, or records before a time; None for what is there now.
        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        try:
            return [self._span(partition, begin, end) for partition in partitions]
        except KafkaException as failure:
            raise self._explained(failure.args[0], "watermarks") from failure

    def batches(self, spans: Sequence[Span], records_max: int = 5000) -> Iterator[list[Record]]:
        """
        Read spans to their ends. Records of a partition come in the order of their offsets.

        Raises:
            Unauthorized, Unavailable: A partition cannot be read, or gives nothing for a minute.
        """
        ends = {span.partition: span.end for span in spans if span.offsets}
        begins = [TopicPartition(*s.partition, s.begin) for s in spans if s.offsets]
        self._consumer.assign(begins)
        deadline = time.monotonic() + _STALLED_S
        while ends:
            messages = self._consumer.consume(records_max, _TICK_S)
            batch = self._within(messages, ends)
            if batch:
                yield batch
            if messages:
                deadline = time.monotonic() + _STALLED_S
            elif time.monotonic() > deadline:
                what = ", ".join(f"{topic}/{number}" for topic, number in ends)
                raise self._explained(self._error, f"{what} gives nothing for {_STALLED_S:.0f} s")
        self._consumer.unassign()

    def _span(self, partition: Partition, begin: Bound | None, end: Bound | None) -> Span:
        place = TopicPartition(*partition)
        low, high = self._consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S)
        first = low if begin is None else self._offset(partition, begin, high)
        after = high if end is None else self._offset(partition, end, high)
        return Span(partition, max(low, first), min(high, after))

    def _offset(self, partition: Partition, bound: Bound, high: int) -> int:
        if isinstance(bound, int):
            return bound
        at_ms = round(bound.timestamp() * 1000)
        (found,) = self._consumer.offsets_for_times(
            [TopicPartition(*partition, at_ms)], timeout=_TIMEOUT_S
        )
        return high if found.offset < 0 else found.offset

    def _within(self, messages: list[Message], ends: dict[Partition, int]) -> list[Record]:
        """
        Keep the records of open spans, and close the spans whose end was reached.

        An end that is no record (a marker, or compacted away) is told by _PARTITION_EOF only.
        """
        batch: list[Record] = []
        for message in messages:
            partition = Partition(message.topic() or "", message.partition() or 0)
            end, offset = ends.get(partition), message.offset() or 0
            if end is None:
                continue
            error = message.error()
            if error is None and offset < end:
                batch.append(cast("Record", message))
            elif error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
                raise self._explained(error, f"{partition.topic}/{partition.number}")
            if error is not None or offset >= end - 1:
                del ends[partition]
                self._consumer.incremental_unassign([TopicPartition(*partition)])
        return batch

    def _on_error(self, error: KafkaError) -> None:
        self._error = error

    def _explained(self, error: KafkaError | None, what: str) -> Unavailable:
        said = (self._error or error) if error is None or error.code() < 0 else error
        why = "no answer" if said is None else said.str()
        refused = said is not None and "AUTH" in said.name()
        return (Unauthorized if refused else Unavailable)(f"Kafka ({what}): {why}")
