"""
The targets, each a module: `one(data)` holds the invariants of one input.

`mutate`, where a target has it, knows the form of its inputs.
"""

import importlib
from collections.abc import Callable
from typing import NamedTuple, Protocol

NAMES = ("values", "answers", "envelopes", "configurations")

Raw = Callable[[bytes, int], bytes]  # a mutation of bytes: data, longest → data


class Mutate(Protocol):
    """
    Changes an input within its form.
    """

    def __call__(self, data: bytes, size_max: int, seed: int, raw: Raw) -> bytes: ...  # noqa: D102


class Target(NamedTuple):
    """
    What is fuzzed.
    """

    one: Callable[[bytes], None]
    mutate: Mutate | None


def target(name: str) -> Target:
    """
    Load a target. Its part of the sink is imported only now, so that it can be instrumented.
    """
    module = importlib.import_module(f"{__name__}.{name}")
    return Target(module.one, getattr(module, "mutate", None))
