"""
The configuration: where values come from, and what follows from them.
"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from sink.config import Config, effective, load
from sink.config.reference import settings
from sink.errors import ConfigError
from tests.configuring import ROUTE, written

pytestmark = pytest.mark.usefixtures("empty_folder")


def config_of(**tables: Any) -> Config:
    return Config.model_validate({"routes": [{"name": "logs", "prefix": "log-"}], **tables})


def test_a_file_with_one_route_is_enough() -> None:
    config = load(written(ROUTE))

    assert config == config_of()
    assert config.kafka.bootstrap_servers == "localhost:9092"
    assert config.elasticsearch.hosts == ("http://localhost:9200",)


def test_sink_toml_of_the_working_directory_is_read_when_no_file_is_named() -> None:
    written(ROUTE + "[kafka]\nthreads = 7\n")

    assert load().kafka.threads == 7


def test_a_named_file_is_read_instead_of_sink_toml() -> None:
    written(ROUTE + "[kafka]\nthreads = 7\n")
    other = written(ROUTE + "[kafka]\nthreads = 8\n", "other.toml")

    assert load(other).kafka.threads == 8


def test_the_environment_wins_over_the_file_and_a_flag_over_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = written(ROUTE + "[bulk]\ndocs_max = 1\nlinger_ms = 1\nin_flight = 1\n")
    monkeypatch.setenv("SINK__BULK__LINGER_MS", "2")
    monkeypatch.setenv("SINK__BULK__IN_FLIGHT", "2")

    bulk = load(path, {"bulk.in_flight": 3, "bulk.docs_max": None}).bulk

    assert (bulk.docs_max, bulk.linger_ms, bulk.in_flight) == (1, 2, 3)


def test_everything_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    routes = [{"name": "kong", "topics": ["kong-log"], "index": {"name": "kong-%Y"}}]
    monkeypatch.setenv("SINK__ROUTES", json.dumps(routes))
    monkeypatch.setenv("SINK__ELASTICSEARCH__HOSTS", "http://a:9200, https://b")
    monkeypatch.setenv("SINK__ELASTICSEARCH__COMPRESS", "true")
    monkeypatch.setenv("SINK__KAFKA__CLIENT", '{"socket.keepalive.enable": true}')
    monkeypatch.setenv("SINK__KAFKA__START", "2026-10-01T02:00:00+02:00")

    config = load()

    assert config.routes[0].topics == ("kong-log",)
    assert config.routes[0].index.name == "kong-%Y"
    assert config.elasticsearch.hosts == ("http://a:9200", "https://b")
    assert config.elasticsearch.compress is True
    assert config.kafka.client == {"socket.keepalive.enable": True}
    assert config.kafka.start == datetime(2026, 10, 1, tzinfo=UTC)


def test_a_list_in_the_environment_may_be_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SINK__ELASTICSEARCH__HOSTS", '["http://a:1", "http://b:2"]')

    assert load(written(ROUTE)).elasticsearch.hosts == ("http://a:1", "http://b:2")


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SINK__KAFKA__GROUP_ID", "")

    assert load(written(ROUTE)).kafka.group_id == "log-sink"


def test_each_value_is_shown_with_the_source_it_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(ROUTE + "[kafka]\nthreads = 4\ngroup_id = 'a'\n")
    monkeypatch.setenv("SINK__KAFKA__GROUP_ID", "b")

    shown = {row.key: row[1:] for row in effective(path, {"log.level": "debug"})}

    assert shown["kafka.threads"] == (4, "file sink.toml")
    assert shown["kafka.group_id"] == ("b", "environment SINK__KAFKA__GROUP_ID")
    assert shown["log.level"] == ("debug", "flag")
    assert shown["bulk.docs_max"] == (5000, "default")
    assert shown["routes[0].prefix"] == ("log-", "file sink.toml")
    assert shown["routes[0].index.period"] == ("month", "default")


def test_every_declared_setting_is_shown() -> None:
    shown = {row.key.replace("[0]", "") for row in effective(written(ROUTE))}

    assert shown == {setting.key for setting in settings()}


def test_a_loaded_configuration_cannot_be_changed() -> None:
    config = load(written(ROUTE))

    with pytest.raises(ValidationError):
        config.bulk.docs_max = 1


def test_dead_letters_go_to_a_topic_named_after_the_group_unless_one_is_named() -> None:
    assert config_of(kafka={"group_id": "g"}).dead_letter_topic == "sink-dlq.g"
    assert config_of(dead_letter={"topic": "dead"}).dead_letter_topic == "dead"


def test_a_group_whose_name_makes_no_topic_needs_a_dead_letter_topic() -> None:
    with pytest.raises(ConfigError, match=r"dead_letter\.topic: set one"):
        load(written(ROUTE + "[kafka]\ngroup_id = 'a/b'\n"))

    with pytest.raises(ConfigError, match=r"park\.topic: set one"):
        load(written(ROUTE + "[kafka]\ngroup_id = 'a/b'\n[dead_letter]\ntopic = 'dead'\n"))

    topics = {"dead_letter": {"topic": "dead"}, "park": {"topic": "parked"}}
    config = config_of(kafka={"group_id": "a/b"}, **topics)
    assert (config.dead_letter_topic, config.parked_topic) == ("dead", "parked")


def test_the_two_topics_the_sink_writes_to_are_two() -> None:
    with pytest.raises(ConfigError, match=r"park\.topic: name another"):
        load(written(ROUTE + "[dead_letter]\ntopic = 'x'\n[park]\ntopic = 'x'\n"))


def test_no_route_reads_the_parked_topic() -> None:
    with pytest.raises(ConfigError, match=r"park\.topic: route"):
        load(written(ROUTE + "[park]\ntopic = 'log-parked'\n"))


@pytest.mark.parametrize(
    ("choice", "covered", "not_covered"),
    [
        ({"topics": ["a", "b"]}, "b", "ab"),
        ({"pattern": "a|b.*"}, "bc", "ac"),
        ({"prefix": "a."}, "a.b", "axb"),
    ],
)
def test_a_route_covers_whole_names_only(
    choice: dict[str, Any], covered: str, not_covered: str
) -> None:
    route = config_of(routes=[{"name": "r", **choice}]).routes[0]

    assert route.covers(covered)
    assert not route.covers(not_covered)


def test_every_setting_is_described_and_every_number_bounded() -> None:
    for setting in settings():
        assert setting.help.endswith("."), setting.key
        assert setting.default is not None or setting.example is not None, setting.key
        assert setting.bounds or setting.type != "integer", setting.key
