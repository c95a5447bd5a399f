"""
The cutter against a model of lists: every document is in one bulk, in its order, however often the
bulks are cut again, and an offset may be committed once all before it came to their end.
"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sink.core.bulk import Actions, Bound, Bulk
from sink.core.collect import Documents, Rejected, Run
from sink.core.draft import Draft
from sink.core.offsets import OffsetTracker
from sink.core.record import Partition, Record
from sink.testing import FakeRecord

PARTITIONS = [Partition("orders", 0), Partition("orders", 1), Partition("bills", 0)]
WORKER = 3


class Doc(NamedTuple):
    """A document as it went into the draft."""

    action: bytes
    source: bytes
    place: tuple[Partition, int]
    bound_for: str


@dataclass(eq=False)
class Whole:
    """A bulk as it was cut out of the draft, and the pieces of it that are still under way."""

    bulk: Bulk
    places: set[tuple[Partition, int]]  # of its documents and its rejected records
    pieces: list[Bulk]


@dataclass(eq=False)
class Polled:
    """The records of a poll that is not cut yet."""

    draft: Draft = field(default_factory=Draft)
    docs: list[Doc] = field(default_factory=list)
    rejected: list[tuple[Partition, int]] = field(default_factory=list)


# What a record gives: None is a rejected record, else the length of each of its documents.
RECORDS = st.lists(st.none() | st.lists(st.integers(1, 30), max_size=3), min_size=1, max_size=6)


class BulkMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.tracker = OffsetTracker()
        for partition in PARTITIONS:
            self.tracker.assign(partition)
        self.ends = dict.fromkeys(PARTITIONS, 0)
        self.tracked = dict.fromkeys(PARTITIONS, 0)  # ends of what was cut
        self.open: Counter[tuple[Partition, int]] = Counter()  # place → wholes that hold it
        self.made = 0
        self.polled = Polled()
        self.wholes: list[Whole] = []

    @rule(
        partition=st.sampled_from(PARTITIONS),
        records=RECORDS,
        indices=st.lists(st.sampled_from(["may", "june"]), min_size=1, max_size=3),
    )
    def poll(
        self, partition: Partition, records: list[list[int] | None], indices: list[str]
    ) -> None:
        first = self.ends[partition]
        self.ends[partition] = first + len(records)
        run_docs: list[Doc] = []
        of: list[Record] = []
        rejected: list[Rejected] = []
        polled: list[Record] = [FakeRecord(*partition, first + n, b"") for n in range(len(records))]
        for record, lengths in zip(polled, records, strict=True):
            place = (partition, record.offset() or 0)
            if lengths is None:
                rejected.append(Rejected(record, (), "reject", ""))
                self.polled.rejected.append(place)
            for length in lengths or ():
                run_docs.append(self._doc(place, length, indices))
                of.append(record)
        self.polled.docs += run_docs
        run = Run(partition, polled, first, first + len(records))
        made = Documents([doc.source for doc in run_docs], of, [], rejected=rejected)
        self.polled.draft.add(run, made, _actions(run_docs))

    @rule(docs_max=st.integers(1, 8), bytes_max=st.integers(1, 150))
    def cut(self, docs_max: int, bytes_max: int) -> None:
        polled, self.polled = self.polled, Polled()
        bulks = polled.draft.bulks(self.tracker, docs_max, bytes_max)
        self.tracked = dict(self.ends)
        assert [doc for bulk in bulks for doc in _docs(bulk)] == polled.docs
        rejected = [_place(each.record) for bulk in bulks for each in bulk.rejected]
        assert Counter(rejected) == Counter(polled.rejected)
        for bulk in bulks:
            assert len(bulk) <= docs_max
            assert bulk.size_bytes <= bytes_max or len(bulk) <= 1
        for one, next_one in pairwise(bulks):
            first = len(next_one.lines[0]) + len(next_one.lines[1]) + 2
            assert len(one) == docs_max or one.size_bytes + first > bytes_max, "cut for nothing"
        for bulk in bulks:
            bulk.worker = WORKER
            self._add(bulk)

    @precondition(lambda self: any(len(p) > 1 for w in self.wholes for p in w.pieces))
    @rule(data=st.data())
    def halve(self, data: st.DataObject) -> None:
        whole, piece = self._drawn(data, documents_min=2)
        halves = piece.halves()
        assert all(len(half) for half in halves)
        assert [doc for half in halves for doc in _docs(half)] == _docs(piece)
        self._replace(whole, piece, *halves)

    @precondition(lambda self: any(len(p) > 0 for w in self.wholes for p in w.pieces))
    @rule(data=st.data())
    def send_some_again(self, data: st.DataObject) -> None:
        whole, piece = self._drawn(data, documents_min=1)
        again = sorted(data.draw(st.sets(st.sampled_from(range(len(piece))))))
        others = [position for position in range(len(piece)) if position not in again]
        docs = _docs(piece)
        parts = [piece.part(positions) for positions in (again, others)]
        assert _docs(parts[0]) == [docs[position] for position in again]
        assert _docs(parts[1]) == [docs[position] for position in others]
        self._replace(whole, piece, *parts)

    @precondition(lambda self: any(len(p) > 0 for w in self.wholes for p in w.pieces))
    @rule(data=st.data())
    def take_an_index_out(self, data: st.DataObject) -> None:
        whole, piece = self._drawn(data, documents_min=1)
        out = data.draw(st.sampled_from(sorted({doc.bound_for for doc in _docs(piece)})))
        by_bound = piece.ranges_by_bound().items()
        parts = [
            piece.cut_out(sorted(ranges, key=lambda each: each.start))
            for ranges in (
                [r for bound, ranges in by_bound for r in ranges if bound.index == out],
                [r for bound, ranges in by_bound for r in ranges if bound.index != out],
            )
        ]
        assert _docs(parts[0]) == [doc for doc in _docs(piece) if doc.bound_for == out]
        assert _docs(parts[1]) == [doc for doc in _docs(piece) if doc.bound_for != out]
        self._replace(whole, piece, *parts)

    @precondition(lambda self: self.wholes)
    @rule(data=st.data())
    def account_for(self, data: st.DataObject) -> None:
        """A piece came to its end; with the last of a bulk its tickets are settled."""
        whole = data.draw(st.sampled_from(self.wholes))
        whole.pieces.remove(data.draw(st.sampled_from(whole.pieces)))
        if not whole.pieces:
            self._settle(whole)

    @invariant()
    def exactly_what_came_to_its_end_may_be_committed(self) -> None:
        expected = {}
        for partition, end in self.tracked.items():
            held = [offset for its, offset in self.open if its == partition]
            expected[partition] = min(held, default=end)
        for partition, offset in self.tracker.committable().items():
            assert offset <= expected[partition]
        if not self.wholes:
            assert self.tracker.committable() == {p: end for p, end in self.tracked.items() if end}

    def teardown(self) -> None:
        self.cut(3, 100)
        for whole in list(self.wholes):
            self._settle(whole)
        self.exactly_what_came_to_its_end_may_be_committed()

    def _doc(self, place: tuple[Partition, int], length: int, indices: list[str]) -> Doc:
        self.made += 1
        index = indices[self.made % len(indices)]
        return Doc(b"%d" % self.made, b"x" * length, place, index)

    def _add(self, bulk: Bulk) -> None:
        assert bulk.size_bytes == len(bytes(bulk.body()))
        places = {_place(record) for record in bulk.records}
        places |= {_place(rejected.record) for rejected in bulk.rejected}
        assert places, "an empty bulk"
        held = {(t.partition, o) for t in bulk.tickets for o in range(t.first, t.next_offset)}
        assert places <= held
        for ticket in bulk.tickets:
            run = {(ticket.partition, o) for o in range(ticket.first, ticket.next_offset)}
            assert places & run, "a ticket of a run that is not in the bulk"
        for rejected in bulk.rejected:
            assert any(rejected.ticket is ticket for ticket in bulk.tickets)
        self.open.update(places)
        self.wholes.append(Whole(bulk, places, [bulk]))

    def _drawn(self, data: st.DataObject, documents_min: int) -> tuple[Whole, Bulk]:
        places = [(w, p) for w in self.wholes for p in w.pieces if len(p) >= documents_min]
        return data.draw(st.sampled_from(places))

    def _replace(self, whole: Whole, piece: Bulk, *parts: Bulk) -> None:
        for part in parts:
            assert part.size_bytes == len(bytes(part.body()))
            assert part.worker == WORKER, "its settlement would go to another thread"
            assert not part.tickets, "settled with the part and with the whole"
            assert not part.rejected
        whole.pieces.remove(piece)
        whole.pieces += parts

    def _settle(self, whole: Whole) -> None:
        self.wholes.remove(whole)
        for ticket in whole.bulk.tickets:
            self.tracker.settle(ticket)
        self.open -= Counter(whole.places)


def _actions(docs: list[Doc]) -> Actions:
    bounds = (Bound(doc.bound_for, doc.place[0].topic, "id") for doc in docs)
    return Actions(
        [doc.action for doc in docs], [(b, len(list(same))) for b, same in groupby(bounds)]
    )


def _docs(bulk: Bulk) -> list[Doc]:
    """Read the documents of a bulk, each with what the sections say of it."""
    places = bulk.places()
    assert len(places) == len(bulk.records) == len(bulk)
    assert [s.bound for s in places] == [
        bound for bound, at in sorted(_bounds(bulk), key=lambda pair: pair[1])
    ]
    for record, section in zip(bulk.records, places, strict=True):
        partition, offset = _place(record)
        assert section.ticket.partition == partition
        assert section.ticket.first <= offset < section.ticket.next_offset
    of = zip(bulk.lines[0::2], bulk.lines[1::2], bulk.records, places, strict=True)
    return [Doc(a, s, _place(record), section.bound.index) for a, s, record, section in of]


def _bounds(bulk: Bulk) -> list[tuple[Bound, int]]:
    return [(bound, at) for bound, positions in bulk.by_bound().items() for at in positions]


def _place(record: Record) -> tuple[Partition, int]:
    return Partition(record.topic() or "", record.partition() or 0), record.offset() or 0


TestBulks = BulkMachine.TestCase
TestBulks.settings = settings(max_examples=100, stateful_step_count=30)
