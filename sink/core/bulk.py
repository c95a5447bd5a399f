"""
From documents to bulks: the NDJSON lines of one request, and whose records they are.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, NamedTuple

import orjson

from sink.core.collect import Rejected
from sink.core.offsets import Ticket
from sink.core.record import Record

if TYPE_CHECKING:
    from sink.core.series import Series

_PIECE_LINES = 2048
PIECE_BYTES = 600_000
_NONE: Mapping[int, bytes] = {}


class Body:
    """
    The NDJSON of a request: its length is known, its bytes are joined piece by piece.

    A piece of some 600 KB is sent while it is in the processor's cache, and no copy of the whole
    is ever made: that spares 0.2 µs a document and a second bulk of memory for each in flight.
    """

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines
        self._size_bytes = sum(map(len, lines)) + len(lines)

    def __len__(self) -> int:
        """
        Count the bytes.
        """
        return self._size_bytes

    def __iter__(self) -> Iterator[bytes]:
        """
        Give the pieces in order. Each ends with a newline, as every line of NDJSON must.
        """
        # By their average: fifty documents of 100 KB would be one piece, a copy of the whole.
        fitting = len(self._lines) * PIECE_BYTES // max(1, self._size_bytes)
        step = max(1, min(_PIECE_LINES, fitting))
        for begin in range(0, len(self._lines), step):
            piece = self._lines[begin : begin + step]
            piece.append(b"")
            yield b"\n".join(piece)

    def __bytes__(self) -> bytes:
        """
        Join the whole.
        """
        return b"".join(self)


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
        lines: One a document.
        bounds: With a number of documents each, in order of position.
    """

    lines: list[bytes]
    bounds: list[tuple[Bound, int]]


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

    lines: list[bytes]
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

    def body(self) -> "Body":
        """
        Give the request's body, to be joined while it is sent.
        """
        return Body(self.lines)

    def part(self, positions: Sequence[int], changed: Mapping[int, bytes] = _NONE) -> "Bulk":
        """
        Make a bulk of some positions, to be sent again. Tickets stay with the whole.

        Args:
            positions: In rising order.
            changed: position → another source.
        """
        lines = [line for p in positions for line in self.lines[2 * p : 2 * p + 2]]
        for place, position in enumerate(positions if changed else ()):
            lines[2 * place + 1] = changed.get(position, lines[2 * place + 1])
        records = [self.records[p] for p in positions]
        ends = list(accumulate(section.documents for section in self.sections))
        places = (bisect_right(ends, position) for position in positions)
        sections = [
            replace(self.sections[place], documents=len(list(same)))
            for place, same in groupby(places)
        ]
        return Bulk(lines, records, sections, [], [], len(Body(lines)), self.worker)

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
        for each in ranges:
            lines += self.lines[2 * each.start : 2 * each.stop]
            records += self.records[each.start : each.stop]
        begins = {each.start for each in ranges}
        starts = accumulate((section.documents for section in self.sections), initial=0)
        sections = [s for s, begin in zip(self.sections, starts, strict=False) if begin in begins]
        size_bytes = len(Body(lines)) if size_bytes is None else size_bytes
        return Bulk(lines, records, sections, [], [], size_bytes, self.worker)

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
    begin = 0
    for place, section in enumerate(bulk.sections):
        end = begin + section.documents
        if section.bound == bound:
            bulk.sections[place] = replace(section, bound=other)
            moved[section.consumed_from] += section.documents
            for position in range(begin, end):
                ((op_type, target),) = orjson.loads(bulk.lines[2 * position]).items()
                bulk.lines[2 * position] = orjson.dumps({op_type: target | {"_index": other.index}})
        begin = end
    return moved
