"""
How many bulks are sent at a time follows how they are answered.
"""

from collections.abc import Callable

import pytest

from sink.core.concurrency import Concurrency
from tests.core.servers import (
    Fixed,
    Server,
    Workers,
    bulks_per_s,
    crowded,
    distant,
    refusing,
    stalling,
)

_MOST = 8
_SERVERS: dict[str, Callable[[], Server]] = {
    "fast": lambda: Workers(4, 0.02),
    "faster than the sink": lambda: Workers(1, 0.002),
    "serial and slow": lambda: Workers(1, 0.5),
    "slow": lambda: Workers(2, 0.2),
    "far away": lambda: distant(0.3),
    "fast and stalling": lambda: stalling(Workers(4, 0.02), 3.0, 1.0),
    "far away and stalling": lambda: stalling(distant(0.2), 5.0, 2.0),
    "crowded by four": lambda: crowded(3, 0.1),
    "crowded by seven": lambda: crowded(6, 0.1),
    "refusing the second": lambda: refusing(1, 0.1),
    "refusing the fourth": lambda: refusing(3, 0.1),
    "refusing the seventh": lambda: refusing(6, 0.1),
}


@pytest.mark.parametrize("name", _SERVERS)
def test_the_rate_is_nearly_that_of_the_best_fixed_number(name: str) -> None:
    make = _SERVERS[name]
    best = max(bulks_per_s(make(), Fixed(number)) for number in range(1, _MOST + 1))

    assert bulks_per_s(make(), Concurrency(_MOST)) >= 0.9 * best


@pytest.mark.parametrize(
    ("name", "enough"), [("faster than the sink", 4), ("serial and slow", 3), ("slow", 4)]
)
def test_no_more_are_under_way_than_raise_the_rate(name: str, enough: int) -> None:
    concurrency = Concurrency(64)

    bulks_per_s(_SERVERS[name](), concurrency)

    assert concurrency.limit <= enough


def test_it_never_exceeds_what_is_allowed_and_never_stands_still() -> None:
    concurrency = Concurrency(3)

    bulks_per_s(distant(1.0), concurrency)
    assert concurrency.limit == 3

    for _ in range(100):
        concurrency.answered(0.01, in_flight=concurrency.limit, is_full=True, refused=True)
    assert concurrency.limit == 1


def test_a_cluster_that_has_room_again_gets_more() -> None:
    concurrency = Concurrency(_MOST)
    bulks_per_s(refusing(1, 0.1), concurrency)
    assert concurrency.limit <= 2

    bulks_per_s(distant(0.1), concurrency)

    assert concurrency.limit == _MOST


def test_the_answers_of_one_moment_take_away_once() -> None:
    concurrency = Concurrency(_MOST)
    bulks_per_s(distant(0.1), concurrency)
    for _ in range(_MOST):
        concurrency.answered(0.01, in_flight=_MOST, is_full=True, refused=True)

    assert concurrency.limit == 6
