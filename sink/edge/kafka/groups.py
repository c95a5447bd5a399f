"""
Consumer groups as the brokers see them: who is in one, what it has committed, and setting that.
"""

import time
from collections.abc import Mapping
from typing import NamedTuple

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition

from sink.core.record import Partition
from sink.edge.kafka.admin import Brokers
from sink.errors import Unavailable

_TIMEOUT_S = 10.0
# A coordinator that was started just now, or has the first group of all, loads them first.
_LOADING = KafkaError.COORDINATOR_LOAD_IN_PROGRESS
_LOADING_S = 0.3
_NO_GROUP = KafkaError.GROUP_ID_NOT_FOUND


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
        future = self._admin.describe_consumer_groups([group], request_timeout=_TIMEOUT_S)[group]
        try:
            found = self._result(future).members
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
        Read all offsets that a group has committed.

        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        asked = [ConsumerGroupTopicPartitions(group)]
        until_s = time.monotonic() + _TIMEOUT_S
        while True:
            futures = self._admin.list_consumer_group_offsets(asked, request_timeout=_TIMEOUT_S)
            try:
                found = self._result(futures[group]).topic_partitions
                break
            except KafkaException as failure:
                code = failure.args[0].code()
                if code == _NO_GROUP:
                    return {}
                if code != _LOADING or time.monotonic() > until_s:
                    raise self._explained(failure) from failure
                time.sleep(_LOADING_S)
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
        futures = self._admin.alter_consumer_group_offsets(asked, request_timeout=_TIMEOUT_S)
        try:
            answered = self._result(futures[group]).topic_partitions
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
