"""
What tests do to a real Kafka besides producing and reading.
"""

from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from tests.engines.oracle import committed
from tests.engines.running import Setup
from tests.waiting import wait_until


def admin_of(setup: Setup) -> AdminClient:
    return AdminClient({"bootstrap.servers": setup.kafka.bootstrap_servers})


def create_topic(setup: Setup, user_topic: str, partitions: int = 1, **config: str) -> None:
    """
    Create a topic with a configuration: its keys have _ in place of the dots.
    """
    given = {key.replace("_", "."): value for key, value in config.items()}
    new = NewTopic(setup.topic(user_topic), partitions, 1, config=given)
    admin = admin_of(setup)  # a name of its own: without one it ends before it is answered
    for future in admin.create_topics([new]).values():
        future.result(20)


def delete_topic(setup: Setup, user_topic: str) -> None:
    admin, topic = admin_of(setup), setup.topic(user_topic)
    for future in admin.delete_topics([topic]).values():
        future.result(20)
    wait_until(lambda: topic not in admin.list_topics(timeout=20).topics, 20, "the topic to go")


def add_partitions(setup: Setup, user_topic: str, total: int) -> None:
    wanted = NewPartitions(setup.topic(user_topic), total)
    admin = admin_of(setup)
    for future in admin.create_partitions([wanted]).values():
        future.result(20)


def delete_records(setup: Setup, user_topic: str, before: int, partition: int = 0) -> None:
    """
    Delete what is before an offset, as retention does.
    """
    place = TopicPartition(setup.topic(user_topic), partition, before)
    admin = admin_of(setup)
    for future in admin.delete_records([place]).values():
        future.result(20)


class Transactions:
    """
    Produces in transactions.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._producer = Producer(
            {
                "bootstrap.servers": setup.kafka.bootstrap_servers,
                "transactional.id": setup.name,
            }
        )
        self._producer.init_transactions(20)

    def commit(self, user_topic: str, values: Iterable[bytes]) -> None:
        self._produce(user_topic, values)
        self._producer.commit_transaction(20)

    def abort(self, user_topic: str, values: Iterable[bytes]) -> None:
        self._produce(user_topic, values)
        assert self._producer.flush(20) == 0
        self._producer.abort_transaction(20)

    def _produce(self, user_topic: str, values: Iterable[bytes]) -> None:
        self._producer.begin_transaction()
        for value in values:
            self._producer.produce(self._setup.topic(user_topic), value, partition=0)


def committed_of(setup: Setup, user_topic: str) -> dict[int, int]:
    """
    Read the committed offsets of a topic: partition → offset.
    """
    try:
        found = committed(setup, [setup.topic(user_topic)])
    except KafkaException as failure:
        # A broker that has just started is still looking for the group's coordinator.
        if failure.args[0].code() != KafkaError.NOT_COORDINATOR:
            raise
        return {}
    return {partition: offset for (_, partition), offset in found.items()}


def until_committed(setup: Setup, user_topic: str, offsets: int, timeout_s: float = 40) -> None:
    """
    Wait until the group's offsets of a topic add up to so many.
    """
    wait_until(
        lambda: sum(committed_of(setup, user_topic).values()) == offsets,
        timeout_s,
        f"{offsets} offsets of {user_topic} to be committed",
    )
