"""
Cyclic garbage is collected in rounds, also what was in use for a while.
"""

import gc
import weakref
from collections.abc import Iterator

import pytest

from sink.edge import garbage


class _Loop:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def by_rounds_only() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_what_was_dropped_is_collected_at_the_next_round() -> None:
    rounds = garbage.rounds()
    told = weakref.ref(_Loop())
    next(rounds)
    assert told() is None


def test_what_was_in_use_for_some_rounds_is_collected_within_twelve() -> None:
    rounds = garbage.rounds()
    held = _Loop()
    told = weakref.ref(held)
    for _ in range(3):
        next(rounds)
    del held
    for _ in range(9):
        next(rounds)
    assert told() is None
