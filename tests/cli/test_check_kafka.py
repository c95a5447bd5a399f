"""
What `sink check` finds at Kafka.
"""

import asyncio
from pathlib import Path

import pytest

from sink.checks import Finding, findings
from sink.config import load
from sink.errors import Unauthorized, Unavailable
from tests.cli.memory_sides import EKK, KONG, NO_ID, WIDE, MemoryBrokers, lines, sink

pytestmark = pytest.mark.usefixtures("brokers", "cluster")

NOVEMBER_MS = 1_795_252_441_945


def only(subject: str, file: Path, now_ms: int = NOVEMBER_MS) -> list[Finding]:
    found = asyncio.run(findings(load(file), now_ms))
    return [each for each in found if each.subject == subject]


def test_each_topic_is_told_with_the_index_it_gets_at_that_time(file: Path) -> None:
    [finding] = only("topic ekk-order.service", file)
    [later] = only("topic ekk-order.service", file, NOVEMBER_MS + 31 * 86_400_000)

    assert finding.text == "route ekk → index sag-order_service_2026-11-01"
    assert later.text == "route ekk → index sag-order_service_2026-12-01"


def test_a_topic_of_two_routes_goes_to_the_first_and_is_warned_of(file: Path) -> None:
    file.write_text(EKK + WIDE)

    result = sink("check")

    line = lines(result)["topic ekk-x"]
    assert line.startswith("! ")
    assert "route ekk → index sag-x_" in line
    assert "also matched by wide" in line
    assert result.exit_code == 0


def test_a_route_without_a_topic_is_a_warning_and_no_failure(file: Path) -> None:
    file.write_text(EKK + KONG + WIDE.replace("e.*", "w.*"))

    result = sink("check")

    said = lines(result)
    assert said["route kong"].startswith("! route kong") and "topic kong" in said["route kong"]
    assert said["route wide"].startswith("! ") and "no topic matches w.*" in said["route wide"]
    assert "route ekk" not in said
    assert result.exit_code == 0


def test_the_dead_letter_topic_is_tried_and_not_created(file: Path, brokers: MemoryBrokers) -> None:
    del brokers.limits["sink-dlq.log-sink"]

    assert lines(sink("check"))["dead letters"].startswith("✓ ")
    assert brokers.created == []

    brokers.creating = Unauthorized("Kafka denies the request: Topic authorization failed.")
    result = sink("check")

    assert lines(result)["dead letters"].startswith("✗ ")
    assert "create the topic yourself" in lines(result)["dead letters"]
    assert result.exit_code == 1


def test_a_topic_of_larger_records_than_the_dead_letters_take_is_a_warning(
    file: Path, brokers: MemoryBrokers
) -> None:
    brokers.limits["ekk-x"] = 2001

    result = sink("check")

    line = lines(result)["dead letters"]
    assert line.startswith("! ") and "ekk-x" in line and "2001" in line
    assert "ekk-order.service" not in line
    assert result.exit_code == 0


def test_a_parked_topic_that_the_brokers_delete_from_fails_with_the_command_that_mends_it(
    file: Path, brokers: MemoryBrokers
) -> None:
    brokers.limits["sink-parked.log-sink"] = 2000
    brokers.settings["sink-parked.log-sink"] = {
        "cleanup.policy": "compact",
        "retention.ms": "604800000",
    }

    result = sink("check")

    line = lines(result)["parked: retention"]
    assert line.startswith("✗ ")
    assert "cleanup.policy of sink-parked.log-sink is compact, not delete" in line
    assert (
        "→ kafka-configs.sh --bootstrap-server localhost:9092 --alter --entity-type topics "
        "--entity-name sink-parked.log-sink --add-config cleanup.policy=delete,retention.ms=-1"
    ) in line
    assert result.exit_code == 1


def test_a_time_limit_of_dead_letters_is_a_warning_unless_it_is_wanted(
    file: Path, brokers: MemoryBrokers
) -> None:
    brokers.settings["sink-dlq.log-sink"] = {"retention.ms": "604800000"}

    result = sink("check")
    file.write_text(EKK + "[dead_letter]\nretention_ms = 604800000\n")

    line = lines(result)["dead letters: retention"]
    assert line.startswith("! ") and "retention.ms of sink-dlq.log-sink is 604800000" in line
    assert "dead_letter.retention_ms" in line
    assert result.exit_code == 0
    assert "dead letters: retention" not in lines(sink("check"))


def test_settings_that_may_not_be_read_are_a_warning(file: Path, brokers: MemoryBrokers) -> None:
    brokers.hidden = {"sink-dlq.log-sink"}

    result = sink("check")

    line = lines(result)["dead letters"]
    assert line.startswith("! ") and "not known" in line and "DESCRIBE_CONFIGS" in line
    assert result.exit_code == 0


def test_without_topic_ids_an_id_namespace_is_needed(file: Path, brokers: MemoryBrokers) -> None:
    brokers.topic_id = NO_ID

    result = sink("check")
    file.write_text(EKK + '[kafka]\nid_namespace = "prod"\n')

    assert lines(result)["topic ids"].endswith("→ set kafka.id_namespace")
    assert result.exit_code == 1
    assert lines(sink("check"))["topic ids"].startswith("✓ ")


@pytest.mark.parametrize(
    ("denied", "said"),
    [
        ("ekk-x", "READ on topic ekk-x"),
        ("sink-dlq.log-sink", "WRITE on topic sink-dlq.log-sink"),
    ],
)
def test_what_kafka_does_not_allow_is_told(
    file: Path, brokers: MemoryBrokers, denied: str, said: str
) -> None:
    brokers.denied = {denied}

    result = sink("check")

    assert lines(result)["permissions"].startswith("✗ ")
    assert f"lacks {said} →" in lines(result)["permissions"]
    assert result.exit_code == 1


def test_when_kafka_is_down_one_line_says_so_and_elasticsearch_is_still_asked(
    file: Path, brokers: MemoryBrokers
) -> None:
    brokers.failure = Unavailable("Kafka does not answer: Connection refused")

    result = sink("check")

    marks = {subject: line[0] for subject, line in lines(result).items()}
    assert marks.pop("Kafka") == "✗"
    assert set(marks.values()) == {"✓"} and "templates" in marks and "topic ids" not in marks
    assert "→ start it, or correct kafka.bootstrap_servers" in result.stdout
    assert result.exit_code == 1


def test_refused_credentials_of_kafka_name_the_setting(file: Path, brokers: MemoryBrokers) -> None:
    brokers.failure = Unauthorized("Kafka refuses the credentials")

    assert "→ correct kafka.sasl_username" in lines(sink("check"))["Kafka"]
