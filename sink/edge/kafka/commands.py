"""
Writes one record into every partition of a topic: what all members of a group are to learn.
"""

from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from sink.config import KafkaSettings
from sink.core.record import Headers, Partition
from sink.edge.kafka.properties import producer
from sink.errors import Unavailable

_TIMEOUT_S = 20.0
_BYTES_MAX = 1_000_000  # of a record that has headers only; patterns and a name are short


def write_everywhere(
    settings: KafkaSettings, partitions: Iterable[Partition], headers: Headers
) -> dict[Partition, int]:
    """
    Write a record without value into partitions, and wait until all in-sync replicas have each.

    Returns:
        The offset it got in each.
    Raises:
        Unavailable: At least one partition did not acknowledge it; the others may have it.
    """
    wanted = list(partitions)
    offsets: dict[Partition, int] = {}
    failures: list[str] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            failures.append(error.str())
        else:
            place = Partition(message.topic() or "", message.partition() or 0)
            offsets[place] = message.offset() or 0

    client = Producer(producer(settings, round(_TIMEOUT_S * 1000), _BYTES_MAX))
    for topic, number in wanted:
        try:
            client.produce(
                topic, None, partition=number, headers=list(headers), on_delivery=delivered
            )
        except KafkaException as failure:
            failures.append(failure.args[0].str())
    client.flush(_TIMEOUT_S + 1)
    missing = [f"{topic}/{number}" for topic, number in wanted if (topic, number) not in offsets]
    if missing:
        reason = failures[0] if failures else "no acknowledgement in time"
        raise Unavailable(
            f"not written to {', '.join(missing)} ({reason}); the other {len(offsets)} partitions "
            "have it. Give the command again: twice is harmless"
        )
    return offsets
