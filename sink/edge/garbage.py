"""
When cyclic garbage is collected: by the daemon's watch, not by itself.
"""

import gc


def wait() -> None:
    """
    Look for none until `tune`: starting makes none worth it (8 % of its CPU, measured).
    """
    gc.disable()


def tune() -> None:
    """
    Leave the collection of cyclic garbage to `collect`, and what is there now out of it for good.

    A poll makes thousands of objects, none of them in a cycle: the default threshold of 700 would
    scan them several times a poll (10 % of all CPU, measured).
    """
    gc.collect()
    gc.freeze()
    gc.disable()


def collect() -> None:
    """
    Collect what `tune` leaves lying.
    """
    gc.collect()
