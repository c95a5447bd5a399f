"""
Index names: legal, from the record's own time, and the same for every time of one period.
"""

import re
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sink.core.legal_names import NAME_BYTES_MAX
from sink.core.naming import IndexNames

FORMS = [
    "logs-%Y.%m.%d",
    "%Y-%m-%d-{topic}",
    "{topic}-%G.%V",
    "{topic}-%Y.%m.%d.%H",
    "a%%b-%j",
    ".%Y",
]
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Shanghai",
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # its clock jumps by half an hour
    "Pacific/Chatham",  # its clock jumps at a quarter to three
    "America/Sao_Paulo",  # had days without a midnight
    "America/Havana",  # has days with two
    "Asia/Beirut",  # its clock jumps back at midnight
    "Pacific/Apia",  # left a whole day out
    "Africa/Casablanca",
]
DAY_S = 86_400
MINUTE_MS = 60_000


def _jumps_ms(zone: str) -> list[int]:
    """The instants of this century at which a zone's clock jumps."""

    def offset(at_s: int) -> object:
        return datetime.fromtimestamp(at_s, ZoneInfo(zone)).utcoffset()

    days = range(946_684_800, 2_208_988_800, DAY_S)
    jumps = [day for day in days if offset(day) != offset(day + DAY_S)]
    return [
        1000 * bisect_left(range(day + DAY_S), True, lo=day, key=lambda at: offset(at) != before)
        for day in jumps
        for before in [offset(day)]
    ]


TOPICS = st.from_regex(r"[A-Za-z0-9._-]{1,249}", fullmatch=True)
PREFIXES = st.text(max_size=200)
TIMES_MS = st.integers(0, 4_102_444_800_000)  # to the year 2100
ANY_TIME_MS = st.integers(-(2**63), 2**63 - 1)
JUMPS = [(zone, jumps) for zone in ZONES if (jumps := _jumps_ms(zone))]
NAMINGS = st.builds(
    lambda prefix, period, zone: IndexNames(prefix, period, None, ZoneInfo(zone)),
    PREFIXES,
    st.sampled_from(["day", "week", "month"]),
    st.sampled_from(ZONES),
) | st.builds(
    lambda form, zone: IndexNames("", "day", form, ZoneInfo(zone)),
    st.sampled_from(FORMS),
    st.sampled_from(ZONES),
)


def _ms(zone: str, *when: int) -> int:
    return round(datetime(*when, tzinfo=ZoneInfo(zone)).timestamp() * 1000)  # type: ignore[arg-type, misc]


def _name(period: str, zone: str, *when: int) -> str:
    names = IndexNames("sag-", period, None, ZoneInfo(zone))
    return names.dated("orders", _ms(zone, *when)).name


@given(NAMINGS, TOPICS, ANY_TIME_MS)
def test_no_name_is_ever_refused_by_elasticsearch(
    names: IndexNames, topic: str, time_ms: int
) -> None:
    """
    Source: Elasticsearch, "Create index API", path parameters.
    """
    name = names.dated(topic, time_ms).name

    assert name == name.lower()
    assert not re.search(r'[\\/*?"<>|\s,#:\x00-\x1f]', name)
    assert name[0] not in "-_+."
    assert name not in (".", "..")
    assert 1 <= len(name.encode()) <= NAME_BYTES_MAX


@given(NAMINGS, TOPICS, TIMES_MS, st.floats(0, 1, exclude_max=True))
def test_every_time_of_a_span_has_its_name(
    names: IndexNames, topic: str, time_ms: int, part: float
) -> None:
    """
    The worker keeps a name for its whole span: were another time in it named otherwise, a record
    read again would come into a second index.
    """
    dated = names.dated(topic, time_ms)
    other_ms = dated.from_ms + int((dated.until_ms - dated.from_ms) * part)

    assert dated.from_ms <= time_ms < dated.until_ms
    assert dated.name == names.dated(topic, other_ms).name
    assert dated.name == names.dated(topic, dated.until_ms - 1).name


@given(
    st.sampled_from(JUMPS).flatmap(lambda its: st.tuples(st.just(its[0]), st.sampled_from(its[1]))),
    st.integers(-120, 60),
    st.integers(1, 90),
    st.sampled_from(["{topic}-%Y.%m.%d.%H", "day", "week"]),
)
@example(("Australia/Lord_Howe", 1_791_041_400_000), 10, 30, "{topic}-%H")
@example(("Pacific/Chatham", 1_790_431_200_000), -10, 30, "{topic}-%H")
@example(("America/Havana", 1_793_509_200_000), -30, 45, "day")
def test_where_the_clock_jumps_a_record_read_again_finds_its_index(
    jump: tuple[str, int], begin: int, further: int, form: str
) -> None:
    zone, at_ms = jump
    names = IndexNames("", form, form if "%" in form else None, ZoneInfo(zone))
    time_ms = at_ms + begin * MINUTE_MS
    later_ms = time_ms + further * MINUTE_MS
    dated = names.dated("t", time_ms)

    assert dated.from_ms <= time_ms < dated.until_ms
    if later_ms < dated.until_ms:
        assert dated.name == names.dated("t", later_ms).name


@given(st.sampled_from(ZONES), TIMES_MS)
def test_a_name_tells_the_first_day_of_its_period_in_its_zone(zone: str, time_ms: int) -> None:
    local = datetime.fromtimestamp(time_ms / 1000, ZoneInfo(zone)).date()

    def named(period: str) -> str:
        return IndexNames("x-", period, None, ZoneInfo(zone)).dated("t", time_ms).name

    sunday = local - timedelta(days=local.isoweekday() % 7)
    assert named("day") == f"x-t_{local}"
    assert named("week") == f"x-t_{sunday}"
    assert named("month") == f"x-t_{local.replace(day=1)}"


@pytest.mark.parametrize(
    ("period", "when", "name"),
    [
        ("month", (2026, 11, 30, 23, 59, 59), "sag-orders_2026-11-01"),
        ("month", (2026, 12, 1), "sag-orders_2026-12-01"),
        ("week", (2026, 11, 21), "sag-orders_2026-11-15"),  # a Saturday
        ("week", (2026, 11, 22), "sag-orders_2026-11-22"),  # a Sunday begins its week
        ("week", (2027, 1, 1), "sag-orders_2026-12-27"),  # and a week may begin last year
        ("day", (2028, 2, 29, 12), "sag-orders_2028-02-29"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
def test_names_of_a_month_a_week_and_a_day(
    period: str, zone: str, when: tuple[int, ...], name: str
) -> None:
    assert name == _name(period, zone, *when)


def test_the_same_instant_is_another_day_elsewhere() -> None:
    late = _ms("UTC", 2026, 11, 30, 23, 30)

    shanghai = IndexNames("", "day", None, ZoneInfo("Asia/Shanghai")).dated("t", late)
    new_york = IndexNames("", "month", None, ZoneInfo("America/New_York")).dated("t", late)

    assert shanghai.name == "t_2026-12-01"
    assert new_york.name == "t_2026-11-01"


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 6, 1), 24)]
)
def test_a_day_is_as_long_as_its_clock_makes_it(day: tuple[int, int, int], hours: int) -> None:
    names = IndexNames("", "day", None, ZoneInfo("Europe/Berlin"))

    dated = names.dated("t", _ms("Europe/Berlin", *day, 12))

    assert dated.until_ms - dated.from_ms == hours * 3_600_000
    assert dated.from_ms == _ms("Europe/Berlin", *day)


def test_the_hour_that_comes_twice_has_one_name() -> None:
    names = IndexNames("", "day", "t-%Y.%m.%d.%H", ZoneInfo("Europe/Berlin"))
    first = _ms("UTC", 2026, 10, 25, 0, 30)  # 02:30 in summer time

    assert names.dated("t", first).name == "t-2026.10.25.02"
    assert names.dated("t", first + 3_600_000).name == "t-2026.10.25.02"
    assert names.dated("t", first + 7_200_000).name == "t-2026.10.25.03"


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("logstash-log-%Y.%m.%d", "logstash-log-2026.11.21"),
        ("{topic}-%Y", "my_app_topic-2026"),
        ("%Y-W%V-{topic}", "2026-w47-my_app_topic"),
        ("fixed", "fixed"),
        ("Logs-%b", "logs-nov"),
        ("100%%-%H", "100%-09"),
        (".hidden-%Y", "hidden-2026"),  # Elasticsearch keeps names with a dot for itself
    ],
)
def test_a_form_of_the_operators_own(form: str, name: str) -> None:
    names = IndexNames("", "day", form, UTC)

    assert name == names.dated("My.App_topic", _ms("UTC", 2026, 11, 21, 9, 15)).name


@pytest.mark.parametrize("form", ["a-%M", "a-%S", "a-%s", "a-%f", "a-%c", "a-%Q"])
def test_an_index_a_minute_or_an_unknown_directive_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match=re.escape(form)):
        IndexNames("", "day", form, UTC)


@pytest.mark.parametrize(
    ("prefix", "topic", "name"),
    [
        ("sag-", "Order.Service", "sag-order_service_2026-11-01"),
        ("", "_hidden", "hidden_2026-11-01"),
        ("", "...", "x_2026-11-01"),
        ("Sag Logs/", "a", "sag_logs_a_2026-11-01"),
        ('"\\*?<>|,#:\n', "a", "a_2026-11-01"),
    ],
)
def test_what_elasticsearch_forbids_is_replaced(prefix: str, topic: str, name: str) -> None:
    names = IndexNames(prefix, "month", None, UTC)

    assert name == names.dated(topic, _ms("UTC", 2026, 11, 21)).name


@pytest.mark.parametrize(
    "time_ms",
    [
        -1,
        1_795_252_441_945_000,  # microseconds, taken for milliseconds
        2**63 - 1,
        -(2**63),
    ],
)
@pytest.mark.parametrize(
    ("names", "undated"),
    [
        (IndexNames("sag-", "month", None, UTC), "sag-orders_undated"),
        (IndexNames("", "day", "logs-%Y.%m.%d", UTC), "logs_undated"),
        (IndexNames("", "day", "{topic}-%Y", UTC), "orders_undated"),
        (IndexNames("", "day", "%Y-logs", UTC), "x_undated"),
        (IndexNames("", "day", "web.logs-%Y", UTC), "web.logs_undated"),
    ],
)
def test_a_time_that_no_calendar_holds_gives_an_undated_index(
    names: IndexNames, undated: str, time_ms: int
) -> None:
    """
    Named by such a time, one producer's wrong unit would make an index a record.
    """
    dated = names.dated("orders", time_ms)

    assert undated == dated.name
    assert dated.from_ms <= time_ms < dated.until_ms
