"""
What the demo asks of Kafka: topics made and read, ids, and how far the sink's group is.
"""

import time
from collections.abc import Iterator, Mapping, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka import TopicCollection as Topics
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from demo.errors import DemoError

_TIMEOUT_S = 20.0


def create_topics(servers: str, topics: Mapping[str, int]) -> None:
    """
    Create topics: name → partitions.
    """
    new = [NewTopic(name, partitions, 1) for name, partitions in topics.items()]
    admin = AdminClient({"bootstrap.servers": servers})  # a name of its own: its end ends the work
    for created in admin.create_topics(new).values():
        created.result(_TIMEOUT_S)


def topic_ids(servers: str, topics: Sequence[str]) -> dict[str, str]:
    """
    Give each topic's id (KIP-516) in base64, 22 characters.
    """
    admin = AdminClient({"bootstrap.servers": servers})
    asked = admin.describe_topics(Topics(list(topics)))
    ids = {name: str(answer.result(_TIMEOUT_S).topic_id) for name, answer in asked.items()}
    # Kafka's own tools print them so, and so they stand in the documents' ids.
    return {name: told.replace("+", "-").replace("/", "_") for name, told in ids.items()}


def read(servers: str, topics: Sequence[str]) -> Iterator[Message]:
    """
    Read topics from their begin to their end, in no group. A topic that is not there is empty.

    Raises:
        DemoError: Kafka gives nothing more before the end.
    """
    consumer = _consumer(servers, "demo-judge")
    try:
        places = _partitions(consumer, topics)
        consumer.assign(places)
        left = {(place.topic, place.partition) for place in places}
        deadline = time.monotonic() + _TIMEOUT_S
        while left:
            messages = consumer.consume(5000, 0.2)
            if messages:
                deadline = time.monotonic() + _TIMEOUT_S
            elif time.monotonic() > deadline:
                raise DemoError(f"Kafka gives nothing more of {sorted(left)}, cannot judge")
            for message in messages:
                if _is_record(message):
                    yield message
                else:
                    left.discard((message.topic() or "", message.partition() or 0))
    finally:
        consumer.close()


def backlog(servers: str, group: str, topics: Sequence[str]) -> int:
    """
    Count the records that a group has not committed yet.
    """
    consumer = _consumer(servers, group)
    try:
        committed = consumer.committed(_partitions(consumer, topics), timeout=_TIMEOUT_S)
        ends = [consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S)[1] for place in committed]
        return sum(end - max(place.offset, 0) for place, end in zip(committed, ends, strict=True))
    finally:
        consumer.close()


def _consumer(servers: str, group: str) -> Consumer:
    # It subscribes to nothing, so it never joins the group it asks about.
    return Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": group,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )


def _partitions(consumer: Consumer, topics: Sequence[str]) -> list[TopicPartition]:
    known = consumer.list_topics(timeout=_TIMEOUT_S).topics
    there = [topic for topic in topics if topic in known]
    return [
        TopicPartition(topic, number, 0) for topic in there for number in known[topic].partitions
    ]


def _is_record(message: Message) -> bool:
    """
    Tell a record from the news that a partition is at its end.
    """
    error = message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
        raise KafkaException(error)
    return error is None
