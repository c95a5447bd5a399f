"""
What librdkafka is told: what the promise rests on, and nothing it does not know.
"""

from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from structlog.testing import capture_logs

from sink.config import KafkaSettings
from sink.edge.kafka.properties import Renewal, common, consumer, producer

NOWHERE = "127.0.0.1:9"
SASL = {"security_protocol": "sasl_plaintext", "sasl_mechanism": "PLAIN", "sasl_username": "me"}


def _settings(**more: Any) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=NOWHERE, **more)


def test_nothing_is_committed_but_by_the_worker() -> None:
    properties = consumer(_settings(), 0)

    assert properties["enable.auto.commit"] is False
    assert properties["enable.auto.offset.store"] is False


def test_an_offset_that_retention_overtook_is_an_error_and_not_passed_over() -> None:
    assert consumer(_settings(), 0)["auto.offset.reset"] == "error"


def test_records_of_aborted_transactions_are_not_read() -> None:
    assert consumer(_settings(), 0)["isolation.level"] == "read_committed"


def test_a_dead_letter_is_acknowledged_by_all_replicas_and_written_once() -> None:
    properties = producer(_settings(), 30_000, 1_000_000)

    assert properties["acks"] == "all"
    assert properties["enable.idempotence"] is True
    assert properties["delivery.timeout.ms"] == 30_000
    assert properties["message.max.bytes"] == 1_000_000_000  # the topic judges
    assert properties["batch.size"] == 1_000_000  # and it judges batches too


def test_each_thread_is_a_static_member_of_its_own() -> None:
    """
    Two members of one id fence each other out of the group for ever (KIP-345).
    """
    settings = _settings(group_instance_id="sink-0")

    ids = {consumer(settings, thread)["group.instance.id"] for thread in range(3)}

    assert ids == {"sink-0-0", "sink-0-1", "sink-0-2"}
    assert "group.instance.id" not in consumer(_settings(), 0)


@pytest.mark.parametrize("protocol", ["auto", "classic"])
def test_the_classic_protocol_moves_only_what_must_move(protocol: str) -> None:
    properties = consumer(_settings(group_protocol=protocol), 0)

    assert properties["partition.assignment.strategy"] == "cooperative-sticky"
    assert "group.protocol" not in properties


def test_under_kip_848_the_broker_assigns() -> None:
    properties = consumer(_settings(group_protocol="consumer"), 0)

    assert properties["group.protocol"] == "consumer"
    assert "partition.assignment.strategy" not in properties


def test_the_prefetch_is_bounded_in_records_too_as_its_bytes_are_of_values_only() -> None:
    properties = consumer(_settings(queued_kbytes=2048), 0)

    assert properties["queued.max.messages.kbytes"] == 2048
    assert properties["queued.min.messages"] == 2048


@pytest.mark.parametrize(
    "settings",
    [
        _settings(),
        _settings(group_protocol="consumer", group_instance_id="sink-0"),
        _settings(fetch_bytes_max=1_000_000, queued_kbytes=1),
        _settings(queued_kbytes=2_097_151, fetch_bytes_max=2_147_483_135),
        _settings(**SASL, sasl_password="hush"),
        _settings(client={"socket.keepalive.enable": True, "client.rack": "a"}),
    ],
)
def test_librdkafka_takes_all_it_is_told(settings: KafkaSettings) -> None:
    Consumer(consumer(settings, 0)).close()
    Producer(producer(settings, 30_000, 1_048_588 + 65_536)).purge()


def test_what_is_passed_through_arrives() -> None:
    assert consumer(_settings(client={"client.rack": "a"}), 0)["client.rack"] == "a"


def test_without_credentials_none_are_told() -> None:
    assert not [name for name in common(_settings()) if name.startswith("sasl")]


class Client:
    def __init__(self) -> None:
        self.given: list[tuple[str, str]] = []

    def set_sasl_credentials(self, username: str, password: str, /) -> None:
        self.given.append((username, password))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text("old")
    return file


def test_a_password_replaced_in_its_file_is_given_to_the_client_once(secret: Path) -> None:
    renewal, client = Renewal(_settings(**SASL, sasl_password_file=secret)), Client()
    renewal.renew(client)
    assert client.given == []

    secret.write_text("new")
    renewal.renew(client)
    renewal.renew(client)

    assert client.given == [("me", "new")]


def test_while_the_file_is_unreadable_the_old_password_is_kept(secret: Path) -> None:
    renewal, client = Renewal(_settings(**SASL, sasl_password_file=secret)), Client()
    secret.unlink()

    with capture_logs() as logs:
        renewal.renew(client)

    assert client.given == []
    assert [line["log_level"] for line in logs] == ["warning"]
    assert "old" not in str(logs[0].get("reason"))
