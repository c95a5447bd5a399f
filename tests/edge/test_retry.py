"""
How long it waits between attempts.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from sink.edge.retry import Backoff


@settings(deadline=None)
@given(st.integers(1, 1000), st.integers(1, 60_000), st.integers(1, 10**9))
def test_a_wait_is_never_over_its_bounds_however_many_attempts_there_were(
    initial_ms: int, longest_ms: int, attempt: int
) -> None:
    wait_s = Backoff(initial_ms, longest_ms).seconds(attempt)

    bound_ms = min(longest_ms, initial_ms * 2 ** min(attempt - 1, 60))
    assert 0 <= wait_s <= bound_ms / 1000


def test_waits_are_spread_over_all_of_their_span() -> None:
    """
    Full jitter: many sinks that failed together do not come back together.
    """
    backoff = Backoff(100, 10_000)

    waits_s = [backoff.seconds(20) for _ in range(400)]

    assert min(waits_s) < 2
    assert max(waits_s) > 8
    assert len(set(waits_s)) > 300


def test_waits_grow_with_the_attempts() -> None:
    backoff = Backoff(100, 10_000)

    assert max(backoff.seconds(1) for _ in range(200)) <= 0.1
    assert max(backoff.seconds(5) for _ in range(200)) > 0.8


def test_a_retry_after_wins_within_reason() -> None:
    backoff = Backoff(100, 1000)

    assert backoff.seconds(3, retry_after_s=30.0) == 30.0
    assert backoff.seconds(9, retry_after_s=0.0) == 0.1  # else it would spin
    assert backoff.seconds(3, retry_after_s=86_400.0) == 600.0
    assert backoff.seconds(3, retry_after_s=None) <= 0.4
