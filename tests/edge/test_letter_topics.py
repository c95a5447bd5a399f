"""
The topics of letters: created to keep, looked at again, and what is amiss told once.
"""

from collections.abc import Iterable

import pytest
from structlog.testing import capture_logs

from sink.config import Config
from sink.core.keeping import keeping
from sink.edge.kafka.admin import Brokers
from sink.errors import Unauthorized
from sink.writing.letter_topics import LetterTopics

DEAD, PARKED = "sink-dlq.log-sink", "sink-parked.log-sink"
_DENIED = Unauthorized("Kafka denies the request")


class _Brokers(Brokers):
    """Brokers with topics and their settings, in memory."""

    def __init__(self) -> None:
        self.settings: dict[str, dict[str, str]] = {}
        self.hidden: set[str] = set()

    def topics(self, timeout_s: float = 5.0) -> list[str]:
        return sorted(self.settings)

    def topic_settings(self, topics: Iterable[str]) -> dict[str, dict[str, str]]:
        asked = set(topics)
        if asked & self.hidden:
            raise _DENIED
        return {topic: self.settings[topic] for topic in asked}

    def create_topic(
        self,
        topic: str,
        partitions: int,
        replication_factor: int,
        config: dict[str, str],
        *,
        validate_only: bool = False,
    ) -> None:
        self.settings[topic] = config


@pytest.fixture
def brokers() -> _Brokers:
    return _Brokers()


def _topics(brokers: Brokers, retention_ms: int | None = None) -> LetterTopics:
    config = Config.model_validate(
        {
            "dead_letter": {"retention_ms": retention_ms},
            "routes": [{"name": "r", "prefix": "ekk-", "index": {"prefix": "sag-"}}],
        }
    )
    return LetterTopics(config, [], brokers)


def test_they_are_created_with_all_that_keeps_and_a_time_limit_for_dead_letters_alone(
    brokers: _Brokers,
) -> None:
    topics = _topics(brokers, retention_ms=1000)

    limits = topics.ensure()

    for topic, retention in ((DEAD, "1000"), (PARKED, "-1")):
        wanted = {**keeping(-1), "retention.ms": retention}
        assert {k: brokers.settings[topic][k] for k in wanted} == wanted
        assert limits[topic] > 1_048_588
    assert topics.at_risk == ()


def test_what_deletes_is_told_once_until_it_is_mended_and_again_when_it_comes_back(
    brokers: _Brokers,
) -> None:
    topics = _topics(brokers)
    topics.ensure()
    deletes = {"retention.ms": "1000", "retention.bytes": "5"}
    events = []
    for more in (deletes, deletes, {}, deletes):
        brokers.settings[PARKED] |= keeping(-1) | more
        with capture_logs() as said:
            topics.ensure()
        events.append([(line["setting"], line["value"]) for line in said])
        assert {(r.topic, r.setting) for r in topics.at_risk} == {(PARKED, each) for each in more}
    assert all("retention.ms=-1,retention.bytes=-1" in line["mend"] for line in said)

    told = list(deletes.items())
    assert events == [told, [], [], told]


def test_settings_that_may_not_be_read_are_said_and_hold_nothing_up(brokers: _Brokers) -> None:
    topics = _topics(brokers)
    topics.ensure()
    brokers.hidden = {PARKED}
    brokers.settings[DEAD]["retention.ms"] = "1"

    with capture_logs() as said:
        limits = topics.ensure()
        topics.ensure()

    assert set(limits) == {DEAD, PARKED}
    assert [(line["topic"], line["log_level"]) for line in said] == [
        (PARKED, "warning"),
        (DEAD, "error"),
    ]
