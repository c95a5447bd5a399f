"""
The patterns of a user topic's indices match all of them, and not those of its neighbours.
"""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.core.destination import covers
from sink.core.naming import IndexNames

TOPICS = st.from_regex(r"[A-Za-z0-9._-]{1,249}", fullmatch=True)
FORMS = st.sampled_from(
    [
        None,
        "logstash-{topic}-%Y.%m.%d",
        "{topic}-%y%m",
        "%B-{topic}-%A-%H",
        "all-%G.%V",
        "%%-{topic}-%j",
        "%Y",
    ]
)
# 2000-01-10 … 2099-12-30, so that no zone and no week makes another century of it.
TIMES = st.one_of(st.just(-1), st.integers(947_500_000_000, 4_102_272_000_000))


@given(TOPICS, FORMS, TIMES, st.sampled_from(["UTC", "Pacific/Kiritimati", "America/Adak"]))
def test_every_index_of_a_topic_matches(
    topic: str, form: str | None, time_ms: int, zone: str
) -> None:
    names = IndexNames("sag-" if form is None else "", "week", form, ZoneInfo(zone))

    name = names.dated(topic, time_ms).name
    assert any(covers(pattern, name) for pattern in names.wildcards(topic)), name


@pytest.mark.parametrize("form", [None, "logs-{topic}_%Y-%m-%d"])
def test_the_indices_of_a_topic_whose_name_begins_alike_do_not(form: str | None) -> None:
    """order and order.service are neighbours everywhere; `order_*` would show both."""
    names = IndexNames("", "month", form, UTC)

    other = names.dated("order.service", 1_795_252_441_000).name
    assert not any(covers(pattern, other) for pattern in names.wildcards("order"))


def test_patterns_are_what_a_person_would_write() -> None:
    assert IndexNames("sag-", "month", None, UTC).wildcards("Order.x") == (
        "sag-order_x_20*-*-*",
        "sag-order_x_undated",
    )
    assert IndexNames("", "month", "ls-{topic}-%Y.%m.%d", UTC).wildcards("a") == (
        "ls-a-20*.*.*",
        "ls-a_undated",
    )


@pytest.mark.parametrize(
    ("form", "patterns"),
    [
        ("all-%G.%V", ("all-20*.*", "all_undated")),
        ("100%%-{topic}-%j", ("100%-a-*", "100_undated")),
        ("alias-{topic}", ("alias-a",)),
    ],
)
def test_years_percent_signs_and_names_without_a_date(form: str, patterns: tuple[str, ...]) -> None:
    assert IndexNames("", "month", form, UTC).wildcards("a") == patterns


@pytest.mark.parametrize(
    ("form", "topic", "pattern"),
    [
        ("{topic}-%Y.%m.%d", "a" * 161, "a" * 161 + "-20*.*.*"),
        ("{topic}-%Y.%m.%d", "a" * 162, "a" * 162 + "-20*"),
        ("{topic}-%Y.%m.%d", "a" * 200, "a" * 175 + "*"),
        ("é" * 100 + "-%Y", "t", "é" * 87 + "*"),
    ],
)
def test_of_a_name_that_may_be_cut_only_the_beginning_is_in_the_pattern(
    form: str, topic: str, pattern: str
) -> None:
    assert IndexNames("", "month", form, UTC).wildcards(topic)[0] == pattern
