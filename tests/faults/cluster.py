"""
Three brokers of a scenario's own.
"""

from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from engines import Kafka, kafka_cluster
from tests.engines.running import Setup
from tests.faults.stage import Stage
from tests.waiting import wait_until

PARTITIONS = 4
OFFSETS = "__consumer_offsets"
_SMALL_BULKS = "docs_max = 200\nqueue_slots = 4\nin_flight = 2"
_MOVING = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError._TIMED_OUT,
}


class Cluster:
    """
    Three brokers of a scenario's own.
    """

    def __init__(self, stage: Stage) -> None:
        self.brokers = kafka_cluster(stage.folder / "cluster", heap="256m", fast_start=True)
        stage.started(*self.brokers)
        self._stage = stage
        self._all = ",".join(broker.bootstrap_servers for broker in self.brokers)
        # That brokers are away is what the scenarios are for.
        self._admin = AdminClient({"bootstrap.servers": self._all, "log_level": 0})

    def setup(self) -> Setup:
        """
        Make a setup that knows all of them.
        """
        return self._stage.setup(kafka=self.brokers[0], bootstrap=self._all, bulk=_SMALL_BULKS)

    def look_through(self, setup: Setup, broker: Kafka) -> None:
        """
        Let the judge and the others read through a broker that is up.
        """
        setup.kafka = broker

    def create_topic(self, setup: Setup, user_topic: str) -> None:
        """
        Create a topic that loses nothing as long as two of three brokers are up.
        """
        new = NewTopic(setup.topic(user_topic), PARTITIONS, 3, config={"min.insync.replicas": "2"})
        for future in self._admin.create_topics([new]).values():
            future.result(20)

    def create_unclean_topic(self, setup: Setup, user_topic: str, replicas: list[Kafka]) -> None:
        """
        Create a topic of one partition that is led by whoever is there, whatever it has.
        """
        given = {"min.insync.replicas": "1", "unclean.leader.election.enable": "true"}
        numbers = [broker.node_id for broker in replicas]
        new = NewTopic(setup.topic(user_topic), 1, replica_assignment=[numbers], config=given)
        for future in self._admin.create_topics([new]).values():
            future.result(20)

    def led_by(self, broker: Kafka, topic: str) -> Callable[[], bool]:
        """
        Give the question whether a broker leads a topic's first partition.
        """

        def led() -> bool:
            known = self._admin.list_topics(topic, timeout=20).topics[topic].partitions
            return known[0].leader == broker.node_id

        return led

    def coordinator(self, setup: Setup) -> Kafka:
        """
        Find the broker that has the group's offsets.
        """
        number = wait_until(lambda: self._coordinator_id(setup), 60, "the group's coordinator")
        return next(broker for broker in self.brokers if broker.node_id == number)

    def _coordinator_id(self, setup: Setup) -> int | None:
        admin = AdminClient({"bootstrap.servers": self._all, "log_level": 0})
        told = admin.describe_consumer_groups([setup.group], request_timeout=5)[setup.group]
        try:
            return int(told.result(20).coordinator.id)
        except KafkaException as failure:
            # It has just moved, and the former one is asked, or does not answer any more.
            if failure.args[0].code() not in _MOVING:
                raise
            return None

    def start(self, broker: Kafka, topics: set[str], replicas: int = 3) -> None:
        """
        Start a broker if it is dead, and wait until it has all that the others have.

        The next one that dies would otherwise take records with it that Kafka has acknowledged.
        """
        if broker.pid is None:
            broker.start()
        wait_until(
            lambda: self._in_sync(topics, replicas), 90, f"broker {broker.node_id} to be in sync"
        )

    def _in_sync(self, topics: set[str], replicas: int) -> bool:
        known = self._admin.list_topics(timeout=20).topics
        return all(
            len(partition.isrs) >= replicas
            for topic in topics & known.keys()
            for partition in known[topic].partitions.values()
        )
