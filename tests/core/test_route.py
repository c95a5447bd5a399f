"""
Which route a topic takes, and how routes are subscribed to.
"""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sink.collectors import COLLECTORS
from sink.config import Config
from sink.core.route import Route, prefix_pattern, route_of, subscription
from sink.errors import ConfigError
from sink.routes import routes_of

TOPICS = st.from_regex(r"[A-Za-z0-9._-]{1,249}", fullmatch=True)


def _routes(*tables: dict[str, object]) -> list[Route]:
    named = [{"name": f"r{n}", **table} for n, table in enumerate(tables)]
    return routes_of(Config.model_validate({"routes": named}))


@given(TOPICS, TOPICS)
def test_a_prefix_takes_what_begins_with_it_and_nothing_else(prefix: str, topic: str) -> None:
    assume(not "sink-dlq.log-sink".startswith(prefix))  # the configuration refuses such a route
    (route,) = _routes({"prefix": prefix})

    assert route.matches(prefix + topic)
    assert route.user_topic(prefix + topic) == topic
    assert route.matches(topic) is (topic.startswith(prefix) and topic != prefix)


def test_the_actions_of_a_route_begin_with_its_operation_and_its_pipeline() -> None:
    routes = _routes({"prefix": "a-", "pipeline": "geo"}, {"prefix": "b-", "op_type": "index"})

    assert [route.action_head for route in routes] == [
        b'{"create":{"pipeline":"geo",',
        b'{"index":{',
    ]


def test_a_dot_in_a_prefix_is_a_dot() -> None:
    (route,) = _routes({"prefix": "app."})

    assert route.matches("app.orders")
    assert not route.matches("apps-orders")


def test_a_pattern_matches_the_whole_topic() -> None:
    (route,) = _routes({"pattern": "app-.*-log"})

    assert route.matches("app-a-log")
    assert not route.matches("app-a-log2")
    assert not route.matches("my-app-a-log")
    assert route.user_topic("app-a-log") == "app-a-log"


def test_the_first_route_that_matches_takes_the_topic() -> None:
    routes = _routes({"topics": ["app-kong"]}, {"prefix": "app-"})

    assert route_of("app-kong", routes) is routes[0]
    assert route_of("app-orders", routes) is routes[1]
    assert route_of("orders", routes) is None


@given(TOPICS)
def test_what_is_subscribed_to_is_what_the_routes_take(topic: str) -> None:
    """
    Source: librdkafka, rd_kafka_subscribe(): a name that begins with ^ is a pattern.
    """
    routes = _routes(
        {"topics": ["kong", "api.six"]}, {"prefix": "ekk-"}, {"pattern": "a|b.*"}, {"prefix": "x."}
    )
    wanted = subscription(routes)

    def subscribed(name: str) -> bool:
        patterns = [re.compile(form) for form in wanted if form.startswith("^")]
        return name in wanted or any(pattern.search(name) for pattern in patterns)

    for name in (topic, "ekk-" + topic, "b" + topic, "x." + topic, "kong", "api.six", "apixsix"):
        assert subscribed(name) is (route_of(name, routes) is not None)


def test_patterns_are_anchored_and_the_prefix_escaped() -> None:
    """
    Under KIP-848 the broker matches them, with another engine: nothing but the dot may be special.
    """
    assert subscription(_routes({"prefix": "ekk."}, {"topics": ["kong"]})) == [
        "^(ekk\\..+)$",
        "kong",
    ]
    assert prefix_pattern("a-b_c") == "a-b_c.+"


@pytest.mark.parametrize("name", COLLECTORS)
def test_a_route_has_the_collector_it_names(name: str) -> None:
    (route,) = _routes({"topics": ["t"], "collector": name})

    assert route.collector.name == COLLECTORS[name].name


def test_a_route_may_name_the_field_of_its_documents_time() -> None:
    (route,) = _routes(
        {"topics": ["t"], "time_field": "at", "index": {"zone": "Asia/Shanghai"}},
    )
    assert route.collector.batch is not None

    made = route.collector.batch([b'{"at":"2026-11-21 09:15:42"}'], [5], "t")

    assert made == [b'{"@timestamp":"2026-11-21T01:15:42.000Z","at":"2026-11-21 09:15:42"}']


def test_a_time_field_for_a_collector_that_reads_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="reads no time from a field"):
        _routes({"topics": ["t"], "collector": "raw", "time_field": "at"})


def test_a_route_carries_its_settings() -> None:
    (route,) = _routes({"topics": ["t"], "id": "none", "op_type": "index"})

    assert not route.deterministic_ids
    assert route.op_type == "index"
