"""
When cyclic garbage is collected: by the daemon's watch, not by itself.
"""

import gc
from collections.abc import Iterator
from itertools import cycle


def wait() -> None:
    """
    Look for none until `tune`: starting makes none worth it (8 % of its CPU, measured).
    """
    gc.disable()


def tune() -> None:
    """
    Leave the collection of cyclic garbage to `rounds`, and what is there now out of it for good.

    A poll makes thousands of objects, none of them in a cycle: the default threshold of 700 would
    scan them several times a poll (10 % of all CPU, measured).
    """
    gc.collect()
    gc.freeze()
    gc.disable()


def rounds() -> Iterator[None]:
    """
    Collect what `tune` leaves lying, once at each step.

    What has outlived two steps is looked at in each twelfth only: targets and tracks of thousands
    of partitions are all that is there when nothing comes.
    """
    for generation in cycle([1] * 11 + [2]):
        gc.collect(generation)
        yield
