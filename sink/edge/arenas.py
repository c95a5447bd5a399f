"""
How many heaps the C library keeps for the threads of the process.
"""

import ctypes
import os

_M_ARENA_MAX = -8  # source: glibc, malloc.h
_ARENAS = 2


def bound() -> None:
    """
    Let all threads share two heaps. Called before others are started.

    glibc gives each of some twenty threads a heap of its own, up to eight a core, and what one has
    freed no other can use: a record is allocated on librdkafka's thread or the worker's, and freed
    on the loop's. Who sets MALLOC_ARENA_MAX knows better; other C libraries have no such thing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(_M_ARENA_MAX, _ARENAS)
