"""
What a scenario is, and the list of all of them.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.faults import scenarios

if TYPE_CHECKING:
    from tests.faults.stage import Stage

Play = Callable[["Stage"], None]
_registered: dict[str, "Scenario"] = {}


@dataclass(frozen=True)
class Scenario:
    """
    One row of the table.

    Args:
        key: Its number; those that begin with s were seen while the sink was made.
        fault: What is done to whom.
        promise: What must hold besides E, D and O.
        play: Does it and looks; it ends with `stage.judge`.
        engine: "real", or "fake" with the reason why it cannot be provoked on real ones.
        size: How it was made smaller than it was thought, and why.
        quick: Part of `make test`.
        timeout_s: It is red when it takes longer.
        still_open: Why it is red, and what was tried; empty where it must be green.
    """

    key: str
    fault: str
    promise: str
    play: Play
    engine: str = "real"
    size: str = ""
    quick: bool = False
    timeout_s: int = 240
    still_open: str = ""


def scenario(
    key: str,
    fault: str,
    promise: str,
    *,
    engine: str = "real",
    size: str = "",
    quick: bool = False,
    timeout_s: int = 240,
    still_open: str = "",
) -> Callable[[Play], Play]:
    """
    Enter a function as a scenario.
    """

    def entered(play: Play) -> Play:
        assert key not in _registered, f"two scenarios have the number {key}"
        _registered[key] = Scenario(
            key, fault, promise, play, engine, size, quick, timeout_s, still_open
        )
        return play

    return entered


def all_scenarios() -> dict[str, Scenario]:
    """
    Import every scenario, and give them in order: 1, 2, … s1, s2.
    """
    for module in pkgutil.iter_modules(scenarios.__path__, f"{scenarios.__name__}."):
        importlib.import_module(module.name)
    order = sorted(_registered, key=lambda key: (key.startswith("s"), int(key.lstrip("s"))))
    return {key: _registered[key] for key in order}
