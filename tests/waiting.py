"""
The one way in which tests wait: on a condition, with a deadline.
"""

import time
from collections.abc import Callable
from typing import TypeVar

_POLL_S = 0.01

Value = TypeVar("Value")


def wait_until(predicate: Callable[[], Value | None], timeout_s: float, what: str) -> Value:
    """
    Wait until a predicate is true, in any thread.

    Args:
        predicate: Called again and again. Its errors pass through.
        what: What is waited for, as the end of "waited 5 s for ...".
    Returns:
        What the predicate answered at last.
    Raises:
        AssertionError: The deadline passed; with the last answer.
    """
    __tracebackhide__ = True
    deadline = time.monotonic() + timeout_s
    while True:
        began = time.monotonic()
        if answer := predicate():
            return answer
        now = time.monotonic()
        if now > deadline:
            raise AssertionError(f"waited {timeout_s:g} s for {what}; the last answer: {answer!r}")
        # Asking takes at most half of the time: what is waited for needs the processor too.
        time.sleep(max(_POLL_S, now - began))
