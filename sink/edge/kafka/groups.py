"""
Consumer groups as the brokers see them: who is in one, what it has committed, and setting that.
"""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin._group import MemberDescription

from sink.core.record import Partition
from sink.edge.kafka.admin import Brokers
from sink.edge.kafka.properties import committed_reader
from sink.errors import Unavailable

_TIMEOUT_S = 10.0
# A coordinator that was started just now, or has the first group of all, loads them first.
_UNREADY = frozenset(
    {
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
    }
)
_UNREADY_S = 0.2
_NO_GROUP = KafkaError.GROUP_ID_NOT_FOUND
_T = TypeVar("_T")


class Member(NamedTuple):
    """
    A consumer of a group.
    """

    client_id: str
    host: str
    partitions: frozenset[Partition]

    def __str__(self) -> str:
        return f"{self.client_id} on {self.host.removeprefix('/')}"


class GroupInUse(Unavailable):
    """
    The group has members: the brokers let nobody else set its offsets.
    """


class Groups(Brokers):
    """
    An admin client that knows groups as well. Any thread may call it.
    """

    def members(self, group: str) -> list[Member]:
        """
        List the members of a group; none when there is no such group.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """

        def ask() -> list[MemberDescription]:
            asked = self._admin.describe_consumer_groups([group], request_timeout=_TIMEOUT_S)
            members: list[MemberDescription] = self._result(asked[group]).members
            return members

        try:
            found = _until_coordinated(ask)
        except KafkaException as failure:
            if failure.args[0].code() == _NO_GROUP:
                return []
            raise self._explained(failure) from failure
        return [
            Member(
                member.client_id,
                member.host,
                frozenset(
                    Partition(p.topic, p.partition) for p in member.assignment.topic_partitions
                ),
            )
            for member in found
        ]

    def committed(self, group: str) -> dict[Partition, int]:
        """
        Read the offsets that a group has committed in topics that are there.

        By a consumer that never joins the group: librdkafka's ListConsumerGroupOffsets ends the
        process with a segmentation fault when the coordinator has just moved (librdkafka #5040;
        seen on a broker's first group).

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        asked = [TopicPartition(*each) for each in self.partitions(self.topics())]
        if not asked:
            return {}
        consumer = Consumer(committed_reader(self._settings, group))
        try:
            found = _until_coordinated(lambda: consumer.committed(asked, timeout=_TIMEOUT_S))
        except KafkaException as failure:
            raise self._explained(failure) from failure
        finally:
            consumer.close()
        bad = next((p for p in found if p.error is not None), None)
        if bad is not None:
            raise self._explained(KafkaException(bad.error))
        return {Partition(p.topic, p.partition): p.offset for p in found if p.offset >= 0}

    def commit(self, group: str, offsets: Mapping[Partition, int]) -> None:
        """
        Set offsets of a group that has no members.

        Raises:
            GroupInUse: It has some.
            Unauthorized, Unavailable: With the reason.
        """
        places = [TopicPartition(*partition, offset) for partition, offset in offsets.items()]
        asked = [ConsumerGroupTopicPartitions(group, places)]

        def ask() -> list[TopicPartition]:
            futures = self._admin.alter_consumer_group_offsets(asked, request_timeout=_TIMEOUT_S)
            answered: list[TopicPartition] = self._result(futures[group]).topic_partitions
            return answered

        try:
            answered = _until_coordinated(ask)
        except KafkaException as failure:
            raise self._refusal(group, failure) from failure
        for place in answered:
            if place.error is not None:
                raise self._refusal(group, KafkaException(place.error))

    def _refusal(self, group: str, failure: KafkaException) -> Unavailable:
        in_use = (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.NON_EMPTY_GROUP)
        if failure.args[0].code() in in_use:
            return GroupInUse(f"group {group} has members: stop them, then set its offsets")
        return self._explained(failure)


def _until_coordinated(ask: Callable[[], list[_T]]) -> list[_T]:
    until_s = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            return ask()
        except KafkaException as failure:
            if failure.args[0].code() not in _UNREADY or time.monotonic() > until_s:
                raise
            time.sleep(_UNREADY_S)
