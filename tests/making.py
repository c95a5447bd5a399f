"""
The documents of a run, in one piece.
"""

from sink.core.collect import Collector, Documents, Run, pieces


def documents(run: Run, collector: Collector) -> Documents:
    ((whole, made),) = pieces(run, collector, docs_max=10**9)
    assert (whole.first, whole.next_offset) == (run.first, run.next_offset)
    return made
