"""
Where a partition begins that the group has never committed.

`kafka.start` is for what is there when a group begins. It is committed before anything is read, so
it holds whatever ends the sinks right after. A topic or a partition without a committed offset came
later then, and is read from its first record: whenever it is discovered, records were written
before that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from sink.config import KafkaSettings
from sink.core.record import Partition
from sink.edge.kafka.groups import GroupInUse, Groups
from sink.edge.kafka.reader import Reader


def begin_group(
    settings: KafkaSettings, groups: Groups, topics: Iterable[str]
) -> dict[Partition, int]:
    """
    Commit where a new group begins in topics. Called before its consumers are there.

    A group is new that has committed nothing and has no members. Of several sinks that begin it at
    the same moment each commits, until the first of them has joined.

    Returns:
        What was committed; nothing for a group that is not new.
    Raises:
        Unauthorized, Unavailable: With the reason. What was committed until then counts.
    """
    if settings.start == "earliest" or groups.committed(settings.group_id):
        return {}
    time = settings.start if isinstance(settings.start, datetime) else None
    with Reader(settings) as reader:
        spans = reader.spans(groups.partitions(topics), time)
    offsets = {span.partition: span.end if time is None else span.begin for span in spans}
    # Looked at again: with thousands of partitions to ask for, others had the time to begin.
    if not offsets or groups.committed(settings.group_id):
        return {}
    try:
        groups.commit(settings.group_id, offsets)
    except GroupInUse:
        return {}
    return offsets


@dataclass(frozen=True, slots=True)
class Beginnings:
    """
    Where partitions begin without a committed offset: at their first record.
    """

    start: str = "earliest"

    def of(self, _: Consumer, fresh: Iterable[TopicPartition]) -> list[TopicPartition]:
        """
        Give partitions with the offset each begins at.
        """
        return [TopicPartition(place.topic, place.partition, OFFSET_BEGINNING) for place in fresh]
