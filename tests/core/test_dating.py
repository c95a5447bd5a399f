"""
Which time dates an index: the record's, or a field's that lies near it.
"""

from zoneinfo import ZoneInfo

import pytest

from sink.core.dating import NO_TIME, Guard, reader_of
from tests.core.making_actions import indices, target

DAY_MS = 86_400_000
AT = 1_795_252_441_945  # 2026-11-21T09:14:01.945Z


@pytest.mark.parametrize(
    ("held", "index"),
    [
        ('"2026-11-20T23:59:59Z"', "x-2026.11.20"),
        ('"2026-11-21T01:00:00+0800"', "x-2026.11.20"),
        ('"2026-11-21T01:00:00+08:00"', "x-2026.11.20"),
        ('"2026-11-20T12:00:00"', "x-2026.11.20"),
        ("1795132800", "x-2026.11.20"),
        ("1795132800.25", "x-2026.11.20"),
        ("1795132800000", "x-2026.11.20"),
        ("1795132800000000", "x-2026.11.20"),
        ("1795132800000000000", "x-2026.11.20"),
        ('"1795132800"', "x-2026.11.20"),
        # Missing or no time: the record's holds.
        ("null", "x-2026.11.21"),
        ('"yesterday"', "x-2026.11.21"),
        ("true", "x-2026.11.21"),
        ('{"a":1}', "x-2026.11.21"),
        ("-5", "x-2026.11.21"),
        # Not to be believed.
        ('"1970-01-01T00:00:00Z"', "x_undated"),
        ("0", "x_undated"),
        ('"2099-01-01T00:00:00Z"', "x_undated"),
        ('"2026-10-21T09:14:01Z"', "x_undated"),
        ('"2026-11-22T09:14:02Z"', "x_undated"),
        ('"2026-10-21T09:14:02Z"', "x-2026.10.21"),
        ('"2026-11-22T09:14:01Z"', "x-2026.11.22"),
    ],
)
def test_a_field_dates_the_index_where_it_lies_near_the_records_time(held: str, index: str) -> None:
    made = target(index={"name": "x-%Y.%m.%d", "time_field": "at"})

    assert indices(made, b'{"at":%b}' % held.encode()) == [index]
    assert indices(made, b"{}") == ["x-2026.11.21"]


@pytest.mark.parametrize(
    ("time_ms", "index"),
    [
        (-1, "x_undated"),
        (0, "x_undated"),
        (946_684_799_999, "x_undated"),
        (946_684_800_000, "x-2000"),
        (4_070_908_799_999, "x-2098"),
        (4_070_908_800_000, "x_undated"),
        (AT * 1000, "x_undated"),
    ],
)
def test_a_records_own_time_is_compared_with_fixed_dates(time_ms: int, index: str) -> None:
    assert indices(target(index={"name": "x-%Y"}), b"{}", time_ms=time_ms) == [index]


def test_the_fixed_dates_are_the_configurations() -> None:
    guard = {"not_before": "2026-11-21", "not_after": "2026-11-22"}
    made = target(index={"name": "x-%Y"}, time_guard=guard)

    begin = AT - AT % DAY_MS
    assert [
        indices(made, b"{}", time_ms=at)[0]
        for at in (begin - 1, begin, begin + DAY_MS - 1, begin + DAY_MS)
    ] == ["x_undated", "x-2026", "x-2026", "x_undated"]


def test_beside_a_record_without_a_time_the_fixed_dates_hold_for_the_field() -> None:
    made = target(index={"name": "x-%Y", "time_field": "at"})

    assert indices(made, b'{"at":"2011-01-01"}', b'{"at":"1999-01-01"}', b"{}", time_ms=-1) == [
        "x-2011",
        "x_undated",
        "x_undated",
    ]


def test_documents_without_a_believed_time_are_counted() -> None:
    made = target(index={"name": "x-%Y", "time_field": "at"})

    indices(made, b'{"at":0}', b"{}", b'{"at":4102444800}', b'{"at":1795252441}')

    assert made.displaced == {"undated": 2}


def test_a_name_without_a_date_takes_any_time() -> None:
    made = target(index={"name": "alias", "time_field": "at"})

    assert indices(made, b'{"at":0}', b"{}", time_ms=-1) == ["alias", "alias"]
    assert not made.displaced


def test_a_time_of_another_form_is_read_by_it() -> None:
    read = reader_of("%d/%b/%Y:%H:%M:%S %z", ZoneInfo("UTC"))
    local = reader_of("%Y%m%d", ZoneInfo("Asia/Shanghai"))

    assert read("21/Nov/2026:17:14:01 +0800") == 1_795_252_441_000
    assert local(20261121) == local("20261121") == 1_795_190_400_000
    assert reader_of("%Y", ZoneInfo("UTC"))("1970") == 0
    assert local("19600101") is None
    assert [read(each) for each in ("2026-11-21", 17, None, 1.5, "")] == [None] * 5


def test_a_time_that_names_no_zone_is_of_the_routes() -> None:
    read = reader_of(None, ZoneInfo("Asia/Shanghai"))

    assert read("2026-11-21T00:00:00") == 1_795_190_400_000


def test_the_bounds_of_a_fields_time_belong_to_it() -> None:
    guard = Guard(0, 10**15, 31 * DAY_MS, DAY_MS)

    times = (AT - 31 * DAY_MS - 1, AT - 31 * DAY_MS, AT + DAY_MS, AT + DAY_MS + 1)
    assert [guard.of_field(at, AT) for at in times] == [NO_TIME, times[1], times[2], NO_TIME]


def test_a_records_time_is_compared_with_the_dates_and_a_fields_with_it() -> None:
    guard = Guard(1000, 2000, past_ms=10, future_ms=10)

    assert guard.of_field(1500, 1000) == NO_TIME  # it is far from the record's
    assert guard.of_field(1500, 2000) == 1500  # that is no time: the dates hold
    assert [guard.of_record(at) for at in (999, 1000, 1999, 2000)] == [NO_TIME, 1000, 1999, NO_TIME]


def test_the_same_record_has_the_same_index_whenever_it_is_read() -> None:
    """No clock is asked: targets that are made one after the other name alike."""
    index = {"name": "x-%Y.%m.%d", "time_field": "at"}

    found = {tuple(indices(target(index=index), b'{"at":"2026-11-20"}')) for _ in range(3)}

    assert found == {("x-2026.11.20",)}
