"""
What a topic of letters must be set to, so that the brokers delete nothing of it.
"""

import pytest

from sink.core.keeping import Departure, departures, keeping, mending

KEPT = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}


def test_nothing_is_said_of_a_topic_that_keeps_all() -> None:
    assert keeping(-1) == KEPT
    assert departures("dlq", KEPT | {"max.message.bytes": "1"}, keeping(-1)) == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("cleanup.policy", "compact"),
        ("cleanup.policy", "compact,delete"),
        ("retention.ms", "604800000"),
        ("retention.bytes", "1"),
    ],
)
def test_each_setting_that_deletes_is_named_with_its_value(setting: str, value: str) -> None:
    (found,) = departures("dlq", KEPT | {setting: value}, keeping(-1))

    assert found == Departure("dlq", setting, value, KEPT[setting])
    assert str(found) == f"{setting} of dlq is {value}, not {KEPT[setting]}"


@pytest.mark.parametrize(("told", "fits"), [("999", False), ("1000", True), ("-1", True)])
def test_a_topic_may_keep_longer_than_wanted_and_not_shorter(told: str, *, fits: bool) -> None:
    found = departures("dlq", KEPT | {"retention.ms": told}, keeping(1000))

    assert (not found) is fits


def test_one_command_mends_all_of_a_topic() -> None:
    found = departures("dlq", dict.fromkeys(KEPT, "7"), keeping(1000))

    assert mending("k:9092", "dlq", found) == (
        "kafka-configs.sh --bootstrap-server k:9092 --alter --entity-type topics --entity-name dlq "
        "--add-config cleanup.policy=delete,retention.ms=1000,retention.bytes=-1"
    )
