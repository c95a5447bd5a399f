"""
From documents to bulks: the NDJSON lines of one request, and whose records they are.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, groupby
from operator import add
from typing import TYPE_CHECKING, NamedTuple

import orjson

from sink.core.body import Body
from sink.core.collect import Rejected
from sink.core.offsets import Ticket
from sink.core.record import Record

if TYPE_CHECKING:
    from sink.core.series import Series

_NONE: Mapping[int, bytes] = {}


@dataclass(frozen=True, slots=True)
class Bound:
    """
    Where documents come from and where they are bound for.

    Args:
        topic: Of their records. It is not the one they were consumed from where that is the parked
            topic.
        released: An operator wants it tried, also while the index is parked.
        moves: Out of the parked topic; refused again it goes to its end and is not left.
        series: What the index is one of, where its beginning or its successor is looked after.
    """

    index: str
    topic: str
    topic_id: str
    released: bool = False
    moves: bool = False
    series: "Series | None" = field(default=None, compare=False, repr=False)


class Actions(NamedTuple):
    """
    The action lines of some documents, and where each is bound for.

    Args:
        begins: One a document: the line, or its begin.
        bounds: With a number of documents each, in order of position.
        ends: How the lines go on; empty where they are whole.
    """

    begins: list[bytes]
    bounds: list[tuple[Bound, int]]
    ends: Sequence[bytes] = ()

    @property
    def lines(self) -> list[bytes]:
        """
        The action lines.
        """
        return list(map(add, self.begins, self.ends)) if self.ends else self.begins


@dataclass(frozen=True, slots=True)
class Section:
    """
    Neighbouring documents of a bulk that are of one run and bound for one index.
    """

    bound: Bound
    documents: int
    ticket: Ticket

    @property
    def consumed_from(self) -> str:
        """
        The topic in whose account they are.
        """
        return self.ticket.partition.topic


@dataclass(slots=True)
class Bulk:
    """
    The actions of one request: position n is lines 2n (action) and 2n+1 (source).
    """

    written: Body
    records: list[Record]  # by position: whose record each document came from
    sections: list[Section]  # in order of position
    rejected: list[Rejected]  # dead before they were sent; settled with the bulk
    tickets: list[Ticket]
    size_bytes: int
    worker: int = 0  # the thread that waits for the settlement

    def __len__(self) -> int:
        """
        Count the documents.
        """
        return len(self.records)

    def body(self) -> Body:
        """
        Give the request's body.
        """
        return self.written

    @property
    def lines(self) -> list[bytes]:
        """
        The lines of the body, to be read and changed. To ask takes the body to pieces.
        """
        return self.written.lines()

    def first(self) -> "Bulk":
        """
        Make a bulk of the first document, as `part` does, and leave the others as they are.
        """
        body = Body(self.written.first())
        section = replace(self.sections[0], documents=1)
        return Bulk(body, self.records[:1], [section], [], [], len(body), self.worker)

    def part(self, positions: Sequence[int], changed: Mapping[int, bytes] = _NONE) -> "Bulk":
        """
        Make a bulk of some positions, to be sent again. Tickets stay with the whole.

        Args:
            positions: In rising order.
            changed: position → another source.
        """
        own = self.lines
        lines = [line for p in positions for line in own[2 * p : 2 * p + 2]]
        for place, position in enumerate(positions if changed else ()):
            lines[2 * place + 1] = changed.get(position, lines[2 * place + 1])
        records = [self.records[p] for p in positions]
        ends = list(accumulate(section.documents for section in self.sections))
        places = (bisect_right(ends, position) for position in positions)
        sections = [
            replace(self.sections[place], documents=len(list(same)))
            for place, same in groupby(places)
        ]
        body = Body(lines)
        return Bulk(body, records, sections, [], [], len(body), self.worker)

    def ranges_by_bound(self) -> dict[Bound, list[range]]:
        """
        Tell which ranges of positions, each a section, are bound for where.
        """
        found: defaultdict[Bound, list[range]] = defaultdict(list)
        begin = 0
        for section in self.sections:
            found[section.bound].append(range(begin, begin + section.documents))
            begin += section.documents
        return dict(found)

    def cut_out(self, ranges: Sequence[range], size_bytes: int | None = None) -> "Bulk":
        """
        Make a bulk of whole sections. Tickets stay with the whole. Far cheaper than `part`.

        Args:
            ranges: Of positions, each a section, in rising order.
            size_bytes: Of the part, where it is known.
        """
        lines: list[bytes] = []
        records: list[Record] = []
        own = self.lines
        for each in ranges:
            lines += own[2 * each.start : 2 * each.stop]
            records += self.records[each.start : each.stop]
        begins = {each.start for each in ranges}
        starts = accumulate((section.documents for section in self.sections), initial=0)
        sections = [s for s, begin in zip(self.sections, starts, strict=False) if begin in begins]
        body = Body(lines)
        size_bytes = len(body) if size_bytes is None else size_bytes
        return Bulk(body, records, sections, [], [], size_bytes, self.worker)

    def by_bound(self) -> dict[Bound, list[int]]:
        """
        Tell which positions are bound for where.
        """
        found = self.ranges_by_bound().items()
        return {bound: [p for each in ranges for p in each] for bound, ranges in found}

    def by_topic(self) -> Iterator[tuple[str, int]]:
        """
        Count the documents by the topic they were consumed from, the rejected included.
        """
        for section in self.sections:
            yield section.consumed_from, section.documents
        for rejected in self.rejected:
            yield rejected.consumed_from, len(rejected)

    def places(self) -> list[Section]:
        """
        Give the section of each document, by position.
        """
        return [section for section in self.sections for _ in range(section.documents)]

    def halves(self) -> tuple["Bulk", "Bulk"]:
        """
        Cut a bulk of two or more documents in two.
        """
        middle = len(self) // 2
        return self.part(range(middle)), self.part(range(middle, len(self)))


def moved_to(bulk: Bulk, bound: Bound, other: Bound) -> Counter[str]:
    """
    Bind the documents of a bulk that are bound for one index for another, in their place.

    Returns:
        Topic consumed from → documents.
    """
    moved: Counter[str] = Counter()
    begin, lines = 0, bulk.lines
    for place, section in enumerate(bulk.sections):
        end = begin + section.documents
        if section.bound == bound:
            bulk.sections[place] = replace(section, bound=other)
            moved[section.consumed_from] += section.documents
            for position in range(begin, end):
                ((op_type, target),) = orjson.loads(lines[2 * position]).items()
                lines[2 * position] = orjson.dumps({op_type: target | {"_index": other.index}})
        begin = end
    return moved
