"""
The documents of one poll, cut into bulks.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, starmap
from operator import add

from sink.core.bulk import Actions, Bound, Bulk, Section
from sink.core.collect import Documents, Rejected, Run
from sink.core.offsets import OffsetTracker, Ticket
from sink.core.record import Record


@dataclass(slots=True)
class _Share:
    """
    The documents of one run in a draft: positions begin <= position < end.
    """

    run: Run
    begin: int
    end: int
    rejected: list[Rejected]
    bounds: list[tuple[Bound, int]]


@dataclass(slots=True)
class Draft:
    """
    The documents of one poll, before they are cut into bulks.
    """

    actions: list[bytes] = field(default_factory=list)
    sources: list[bytes] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    _shares: list[_Share] = field(default_factory=list)

    def __len__(self) -> int:
        """
        Count the documents to be sent.
        """
        return len(self.sources)

    def add(self, run: Run, documents: Documents, actions: Actions) -> None:
        """
        Add the documents of a run, with the action line of each.
        """
        assert len(actions.lines) == len(documents.sources) == len(documents.records)
        begin = len(self.sources)
        self.actions += actions.lines
        self.sources += documents.sources
        self.records += documents.records
        end = len(self.sources)
        self._shares.append(_Share(run, begin, end, documents.rejected, actions.bounds))

    def bulks(self, tracker: OffsetTracker, docs_max: int, bytes_max: int) -> list[Bulk]:
        """
        Cut the draft into bulks, and track each run.

        Its ticket goes with every bulk that holds a document, or a dead letter, of its records.
        """
        made = [self._bulk(*piece) for piece in self._cut(docs_max, bytes_max)]
        if not made and any(share.rejected for share in self._shares):
            made = [self._bulk(0, 0, 0)]
        ends = list(accumulate(map(len, made)))
        for share in self._shares:
            parts = _bulks_of(share, ends)
            partition = share.run.partition
            ticket = tracker.track(partition, share.run.first, share.run.next_offset, len(parts))
            for place in parts:
                made[place].tickets.append(ticket)
            if share.rejected:
                rejected = (replace(each, ticket=ticket) for each in share.rejected)
                made[parts[-1]].rejected += rejected
            _add_sections(made, ends, share, ticket)
        return made

    def _cut(self, docs_max: int, bytes_max: int) -> list[tuple[int, int, int]]:
        """
        Tell where to cut: (begin, end, bytes). Most polls make one bulk, and are only added up.
        """
        total = sum(map(len, self.actions)) + sum(map(len, self.sources)) + 2 * len(self.sources)
        if not self.sources:
            return []
        if len(self.sources) <= docs_max and total <= bytes_max:
            return [(0, len(self.sources), total)]
        pairs = zip(map(len, self.actions), map(len, self.sources), strict=True)
        sizes = [2 + size for size in starmap(add, pairs)]
        return [(b, e, sum(sizes[b:e])) for b, e in cut(sizes, docs_max, bytes_max)]

    def _bulk(self, begin: int, end: int, size_bytes: int) -> Bulk:
        lines = [b""] * (2 * (end - begin))
        lines[0::2] = self.actions[begin:end]
        lines[1::2] = self.sources[begin:end]
        return Bulk(lines, self.records[begin:end], [], [], [], size_bytes)


def _add_sections(made: list[Bulk], ends: list[int], share: _Share, ticket: Ticket) -> None:
    """
    Tell each bulk which of its documents are of this share, index by index.
    """
    begin = share.begin
    for bound, documents in share.bounds:
        until = begin + documents
        while begin < until:
            place = bisect_right(ends, begin)
            here = min(until, ends[place]) - begin
            made[place].sections.append(Section(bound, here, ticket))
            begin += here


def _bulks_of(share: _Share, ends: list[int]) -> range:
    """
    Tell which bulks hold documents or dead letters of a run.
    """
    if share.begin == share.end:
        last = min(bisect_right(ends, share.begin), len(ends) - 1)
        return range(last, last + 1) if share.rejected else range(0)
    return range(bisect_right(ends, share.begin), bisect_left(ends, share.end) + 1)


def cut(sizes: Sequence[int], docs_max: int, bytes_max: int) -> Iterator[tuple[int, int]]:
    """
    Cut documents into bulks in their order: none over a limit unless it is one document alone.

    Args:
        sizes: Bytes of each document with its action.
    Yields:
        (begin, end) positions.
    """
    begin = held = 0
    for position, size in enumerate(sizes):
        if position > begin and (position - begin >= docs_max or held + size > bytes_max):
            yield begin, position
            begin, held = position, 0
        held += size
    if begin < len(sizes):
        yield begin, len(sizes)
