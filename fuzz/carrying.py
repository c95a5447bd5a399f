"""
The way of records through the sink, as a worker takes it, from a poll to the bodies of its bulks.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fuzz.bodies import Document, documents_of
from fuzz.broken import must
from sink.core.bulk import Bulk
from sink.core.collect import Rejected, runs
from sink.core.draft import Draft
from sink.core.offsets import OffsetTracker
from sink.core.record import Partition, Record
from sink.reading.targets import AnyTarget


@dataclass(slots=True)
class Carried:
    """
    What became of the records of a poll.
    """

    bulks: list[Bulk] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)  # in order, of all bulks
    records: list[Record] = field(default_factory=list)  # of each document
    rejected: list[Rejected] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


def carry(
    records: Sequence[Record], targets: Mapping[str, AnyTarget], docs_max: int, bytes_max: int
) -> Carried:
    """
    Carry records to bulks, and hold what is true of the bulks of any records.

    Raises:
        Broken: Something is not.
    """
    carried, tracker = Carried(), OffsetTracker()
    ends: dict[Partition, int] = {}
    for run in runs(records):
        ends[run.partition] = run.next_offset
    for partition in ends:
        tracker.assign(partition)
    draft = Draft()
    for run in runs(records):
        for piece, made, actions in targets[run.partition.topic].pieces(run, docs_max):
            draft.add(piece, made, actions)
            carried.dropped += made.dropped
            if len(draft) >= docs_max:
                carried.bulks += draft.bulks(tracker, docs_max, bytes_max)
                draft = Draft()
    carried.bulks += draft.bulks(tracker, docs_max, bytes_max)
    for bulk in carried.bulks:
        _read(carried, bulk, docs_max, bytes_max)
    _check_offsets(carried, tracker, ends)
    return carried


def _read(carried: Carried, bulk: Bulk, docs_max: int, bytes_max: int) -> None:
    body = bytes(bulk.body())
    documents = documents_of(body)
    must(len(documents) == len(bulk.records) == len(bulk), "a bulk miscounts its documents")
    must(len(body) == bulk.size_bytes, f"{bulk.size_bytes} bytes were told of {len(body)}")
    must(len(bulk) <= docs_max, f"{len(bulk)} documents in a bulk of at most {docs_max}")
    must(len(body) <= bytes_max or len(bulk) == 1, f"{len(body)} bytes of at most {bytes_max}")
    bounds = [section.bound.index for section in bulk.places()]
    must(bounds == [each.index for each in documents], f"sections say {bounds}")
    carried.documents += documents
    carried.records += bulk.records
    carried.rejected += bulk.rejected


def _check_offsets(carried: Carried, tracker: OffsetTracker, ends: Mapping[Partition, int]) -> None:
    """
    Hold that nothing is committed before its bulks are settled, and all of it after.
    """
    for number, bulk in enumerate(carried.bulks):
        for ticket in bulk.tickets:
            committable = tracker.committable().get(ticket.partition, ticket.first)
            must(committable <= ticket.first, f"{committable} passes bulk {number}: {ticket}")
            tracker.settle(ticket)
    must(tracker.committable() == ends, f"{tracker.committable()} are committed of {ends}")
