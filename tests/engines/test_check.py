"""
`sink check` on the real engines: what they answer is read rightly, and nothing is written.
"""

from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from elasticsearch import Elasticsearch as Client

from engines import Elasticsearch, Kafka
from engines.ports import free_ports
from tests.engines.checking import TIMEOUT_S, Setup, create_topic


@pytest.fixture
def setup(kafka: Kafka, elasticsearch: Elasticsearch, tmp_path: Path) -> Setup:
    """A topic on engines without passwords."""
    setup = Setup(tmp_path, kafka.bootstrap_servers, elasticsearch.url)
    create_topic(AdminClient({"bootstrap.servers": kafka.bootstrap_servers}), setup.topic)
    return setup


def test_real_engines_pass_and_nothing_is_written(setup: Setup, kafka: Kafka) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})

    def state() -> tuple[object, ...]:
        with Client(setup.url) as client:
            return (
                sorted(admin.list_topics(timeout=TIMEOUT_S).topics),
                sorted(client.indices.get_index_template()["index_templates"], key=str),
                client.cluster.get_component_template().body,
                client.indices.get(index="*").body,
            )

    before = state()
    checked = setup.check()

    assert {row.level for row in checked.rows} == {"ok"}
    assert f"index {setup.index}_" in checked.one(f"topic {setup.topic}").text
    assert "security is off" in checked.one("privileges").text
    assert checked.exit_code == 0
    assert state() == before


def test_a_dead_letter_topic_that_the_brokers_would_refuse_fails(setup: Setup) -> None:
    setup.dead_letter["replication_factor"] = 5

    checked = setup.check()

    assert "replication factor of 5" in checked.one("dead letters").text
    assert checked.exit_code == 1


def test_when_kafka_is_down_elasticsearch_is_still_checked(setup: Setup) -> None:
    setup.kafka["bootstrap_servers"] = f"127.0.0.1:{free_ports(1)[0]}"

    checked = setup.check()

    assert [row.subject for row in checked.rows if not row.ok] == ["Kafka"]
    assert "Connection refused" in checked.one("Kafka").text
    assert checked.one("templates").ok
    assert checked.exit_code == 1


def test_when_elasticsearch_is_down_kafka_is_still_checked(setup: Setup) -> None:
    setup.elasticsearch["hosts"] = [f"http://127.0.0.1:{free_ports(1)[0]}"]

    checked = setup.check()

    assert [row.subject for row in checked.rows if not row.ok] == ["Elasticsearch"]
    assert checked.one(f"topic {setup.topic}").ok
    assert checked.exit_code == 1
