"""
The engines at work: the tests and the demo stand on them.
"""

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import elasticsearch as client
import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from engines import Elasticsearch, Kafka, elasticsearch_cluster, kafka_cluster, start_together
from tests.waiting import wait_until

_TIMEOUT_S = 30


@pytest.fixture
def topic() -> str:
    return f"engines-{uuid4().hex}"


@pytest.fixture
def index() -> str:
    return f"engines-{uuid4().hex}"


def create_topic(bootstrap_servers: str, topic: str, replicas: int = 1) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    new = NewTopic(topic, num_partitions=1, replication_factor=replicas)
    admin.create_topics([new], operation_timeout=_TIMEOUT_S)[topic].result(_TIMEOUT_S)


def produce(bootstrap_servers: str, topic: str, value: bytes) -> None:
    failures: list[object] = []
    producer = Producer({"bootstrap.servers": bootstrap_servers, "acks": "all"})
    producer.produce(topic, value, on_delivery=lambda error, _: failures.append(error))
    assert producer.flush(_TIMEOUT_S) == 0
    assert failures == [None]


def first_value(bootstrap_servers: str, topic: str) -> bytes | None:
    settings = {
        "bootstrap.servers": bootstrap_servers,
        "group.id": f"engines-{uuid4().hex}",
        "auto.offset.reset": "earliest",
    }
    with closing(Consumer(settings)) as consumer:
        consumer.subscribe([topic])
        message = wait_until(lambda: consumer.poll(0.1), _TIMEOUT_S, f"a record of {topic}")
    assert message.error() is None
    value: bytes | None = message.value()
    return value


def test_kafka_gives_back_what_was_produced(kafka: Kafka, topic: str) -> None:
    create_topic(kafka.bootstrap_servers, topic)
    produce(kafka.bootstrap_servers, topic, b"a line")

    assert first_value(kafka.bootstrap_servers, topic) == b"a line"


def test_kafka_makes_no_topic_by_itself(kafka: Kafka, topic: str) -> None:
    """
    A misspelt topic in a test would otherwise be an empty one, and the test would wait in vain.

    Asking for a topic is what makes one elsewhere; then it could not be made again.
    """
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    admin.list_topics(topic, timeout=_TIMEOUT_S)

    create_topic(kafka.bootstrap_servers, topic)

    assert len(admin.list_topics(topic, timeout=_TIMEOUT_S).topics[topic].partitions) == 1


def test_kafka_keeps_its_records_when_it_is_killed(kafka: Kafka, topic: str) -> None:
    create_topic(kafka.bootstrap_servers, topic)
    produce(kafka.bootstrap_servers, topic, b"before the crash")
    address = kafka.bootstrap_servers

    kafka.kill()
    kafka.start()

    assert kafka.bootstrap_servers == address
    assert first_value(address, topic) == b"before the crash"


def test_elasticsearch_finds_what_was_indexed(elasticsearch: Elasticsearch, index: str) -> None:
    with client.Elasticsearch(elasticsearch.url) as es:
        es.index(index=index, id="1", document={"n": 1}, refresh=True)
        found = es.search(index=index, query={"term": {"n": 1}})

        assert es.info()["version"]["number"] == elasticsearch.version
        assert found["hits"]["total"]["value"] == 1


def test_elasticsearch_keeps_its_documents_when_it_is_killed(
    elasticsearch: Elasticsearch, index: str
) -> None:
    with client.Elasticsearch(elasticsearch.url) as es:
        es.index(index=index, id="1", document={"n": 1})

    elasticsearch.kill()
    elasticsearch.start()

    with client.Elasticsearch(elasticsearch.url) as es:
        assert es.get(index=index, id="1")["_source"] == {"n": 1}


def test_elasticsearch_has_data_streams(elasticsearch: Elasticsearch, index: str) -> None:
    """
    The API of data streams is a stand-in of ours, compiled against the server's own services.
    """
    with client.Elasticsearch(elasticsearch.url) as es:
        es.indices.put_index_template(name=index, index_patterns=[f"{index}*"], data_stream={})
        es.indices.create_data_stream(name=index)
        streams = es.indices.get_data_stream(name=index)["data_streams"]
        es.indices.delete_data_stream(name=index)

        assert [stream["name"] for stream in streams] == [index]
        with pytest.raises(client.NotFoundError):
            es.indices.get_data_stream(name=index)


def test_a_frozen_elasticsearch_answers_only_when_it_is_thawed(
    elasticsearch: Elasticsearch,
) -> None:
    with client.Elasticsearch(elasticsearch.url, max_retries=0) as es:
        elasticsearch.freeze()
        try:
            with pytest.raises(client.ConnectionTimeout):
                es.options(request_timeout=0.5).info()
        finally:
            elasticsearch.thaw()

        assert es.options(request_timeout=_TIMEOUT_S).info()["tagline"]


def test_a_frozen_kafka_answers_only_when_it_is_thawed(kafka: Kafka) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    kafka.freeze()
    try:
        with pytest.raises(KafkaException):
            admin.list_topics(timeout=0.5)
    finally:
        kafka.thaw()

    assert admin.list_topics(timeout=_TIMEOUT_S).brokers


def test_elasticsearch_with_security_refuses_whoever_has_no_password(tmp_path: Path) -> None:
    engine = Elasticsearch(
        tmp_path, heap="512m", fast_start=True, security=True, password="s3cret-pw"
    )
    with engine:
        with (
            client.Elasticsearch(engine.url) as stranger,
            pytest.raises(client.AuthenticationException),
        ):
            stranger.info()
        with client.Elasticsearch(engine.url, basic_auth=("elastic", "s3cret-pw")) as es:
            assert es.security.authenticate()["username"] == "elastic"
            assert es.security.create_api_key(name="a key")["api_key"]


def test_three_brokers_hold_a_topic_together(tmp_path: Path, topic: str) -> None:
    cluster = kafka_cluster(tmp_path, 3, heap="256m", fast_start=True)
    start_together(*cluster)
    try:
        everywhere = ",".join(broker.bootstrap_servers for broker in cluster)
        create_topic(everywhere, topic, replicas=3)
        produce(everywhere, topic, b"on three")
        cluster[0].kill()

        assert first_value(everywhere, topic) == b"on three"
    finally:
        for broker in cluster:
            broker.kill()


def test_three_nodes_hold_an_index_together(tmp_path: Path, index: str) -> None:
    cluster = elasticsearch_cluster(tmp_path, 3, fast_start=True)
    start_together(*cluster)
    try:
        with client.Elasticsearch([node.url for node in cluster]) as es:
            replicated = {"number_of_shards": 3, "number_of_replicas": 1}
            es.indices.create(index=index, settings=replicated, wait_for_active_shards="all")
            for number in range(20):
                es.index(index=index, id=str(number), document={"n": number})
            assert len(es.nodes.info()["nodes"]) == 3
        cluster[0].kill()

        with client.Elasticsearch([node.url for node in cluster[1:]]) as es:
            es.indices.refresh(index=index)
            assert es.count(index=index)["count"] == 20
            assert es.index(index=index, document={"n": 20})["result"] == "created"
    finally:
        for node in cluster:
            node.kill()


def test_an_engine_from_the_terminal_goes_on_until_it_is_stopped(tmp_path: Path) -> None:
    data = str(tmp_path / "kafka")

    def engines(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "engines", *arguments, "--data", data]
        return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)

    try:
        started = engines("start", "kafka", "--set", "num.partitions=1")
        address = started.stdout.strip()

        assert started.returncode == 0, started.stderr
        assert AdminClient({"bootstrap.servers": address}).list_topics(timeout=_TIMEOUT_S).brokers
        assert address in engines("status").stdout
        again = engines("start", "kafka")
        assert again.returncode == 1
        assert "runs already" in again.stderr
    finally:
        stopped = engines("stop")
    assert stopped.stdout == "stopped\n"
    assert engines("status").returncode == 1
