"""
Times as sources write them, and as documents hold them.
"""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sink.core.instant import json_of, read_ms

AT = 1_795_252_441_945
_2099 = 4_070_908_800_000


@pytest.mark.parametrize(
    ("value", "time_ms"),
    [
        (1_795_252_441.945_178_3, AT),
        (1_795_252_441, 1_795_252_441_000),
        (AT, AT),
        (1_795_252_441_945.178, AT),
        (1_795_252_441_945_178, AT),
        (1_795_252_441_945_178_300, AT),
        ("1795252441945", AT),
        ("1795252441.945", AT),
        ("2026-11-21T09:14:01.945Z", AT),
        ("2026-11-21T17:14:01.945+08:00", AT),
        ("2026-11-21T17:14:01.945+0800", AT),
        ("2026-11-21T09:14:01.945178300Z", AT),
        ("2026-11-21 09:14:01,945", AT),
        ("2026-11-21", 1_795_219_200_000),
        (0, 0),
        (10**11 - 1, (10**11 - 1) * 1000),  # seconds, of the year 5138
        (10**11, 10**11),
        (10**14 - 1, 10**14 - 1),
        (10**14, 10**11),
        (10**17 - 1000, 10**14 - 1),
        (10**17, 10**11),
        (_2099 // 1000, _2099),
        (_2099, _2099),
        (_2099 * 1_000_000, _2099),
        ("2099-01-01T00:00:00Z", _2099),
    ],
)
def test_a_time_is_read_whatever_its_unit_and_its_offset(value: object, time_ms: int) -> None:
    assert read_ms(value, UTC) == time_ms


@pytest.mark.parametrize(
    "value",
    [None, True, "", "yesterday", "2026-13-41", "nan", "inf", -1, -0.5, 1e300, 10**20, [], {},
     "1969-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",],
)  # fmt: skip
def test_what_is_no_time_is_none(value: object) -> None:
    assert read_ms(value, UTC) is None


def test_a_time_that_names_no_zone_is_of_the_one_given() -> None:
    assert read_ms("2026-11-21 17:14:01.945", ZoneInfo("Asia/Shanghai")) == AT


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists))
def test_whatever_a_field_holds_is_a_time_or_none(value: object) -> None:
    found = read_ms(value, UTC)

    assert found is None or 0 <= found < 253_402_300_800_000


@given(st.integers(0, 253_402_300_799_999))
@example(253_402_300_799_999)
@example(0)
def test_what_is_written_is_the_time_to_the_millisecond(time_ms: int) -> None:
    text = json.loads(json_of(time_ms))

    assert len(text) == len("2026-11-21T09:14:01.945Z")
    assert read_ms(text, UTC) == time_ms
    assert datetime.fromisoformat(text).utcoffset() is not None


def test_a_record_without_a_time_is_of_1970_and_one_of_no_calendar_keeps_its_number() -> None:
    assert json_of(-1) == b'"1970-01-01T00:00:00.000Z"'
    assert json_of(2**62) == str(2**62).encode()
