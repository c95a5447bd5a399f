"""
Where a partition begins that the group has never committed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from sink.core.record import Partition
from sink.edge.kafka.properties import SOCKET_TIMEOUT_MS

_TIMEOUT_S = SOCKET_TIMEOUT_MS / 1000

Start = Literal["earliest", "latest"] | datetime


@dataclass(frozen=True, slots=True)
class Beginnings:
    """
    Where partitions begin without a committed offset.

    `start` is for what was there when the group began. A topic or partition that came later is read
    from its first record, whenever it is discovered: records were written before that.

    Args:
        there: The partitions that were there when a new group began; empty for a group that has
            committed before.
    """

    start: Start
    there: frozenset[Partition] = frozenset()

    def of(self, consumer: Consumer, fresh: Iterable[TopicPartition]) -> list[TopicPartition]:
        """
        Give partitions with the offset each begins at.

        Raises:
            KafkaException: The brokers do not tell.
        """
        return [self._beginning(consumer, place) for place in fresh]

    def _beginning(self, consumer: Consumer, place: TopicPartition) -> TopicPartition:
        topic, number = place.topic, place.partition
        if self.start == "earliest" or Partition(topic, number) not in self.there:
            return TopicPartition(topic, number, OFFSET_BEGINNING)
        if isinstance(self.start, datetime):
            at_ms = round(self.start.timestamp() * 1000)
            wanted = [TopicPartition(topic, number, at_ms)]
            (found,) = consumer.offsets_for_times(wanted, timeout=_TIMEOUT_S)
            if found.offset >= 0:
                return found
        _, end = consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S)
        return TopicPartition(topic, number, end)
