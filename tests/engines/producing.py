"""
Topics and records for the engine tests: numbered, so that the judge knows each of them.
"""

from collections.abc import Iterable
from typing import Any

from confluent_kafka import Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.engines.running import Setup
from tests.waiting import wait_until


def create_topics(setup: Setup, topics: dict[str, int]) -> None:
    """
    Create topics: user topic → partitions.
    """
    admin = AdminClient({"bootstrap.servers": setup.kafka.bootstrap_servers})
    new = [NewTopic(setup.topic(name), count, 1) for name, count in topics.items()]
    for future in admin.create_topics(new).values():
        future.result(20)


def recreate_topic(setup: Setup, user_topic: str, partitions: int) -> None:
    """
    Delete a topic and create it again: the same name, another id, offsets from 0.
    """
    admin = AdminClient({"bootstrap.servers": setup.kafka.bootstrap_servers})
    topic = setup.topic(user_topic)
    for future in admin.delete_topics([topic]).values():
        future.result(20)
    wait_until(lambda: topic not in admin.list_topics(timeout=20).topics, 20, "the topic to go")
    create_topics(setup, {user_topic: partitions})


def produce(setup: Setup, user_topic: str, values: Iterable[bytes | None], **more: Any) -> None:
    """
    Produce values and wait until the broker has them all.
    """
    producer = Producer(
        {
            "bootstrap.servers": setup.kafka.bootstrap_servers,
            "linger.ms": 20,
            "log_level": 3,  # it says that it ends
            "message.max.bytes": 10_000_000,  # the topic has the last word
        }
    )
    failures: list[str] = []

    def done(error: object, _: Message) -> None:
        if error is not None:
            failures.append(str(error))

    for value in values:
        while True:
            try:
                producer.produce(setup.topic(user_topic), value, on_delivery=done, **more)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(60) == 0
    assert not failures


def numbered(first: int, count: int) -> list[bytes]:
    """
    Make log records that carry a number of their own, by which the judge knows them.
    """
    return [
        b'{"logtime":1795252441945,"level":"INFO","msg":"record %d","n":%d}' % (n, n)
        for n in range(first, first + count)
    ]
