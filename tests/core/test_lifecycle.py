"""
Lifecycles: what a policy says, how long an index is written to, and which patterns share a name.
"""

import re
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.core.lifecycle import (
    ROLLOVER_DAYS,
    ROLLOVER_GB,
    Lifecycle,
    Rollover,
    index_settings,
    overlapping,
    policy_body,
    stream_lifecycle,
    writable_days,
)
from sink.core.template_body import is_own
from sink.testing.lifecycle_policies import normal, refusal

ROLLOVER = Rollover(30, 50)
DAYS = st.none() | st.integers(1, 36_500)
LIFECYCLES = st.builds(
    Lifecycle,
    DAYS,
    st.none() | st.integers(0, 36_500),
    st.sampled_from([2, 8, 32]),
    st.none() | st.builds(Rollover, st.integers(1, 1000), st.integers(1, 1000)),
)
# Each day of 42 years, every kind of year among them, as the directives of strftime write it.
ALMANAC = [
    {letter: at.strftime(f"%{letter}") for letter in "aAuwUVWmbBdjyYGH"}
    for at in (datetime(1999, 1, 1, tzinfo=UTC) + timedelta(number) for number in range(15_341))
]
PATTERNS = st.text("ab*", min_size=1, max_size=5)


@given(LIFECYCLES.filter(lambda each: each != Lifecycle(None, None, each.writable_days)))
def test_elasticsearch_takes_every_policy_and_gives_it_back_as_it_was_written(
    lifecycle: Lifecycle,
) -> None:
    body = policy_body(lifecycle)

    assert refusal(lifecycle.policy, body) is None
    assert normal(body) == body
    assert is_own(body)


@given(LIFECYCLES, LIFECYCLES)
def test_two_policies_of_one_name_say_the_same(one: Lifecycle, other: Lifecycle) -> None:
    """Otherwise a policy that indices are under would have to be changed."""
    if one.policy == other.policy:
        assert policy_body(one) == policy_body(other)


def test_a_month_is_kept_until_its_last_day_is_old_enough() -> None:
    days = writable_days("month", None, 1)
    assert days is not None
    lifecycle = Lifecycle(90, 7, days)

    body = policy_body(lifecycle)

    assert lifecycle.policy == "sink-warm-39d-delete-122d"
    assert body["phases"] == {
        "warm": {"min_age": "39d", "actions": {"set_priority": {"priority": 50}}},
        "delete": {
            "min_age": "122d",
            "actions": {"delete": {"delete_searchable_snapshot": True}},
        },
    }


def test_what_rolls_over_is_merged_and_is_as_old_as_its_rollover() -> None:
    lifecycle = Lifecycle(90, 7, rollover=ROLLOVER)

    phases = policy_body(lifecycle)["phases"]

    assert lifecycle.policy == "sink-rollover-30d-50gb-warm-7d-delete-90d"
    assert phases == {
        "hot": {
            "min_age": "0ms",
            "actions": {
                "rollover": {"max_age": "30d", "max_primary_shard_size": "50gb"},
                "set_priority": {"priority": 100},
            },
        },
        "warm": {
            "min_age": "7d",
            "actions": {"set_priority": {"priority": 50}, "forcemerge": {"max_num_segments": 1}},
        },
        "delete": {
            "min_age": "90d",
            "actions": {"delete": {"delete_searchable_snapshot": True}},
        },
    }


@given(st.builds(Lifecycle, st.none(), DAYS, st.just(2), st.none() | st.just(ROLLOVER)))
def test_without_a_number_of_days_nothing_is_deleted(lifecycle: Lifecycle) -> None:
    assert "delete" not in str(policy_body(lifecycle)["phases"])
    assert "data_retention" not in stream_lifecycle(lifecycle)


def test_a_data_stream_keeps_itself_for_the_days_of_its_route() -> None:
    assert stream_lifecycle(Lifecycle(90, None)) == {"enabled": True, "data_retention": "90d"}
    assert stream_lifecycle(Lifecycle(None, None)) == {"enabled": True}


@pytest.mark.parametrize(
    ("lifecycle", "name"),
    [
        (Lifecycle(90, None), "sink-delete-90d"),
        (Lifecycle(None, 7), "sink-warm-7d"),
        (
            Lifecycle(None, None, rollover=Rollover(ROLLOVER_DAYS, ROLLOVER_GB)),
            "sink-rollover-30d-50gb",
        ),
    ],
)
def test_the_name_of_a_policy_says_what_it_does_and_no_more(
    lifecycle: Lifecycle, name: str
) -> None:
    assert lifecycle.policy == name


def test_a_policy_says_whose_it_is_and_where_to_read_what_it_does() -> None:
    assert policy_body(Lifecycle(90, 7))["_meta"] == {
        "owner": "ekk-sink",
        "version": 1,
        "description": "Its name says what it does.",
    }


@pytest.mark.parametrize(
    ("form", "days"),
    [
        ("logs-%Y.%m.%d", 2),
        ("logs-%Y.%j", 2),
        ("logs-%Y.%m.%d-%H", 2),
        ("logs-%G.%V.%u", 2),
        ("logs-%G.%V", 8),
        ("logs-%Y.%m", 32),
        ("logs-%B-%y", 32),
        ("logs-%Y-%U", 8),
        ("logs-%y-%W-%a", 2),
        ("logs-%Y", 367),
        ("logs-%G", 372),  # of 53 weeks
        ("logs-%Y.%d", 367),  # the second of each month is the same index
        ("logs-%Y.%m.%d-w%V", 2),  # the date tells, whatever else is there
        ("logs-%G.%V-%m", 8),
        ("logs-%Y-%V", None),  # 2025-01-02 and 2025-12-30
        ("logs-%Y-%V-%u", None),
        ("logs-%y-%V", None),
        ("logs-%G-%m-%d", None),
        ("logs-%G-%B", None),
        ("logs-%G.%j", None),
        ("logs-%G-%U", None),
        ("logs-%G-%W-%a", None),
        ("logs-%G-%d", None),
        ("logs-%m.%d", None),  # comes again every year
        ("logs-%d", None),
        ("logs-%a", None),
        ("logs-%B.%d-%Y", 2),
        ("logs-%Y-%U-%A", 2),
        ("logs-%Y-%W-%a", 2),
        # A time of day is no date.
        ("logs-%Y-%X", 367),
        ("logs-%Y.%m-%X", 32),
        ("logs-%Y.%d-%X", 367),
        ("logs-%G.%V-%X", 8),
        ("logs-%Y-%a-%X", 367),
        ("logs-%m-%X", None),
    ],
)
def test_a_form_is_written_to_as_long_as_it_names_the_same_index(
    form: str, days: int | None
) -> None:
    assert writable_days("month", form, 1) == days


@given(st.sets(st.sampled_from("aAuwUVWmbBdjyYGH"), min_size=1).map(sorted))
def test_days_of_one_name_are_no_further_apart_than_an_index_is_written_to(
    letters: list[str],
) -> None:
    """Otherwise its last documents are deleted before they are old."""
    days = writable_days("month", "-".join(f"%{each}" for each in letters), 0)
    if days is None:
        return
    named: dict[tuple[str, ...], int] = {}
    for number, parts in enumerate(ALMANAC):
        first = named.setdefault(tuple(parts[each] for each in letters), number)
        assert number - first < days


def test_an_alias_is_named_to_what_rolls_it_over_and_to_nothing_else() -> None:
    rolled, dated = Lifecycle(90, None, rollover=ROLLOVER), Lifecycle(90, None, 32)

    assert index_settings(rolled, "app") == {"name": rolled.policy, "rollover_alias": "app"}
    assert index_settings(rolled, None) == {"name": rolled.policy}
    assert index_settings(dated, "app") == {"name": dated.policy}


@given(PATTERNS, PATTERNS)
def test_patterns_overlap_if_a_name_fits_both(one: str, other: str) -> None:
    filled = {re.sub(r"\*", mid, one) for mid in ("", "a", "b", "ab", "ba", "aa", "bb")}
    if any(fnmatchcase(name, other) for name in filled):
        assert overlapping(one, other)
    assert overlapping(one, other) == overlapping(other, one)
    assert overlapping(one, one)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("sag-*1", "sag-audit-*", True),
        ("sag-*1", "sag-order_undated", False),
        ("sag-*1", "sag-*2", False),
        ("app-*", "app", False),
        ("a*b", "ab", True),
        ("a*c*e", "abcd*", True),
        ("logs-*-prod", "logs-*-test", False),
    ],
)
def test_patterns_that_share_no_name_do_not_overlap(one: str, other: str, both: bool) -> None:
    assert overlapping(one, other) is both
