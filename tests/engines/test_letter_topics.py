"""
Topics of letters that are not as they should be: told, made anew, widened.
"""

import urllib.request
from pathlib import Path
from random import Random

from confluent_kafka import KafkaException
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from engines import Kafka
from tests.engines.brokering import admin_of
from tests.engines.commanding import command
from tests.engines.oracle import check, committed, documents, parked_places, read_topic
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import QUICK, Setup, SinkProcess
from tests.engines.sick import AT_MS, index_of, settle_index
from tests.waiting import wait_until

_KEEPS = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
_DELETES = "the brokers may delete letters that are committed"


def _create(setup: Setup, topic: str, **config: str) -> None:
    given = {key.replace("_", "."): value for key, value in config.items()}
    admin = admin_of(setup)
    for future in admin.create_topics([NewTopic(topic, 1, 1, config=given)]).values():
        future.result(20)


def _config(setup: Setup, topic: str) -> dict[str, str]:
    admin = admin_of(setup)
    (future,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return {name: entry.value for name, entry in future.result(20).items()}


def _obey(setup: Setup, words: list[str]) -> None:
    """Do what the command of kafka-configs.sh does."""
    settings = words[words.index("--add-config") + 1].split(",")
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in (each.split("=") for each in settings)
    ]
    topic = words[words.index("--entity-name") + 1]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    admin = admin_of(setup)
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(20)


def _values(setup: Setup, topic: str) -> list[bytes | None]:
    try:
        return [message.value() for message in read_topic(setup, [topic])]
    except KafkaException:  # it is being deleted, or made
        return []


def _metrics(sink: SinkProcess) -> str:
    with urllib.request.urlopen(f"{sink.url()}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def test_topics_that_delete_letters_are_told_with_what_mends_them_and_hold_nothing_up(
    setup: Setup,
) -> None:
    dead, parked = setup.dead_letter_topic, setup.parked_topic
    _create(setup, dead, retention_ms="604800000")
    _create(setup, parked, cleanup_policy="compact,delete", retention_bytes="1000000")
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 10))

    checked = {row["subject"]: row for row in command(setup, "check", "--json").json()}
    with SinkProcess(setup) as sink:
        sink.until_ready()
        wait_until(
            lambda: committed(setup, [setup.topic("a")])[setup.topic("a"), 0] == 10,
            20,
            "the records",
        )
        told = {(line["topic"], line["setting"]): line for line in sink.events(_DELETES)}
        metrics = _metrics(sink)
        assert sink.terminate() == 0

    assert checked["dead letters: retention"]["level"] == "warning"
    assert checked["parked: retention"]["level"] == "error"
    assert set(told) == {
        (dead, "retention.ms"),
        (parked, "cleanup.policy"),
        (parked, "retention.bytes"),
    }
    for topic, setting in told:
        assert f'sink_letters_at_risk{{setting="{setting}",topic="{topic}"}} 1.0' in metrics
    mend = told[parked, "cleanup.policy"]["mend"]
    assert mend.startswith(
        f"kafka-configs.sh --bootstrap-server {setup.kafka.bootstrap_servers} --alter "
    )
    assert mend.endswith(
        f"--entity-name {parked} --add-config cleanup.policy=delete,retention.bytes=-1"
    )
    assert _config(setup, dead)["retention.ms"] == "604800000", "it is its operator's"
    assert check(setup, ["a"]) == 10
    for line in told.values():
        _obey(setup, line["mend"].split())
    assert command(setup, "check", "--json").out.count("retention") == 0


def test_a_topic_of_letters_that_is_deleted_is_not_made_anew_with_the_brokers_retention(
    setup: Setup, tmp_path: Path
) -> None:
    """
    Brokers make topics by themselves, for whoever asks: the sink's producer does not ask so.
    """
    deleting = {"auto.create.topics.enable": True, "log.retention.ms": 600_000}
    with Kafka(tmp_path / "deleting", fast_start=True, settings=deleting) as setup.kafka:
        soon = "'topic.metadata.propagation.max.ms' = 1000 }"
        setup.settings["kafka"] = QUICK.replace(" }", f", {soon}")
        create_topics(setup, {"a": 1})
        produce(setup, "a", [b"[1]"])
        dead = setup.dead_letter_topic
        with SinkProcess(setup) as sink:
            wait_until(lambda: _values(setup, dead) == [b"[1]"], 40, "the first letter")
            admin = admin_of(setup)
            for future in admin.delete_topics([dead]).values():
                future.result(20)
            produce(setup, "a", [b"[2]"])
            wait_until(lambda: _values(setup, dead) == [b"[2]"], 60, "the second letter")
            assert sink.terminate() == 0
        told = _config(setup, dead)
        assert {name: told[name] for name in _KEEPS} == _KEEPS


def test_a_parked_document_wider_than_its_topic_widens_it_and_holds_up_no_other(
    setup: Setup,
) -> None:
    parked, limit = setup.parked_topic, 100_000
    _create(setup, parked, max_message_bytes=str(limit), retention_ms="-1")
    setup.settings["more"] = "[park]\nbytes_max = 0\n"
    create_topics(setup, {"sick": 1, "well": 1})
    produce(setup, "sick", numbered(0, 1), timestamp=AT_MS)
    # At random: the topic's limit is of the compressed batch.
    giant = (
        b'{"logtime":1795252441945,"n":1,"msg":"%b"}' % Random(1).randbytes(200_000).hex().encode()
    )
    sick, well, index = setup.topic("sick"), setup.topic("well"), index_of(setup, "sick")
    with SinkProcess(setup) as sink:
        wait_until(lambda: committed(setup, [sick]).get((sick, 0)) == 1, 40, "the first")
        settle_index(setup, index, **{"blocks.write": True})
        produce(setup, "sick", [giant, *numbered(2, 50)], timestamp=AT_MS)
        produce(setup, "well", numbered(100, 50), timestamp=AT_MS)
        wait_until(
            lambda: committed(setup, [sick, well]) == {(sick, 0): 52, (well, 0): 50},
            40,
            "the offsets",
        )
        assert len(parked_places(setup)) == 51
        (line,) = sink.events("topic takes larger messages")
        settle_index(setup, index, **{"blocks.write": None})
        wait_until(lambda: len(documents(setup)) == 102, 40, "what was parked")
        assert sink.terminate() == 0
    assert (line["topic"], line["max_message_bytes"]) == (
        parked,
        int(_config(setup, parked)["max.message.bytes"]),
    )
    assert check(setup, ["sick", "well"]) == 102
