"""
Which index follows, when it is made, and how many names may be new.
"""

import pytest

from sink.core.series import Newcomers, Series
from tests.core.making_actions import AT, Watched, target

HOUR_MS = 3_600_000
DAY_END = 1_795_305_600_000  # 2026-11-22T00:00Z


def _series(made: Watched, time_ms: int = AT, values: tuple[str, ...] = ()) -> Series:
    series = made._bound(time_ms, values).series
    assert series is not None
    return series


@pytest.mark.parametrize(
    ("index", "following", "until_ms"),
    [
        ({"prefix": "sag-"}, "sag-order_2026-12-01", 1_796_083_200_000),
        ({"prefix": "s-", "period": "week"}, "s-order_2026-11-22", DAY_END),
        ({"name": "x-%Y.%m.%d"}, "x-2026.11.22", DAY_END),
        ({"name": "x-%Y.%m.%d.%H"}, "x-2026.11.21.10", AT - AT % HOUR_MS + HOUR_MS),
        ({"name": "x-%Y.%m.%d", "zone": "Asia/Shanghai"}, "x-2026.11.22", DAY_END - 8 * HOUR_MS),
    ],
)
def test_the_next_index_is_that_of_the_time_at_which_this_one_ends(
    index: dict[str, object], following: str, until_ms: int
) -> None:
    series = _series(target(index=index))

    assert (series.next_index, series.until_ms) == (following, until_ms)
    assert series.from_ms <= AT < series.until_ms


def test_what_has_no_date_or_is_not_made_ahead_has_no_next() -> None:
    for index in ({"name": "alias"}, {"name": "x-%Y", "create_ahead": False}):
        assert target(index=index)._bound(AT, ()).series is None
    assert target(index={"name": "x-%Y"})._bound(-1, ()).series is None
    stream = target(index={"data_stream": "logs-{service}-prod"})
    assert _series(stream, values=("a",)).next_index is None


def test_a_capped_name_that_is_not_made_ahead_has_no_next_and_lasts_its_period() -> None:
    index = {"name": "{s}-%Y.%m.%d", "create_ahead": False}

    series = _series(target(index=index), values=("a",))

    assert (series.next_index, series.until_ms) == (None, DAY_END)


def test_the_first_moment_of_1970_has_a_next_index_too() -> None:
    made = target(index={"name": "x-%Y.%m.%d"})

    assert _series(made, 0).next_index == "x-1970.01.02"


def test_indices_are_due_within_the_last_hour_and_not_all_at_once() -> None:
    made = target(index={"name": "{service}-%Y.%m.%d"})

    due = [_series(made, values=(f"s{n}",)).due_ms() for n in range(200)]

    assert all(DAY_END - HOUR_MS <= at < DAY_END - 60_000 for at in due)
    quarters = {(DAY_END - at) // (HOUR_MS // 4) for at in due}
    assert len(quarters) == 4
    assert len(set(due)) > 190


def test_an_hours_index_is_due_within_the_hour_before() -> None:
    series = _series(target(index={"name": "x-%H"}))

    assert series.until_ms - HOUR_MS <= series.due_ms() < series.until_ms


def test_a_shorter_periods_index_is_due_within_that_period() -> None:
    """A zone's clock may jump within an hour: what one name holds for may be a quarter of it."""
    made = target(index={"name": "{s}-%Y.%m.%d.%H"})
    last_quarter = AT - AT % HOUR_MS + 50 * 60_000

    found = [_series(made, last_quarter, (f"s{n}",)) for n in range(50)]

    assert all(each.until_ms - each.from_ms == HOUR_MS // 4 for each in found)
    assert all(each.from_ms <= each.due_ms() < each.until_ms for each in found)


def test_fields_are_capped_unless_it_is_set_and_other_names_only_where_it_is() -> None:
    assert _series(target(index={"name": "{s}-%Y"}), values=("a",)).new_per_hour_max == 100
    assert _series(target(index={"name": "{topic}-%Y"})).new_per_hour_max is None
    assert _series(target(index={"prefix": "x", "new_per_hour_max": 7})).new_per_hour_max == 7


@pytest.mark.parametrize(
    ("index", "overflow"),
    [
        ({"name": "logs-{s}-%Y"}, "logs-overflow-2026"),
        ({"name": "{topic}.{s}-%Y"}, "overflow.overflow-2026"),
        ({"data_stream": "logs-{s}-prod"}, "logs-overflow-prod"),
    ],
)
def test_all_that_is_too_much_has_one_index_of_its_time(
    index: dict[str, object], overflow: str
) -> None:
    assert _series(target(index=index), values=("a",)).overflow == overflow


def test_so_many_names_an_hour_and_an_hour_later_as_many_again() -> None:
    made = target(index={"name": "{s}-%Y", "new_per_hour_max": 2})
    series = [_series(made, values=(f"s{n}",)) for n in range(4)]
    newcomers = Newcomers()

    assert [newcomers.admit(each, 0.0) for each in series[:3]] == [True, True, False]
    assert not newcomers.admit(series[2], 3599.9)
    assert [newcomers.admit(each, 3600.0) for each in series[1:]] == [True, True, False]


def test_the_new_names_of_one_route_leave_another_its_own() -> None:
    index = {"name": "{s}-%Y", "new_per_hour_max": 1}
    one, other = (_series(target(name=name, index=index), values=("a",)) for name in "ab")
    newcomers = Newcomers()

    assert newcomers.admit(one, 0.0)
    assert newcomers.admit(other, 0.0)


def test_a_new_date_of_a_name_is_no_new_name() -> None:
    made = target(index={"name": "{s}-%Y.%m.%d"})

    first, second = (_series(made, at, ("a",)) for at in (AT, DAY_END))

    assert first.name == second.name != _series(made, AT, ("b",)).name
    assert first.next_index != second.next_index
