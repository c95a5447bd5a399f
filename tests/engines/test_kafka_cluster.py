"""
Three brokers: the leader of what is being read dies.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from engines import Elasticsearch, Kafka, kafka_cluster, start_together
from tests.engines.brokering import until_committed
from tests.engines.oracle import check
from tests.engines.producing import numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

_RECORDS = 30_000


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[list[Kafka]]:
    brokers = kafka_cluster(tmp_path / "cluster", heap="256m", fast_start=True)
    start_together(*brokers)
    yield brokers
    for broker in brokers:
        broker.kill()


def _leaders(admin: AdminClient, topic: str) -> dict[int, int]:
    found = admin.list_topics(topic, timeout=20).topics[topic].partitions
    return {number: partition.leader for number, partition in found.items()}


def test_a_leader_killed_while_it_is_read_from_loses_and_doubles_nothing(
    brokers: list[Kafka], elasticsearch: Elasticsearch, tmp_path: Path
) -> None:
    alive = brokers[1:]
    setup = Setup(alive[0], elasticsearch, tmp_path, "cluster")
    setup.settings["kafka"] = "commit_interval_ms = 200"
    setup.settings["bulk"] = "docs_max = 200\nqueue_slots = 1\nin_flight = 1"
    topic, admin = setup.topic("a"), AdminClient({"bootstrap.servers": alive[0].bootstrap_servers})
    # The first replica leads: two partitions are the broker's that dies.
    new = NewTopic(topic, 4, replica_assignment=[[1, 2, 3], [2, 3, 1], [1, 3, 2], [3, 1, 2]])
    for future in admin.create_topics([new]).values():
        future.result(20)
    wait_until(lambda: -1 not in _leaders(admin, topic).values(), 20, "the leaders")
    produce(setup, "a", numbered(0, _RECORDS))
    with SinkProcess(setup) as sink:
        wait_until(lambda: sink.ledger().get(topic), 40, "the first documents")
        brokers[0].kill()
        wait_until(lambda: 1 not in _leaders(admin, topic).values(), 40, "other leaders")
        produce(setup, "a", numbered(_RECORDS, 1_000))
        until_committed(setup, "a", _RECORDS + 1_000, 90)
        wait_until(lambda: sink.reasons() == {}, 20, "it to be ready")
        assert sink.terminate() == 0
    assert check(setup, ["a"]) == _RECORDS + 1_000
