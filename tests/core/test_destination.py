"""
The index patterns of a route: they match every index it writes, and never everything.
"""

from datetime import UTC, timedelta, timezone
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.core.destination import covers, destination
from sink.core.naming import IndexNames

PREFIXES = st.sampled_from(["sag-", "Sag.X-", "app_", "_", "-", "."]) | st.just("")
FORMS = st.sampled_from(
    [
        "logstash-log-%Y.%m.%d",
        "%d-%m-%Y-logs",
        "%m.%d.%Y",
        "{topic}-%Y",
        "app-{topic}.%j",
        "logs-%b-{topic}",
        "%I.%p-{topic}",
        "fixed",
    ]
)
ZONES = st.sampled_from([UTC, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")])
NAMINGS = st.builds(
    lambda prefix, period: IndexNames(prefix, period, None, UTC),
    PREFIXES,
    st.sampled_from(["month", "week", "day"]),
) | st.builds(lambda form, zone: IndexNames("", "day", form, zone), FORMS, ZONES)
TOPICS = st.from_regex(r"[A-Za-z0-9._-]{1,40}", fullmatch=True)
TIMES_MS = st.integers(-1, 4_102_444_800_000)  # up to the year 2100


@given(NAMINGS, TOPICS, TIMES_MS)
def test_every_index_of_a_route_matches_one_of_its_patterns(
    names: IndexNames, topic: str, time_ms: int
) -> None:
    index = names.dated(topic, time_ms).name

    for topics in ([], [topic]):
        patterns = destination("route", "log", names, topics).patterns
        assert not patterns or any(fnmatchcase(index, pattern) for pattern in patterns)


@given(NAMINGS, TOPICS, st.integers(0, 4_102_444_800_000))
def test_of_a_routes_indices_those_with_a_date_grow_old_and_no_other(
    names: IndexNames, topic: str, time_ms: int
) -> None:
    """One that is written to for ever would be deleted with new documents."""
    found = destination("route", "log", names, [topic])
    ageing = [pattern for patterns in found.ageing.values() for pattern in patterns]

    def fits(name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in ageing)

    assert not ageing or found.alias or fits(names.dated(topic, time_ms).name)
    assert not fits(names.dated(topic, -1).name)


@pytest.mark.parametrize(
    ("form", "stream", "ageing"),
    [
        (None, False, {"sag-*": ["sag-*0", "sag-*9"]}),
        ("logs-%Y.%m.%d-%H", False, {"logs-*": ["logs-*0", "logs-*9"]}),
        ("%Y-logs", False, {}),
        ("logs", False, {"logs": ["logs-0*"]}),
        ("logs-{s}", False, {}),
        ("logs-{s}", True, {"logs-*": ["logs-*"]}),
    ],
)
def test_what_grows_old_is_what_ends_with_a_date_or_rolls_over(
    form: str | None, stream: bool, ageing: dict[str, list[str]]
) -> None:
    prefix = "" if form else "sag-"
    names = IndexNames(prefix, "month", form, UTC, route="r", stream=stream)

    found = destination("r", "log", names, ["order"]).ageing

    assert {key: sorted({its[0], its[-1]}) for key, its in found.items()} == ageing


def test_no_part_of_a_date_is_taken_for_what_all_names_begin_with() -> None:
    fixed = [timezone(timedelta(hours=hours)) for hours in range(-12, 15)]
    for zone in [*fixed, ZoneInfo("America/Anchorage"), ZoneInfo("Australia/Lord_Howe")]:
        for directive in "YCGymBbhjdeUWVuwaAFDxHIkp":
            names = IndexNames("", "day", f"%{directive}", zone)
            assert destination("route", "log", names).patterns == (), (zone, directive)


@given(NAMINGS, TOPICS)
def test_no_pattern_matches_every_index_of_a_cluster(names: IndexNames, topic: str) -> None:
    for topics in ([], [topic]):
        found = destination("route", "log", names, topics)
        assert not any(covers(pattern, "\x00") for pattern in found.patterns)


@pytest.mark.parametrize(
    ("prefix", "name", "topics", "patterns"),
    [
        ("sag-", None, (), ("sag-*",)),
        ("Sag.", None, (), ("sag_*",)),
        ("", "logstash-log-%Y.%m.%d", (), ("logstash-log-*", "logstash-log_undated")),
        ("", "fixed", (), ("fixed",)),
        ("", None, (), ()),
        ("", "{topic}-%Y", (), ()),
        ("", None, ("orders", "web.a"), ("orders_*", "web_a_*")),
        ("sag-", None, ("orders",), ("sag-*",)),
    ],
)
def test_the_patterns_of_a_route(
    prefix: str, name: str | None, topics: tuple[str, ...], patterns: tuple[str, ...]
) -> None:
    names = IndexNames(prefix, "month", name, UTC)

    assert patterns == destination("route", "log", names, topics).patterns


@pytest.mark.parametrize(
    ("form", "topics", "patterns"),
    [
        ("logs-{service}-%Y.%m.%d", (), ("logs-*",)),
        ("{topic}-{service}-%Y", ("orders", "bills"), ("bills-*", "orders-*", "overflow-*")),
        ("%Y-{service}", ("orders",), ()),
        ("app-%Y-{service}", (), ("app-*", "app_undated")),
    ],
)
def test_the_patterns_of_names_out_of_fields_match_the_overflow_too(
    form: str, topics: tuple[str, ...], patterns: tuple[str, ...]
) -> None:
    names = IndexNames("", "day", form, UTC)

    found = destination("route", "log", names, topics, capped=True)

    assert found.patterns == patterns
    if patterns:
        written = [names.dated("orders", at, ["x"]).name for at in (0, -1)]
        for name in (*written, names.overflow(0), names.overflow(-1)):
            assert any(fnmatchcase(name, pattern) for pattern in patterns), name


def test_a_data_stream_has_the_pattern_of_its_form_and_no_undated_one() -> None:
    names = IndexNames("", "day", "logs-{topic}.{k8s.ns}-{route}", UTC, route="My-R", stream=True)

    found = destination("route", "log", names)

    assert (found.route, found.collector) == ("route", "log")
    assert (found.patterns, found.stream) == (("logs-*.*-my_r",), True)
    assert fnmatchcase(names.dated("web-a", -1, ["team"]).name, found.patterns[0])
    assert fnmatchcase(found.sample, found.patterns[0])


@pytest.mark.parametrize(
    ("topics", "sample"), [((), "sag-a_1970-01-01"), (("orders", "bills"), "sag-orders_1970-01-01")]
)
def test_a_destination_says_whose_it_is_and_shows_one_of_its_indices(
    topics: tuple[str, ...], sample: str
) -> None:
    names = IndexNames("sag-", "month", None, UTC)

    found = destination("ekk", "kong", names, topics)

    assert (found.route, found.collector, found.sample) == ("ekk", "kong", sample)


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ("sag-*", "sag-x_2026-11-01", True),
        ("sag-*", "sag-*", True),
        ("sag-*", "sag*", False),
        ("*", "sag-*", True),
        ("sag-x", "sag-*", False),
        ("logs-*-*", "logs-*", False),
        ("logs-*-*", "logs-a_2026-11-01", True),
        ("a.b-*", "axb-1", False),
        ("*-log", "sag-log", True),
    ],
)
def test_a_pattern_covers_what_it_matches_whole(wide: str, narrow: str, *, covered: bool) -> None:
    assert covered is covers(wide, narrow)
