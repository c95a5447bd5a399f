"""
Documents as the log collector makes them.
"""

from sink.core.collect import Documents, Run, pieces
from sink.core.collector import Collector
from sink.core.stamp import Heads, stamp


def documents(run: Run, collector: Collector) -> Documents:
    ((whole, made),) = pieces(run, collector, docs_max=10**9)
    assert (whole.first, whole.next_offset) == (run.first, run.next_offset)
    return made


def stamped(*values: bytes, time_ms: int = 1_795_252_441_945) -> list[bytes]:
    """
    Give the documents of values that are plain objects, at the time of a FakeRecord or another.
    """
    return [stamp(value, Heads()[time_ms]) for value in values]
