"""
How tests run while they judge mutants: a plugin of pytest.

Hypothesis tries the same examples each time and shrinks nothing: shrunk, a fault would be as dead,
only minutes later. On a loaded machine tests get more patience, or they would fail without a fault.
"""

import os
from collections.abc import Callable

from hypothesis import Phase, settings

import tests.waiting
from tests.mutants.stage import EXAMPLES, PATIENCE
from tests.waiting import Value

settings.register_profile(
    "mutants",
    max_examples=int(os.environ[EXAMPLES]),
    phases=(Phase.explicit, Phase.generate),
    derandomize=True,
    database=None,
    deadline=None,
)
settings.load_profile("mutants")

_wait_until = tests.waiting.wait_until
_factor = float(os.environ[PATIENCE])


def _wait_longer(predicate: Callable[[], Value | None], timeout_s: float, what: str) -> Value:
    return _wait_until(predicate, _factor * timeout_s, what)


tests.waiting.wait_until = _wait_longer
