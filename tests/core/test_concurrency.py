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


def _until_changed(concurrency: Concurrency, took_s: Callable[[int], float]) -> int:
    """
    Answer, with as many under way as may be, until the number changes; count the answers.
    """
    before = in_flight = concurrency.limit
    for count in range(1, 1000):
        took = took_s(concurrency.limit)
        concurrency.answered(took, in_flight=in_flight, is_full=True, refused=False)
        if concurrency.limit != before:
            return count
    raise AssertionError(f"{before} is kept for ever")


def _steps(concurrency: Concurrency, took_s: Callable[[int], float], steps: int) -> list[int]:
    limits = []
    for _ in range(steps):
        _until_changed(concurrency, took_s)
        limits.append(concurrency.limit)
    return limits


def _always(took_s: float) -> Callable[[int], float]:
    return lambda _: took_s


def _one_by_one(limit: int) -> float:
    """Bulks that are served one after the other: more of them are no faster."""
    return float(limit)


def test_the_first_answer_counts() -> None:
    concurrency = Concurrency(_MOST)

    concurrency.answered(0.01, in_flight=1, is_full=False, refused=True)

    assert concurrency.limit == 1


def test_two_rounds_of_a_number_decide_once_the_bulks_from_before_are_answered() -> None:
    concurrency = Concurrency(_MOST)

    # Of 2: two rounds of 2. Of 3: the other that was under way, two of 3. Of 4: 2, and two of 4.
    assert [_until_changed(concurrency, _always(10.0)) for _ in range(3)] == [4, 7, 10]


def test_two_at_a_time_are_left_for_fewer_only_by_refusals() -> None:
    assert _steps(Concurrency(5), _always(10.0), 3) == [3, 4, 5]


def test_one_more_that_does_not_raise_the_rate_is_taken_back() -> None:
    assert _steps(Concurrency(_MOST), _one_by_one, 6) == [3, 2, 3, 2, 3, 2]


def test_what_was_in_vain_is_tried_ever_more_seldom_but_for_ever() -> None:
    concurrency = Concurrency(_MOST)
    _steps(concurrency, _one_by_one, 2)

    waits = []
    for _ in range(6):
        answers = _until_changed(concurrency, _one_by_one)
        waits.append((answers - 2) // 2 - 2)  # two of before; two rounds of two that measure
        _until_changed(concurrency, _one_by_one)

    assert waits == [15, 15, 30, 60, 120, 120]  # the first vain one only tells how many are


def test_what_was_worth_a_second_try_makes_the_next_one_soon() -> None:
    concurrency = Concurrency(_MOST)
    # Three are in vain twice: the next try would be after 60 rounds.
    assert _steps(concurrency, _one_by_one, 7) == [3, 2, 3, 2, 3, 2, 3]

    assert _steps(concurrency, _always(1.0), 1) == [4]  # three are worth it by now
    assert _steps(concurrency, _always(9.0), 1) == [3]

    assert (_until_changed(concurrency, _always(1.0)) - 3) // 3 - 2 == 15
