"""
Where a partition begins that the group has never committed.

`kafka.start` is for what is there when a group begins. It is committed before anything is read, so
it holds whatever ends the sinks right after. A topic or a partition without a committed offset came
later then, and is read from its first record: whenever it is discovered, records were written
before that.
"""

from collections.abc import Iterable
from datetime import datetime

from sink.config import KafkaSettings
from sink.core.record import Partition
from sink.edge.kafka.groups import GroupInUse, Groups
from sink.edge.kafka.reader import Reader


def begin_group(
    settings: KafkaSettings, groups: Groups, topics: Iterable[str], parked_topic: str
) -> dict[Partition, int]:
    """
    Commit where a new group begins in topics. Called before its consumers are there.

    A group is new that has committed nothing and has no members. Of several sinks that begin it at
    the same moment each commits, until the first of them has joined.

    Args:
        topics: That it begins with.
        parked_topic: Begun at its first record, so that the group has begun even if it has nothing
            else yet.
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
        parked = reader.spans(groups.partitions([parked_topic]))
    offsets = {span.partition: span.end if time is None else span.begin for span in spans}
    offsets |= {span.partition: span.begin for span in parked}
    # Looked at again: with thousands of partitions to ask for, others had the time to begin.
    if not offsets or groups.committed(settings.group_id):
        return {}
    try:
        groups.commit(settings.group_id, offsets)
    except GroupInUse:
        return {}
    return offsets
