"""
The rate of dead letters: what a topic may make, over any time.
"""

from hypothesis import given
from hypothesis import strategies as st

from sink.core.allowance import Allowance

ASKED = st.lists(st.tuples(st.floats(0, 30), st.integers(0, 50)), max_size=40)


@given(st.integers(1, 600), ASKED)
def test_a_topic_never_gets_more_than_a_minutes_worth_and_the_rate_since(
    per_minute: int, asked: list[tuple[float, int]]
) -> None:
    allowance, now_s, granted = Allowance(per_minute), 0.0, 0
    for wait_s, wanted in asked:
        now_s += wait_s
        got = allowance.take("a", wanted, now_s)
        assert 0 <= got <= wanted
        granted += got
    assert granted <= per_minute + now_s * per_minute / 60 + 1e-6


def test_what_is_not_used_up_is_there_again_after_a_while() -> None:
    allowance = Allowance(60)
    assert allowance.take("a", 100, 0.0) == 60
    assert allowance.take("a", 1, 0.5) == 0
    assert not allowance.is_ample("a", 29.0)
    assert allowance.is_ample("a", 30.0)
    assert allowance.take("a", 100, 30.1) == 30
    assert allowance.take("a", 100, 1000.0) == 60


def test_topics_have_each_their_own() -> None:
    allowance = Allowance(10)
    assert allowance.take("a", 10, 0.0) == 10
    assert allowance.take("b", 10, 0.0) == 10


def test_without_a_rate_there_is_no_limit() -> None:
    allowance = Allowance(None)
    assert allowance.take("a", 10**9, 0.0) == 10**9
    assert allowance.is_ample("a", 0.0)
