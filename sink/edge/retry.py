"""
How long to wait before the next attempt: exponential backoff with full jitter.

tenacity gives the waits; the attempts themselves are the writer's, who may not hold a slot between
them and stops for no number of them.
"""

from tenacity import RetryCallState, Retrying, wait_random_exponential

_RETRY_AFTER_MAX_S = 600.0  # a server that says "tomorrow" is asked once in a while all the same


class Backoff:
    """
    Waits that grow, with full jitter: between 0 and min(longest, initial · 2ⁿ).

    Args:
        initial_ms: Upper bound of the first wait.
        longest_ms: Upper bound of all.
    """

    def __init__(self, initial_ms: int, longest_ms: int) -> None:
        self._initial_s = initial_ms / 1000
        self._wait = wait_random_exponential(multiplier=initial_ms / 1000, max=longest_ms / 1000)
        self._state = RetryCallState(Retrying(), None, (), {})

    def seconds(self, attempt: int, retry_after_s: float | None = None) -> float:
        """
        Give the wait before the next attempt.

        Args:
            attempt: How many were made, 1 or more.
            retry_after_s: A Retry-After: it wins, between the initial wait and ten minutes.
        """
        if retry_after_s is not None:
            return min(max(retry_after_s, self._initial_s), _RETRY_AFTER_MAX_S)
        self._state.attempt_number = attempt
        return self._wait(self._state)
