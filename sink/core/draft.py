"""
The documents of one poll, cut into bulks.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate

from sink.core.body import Body, document_ends
from sink.core.bulk import Actions, Bound, Bulk, Section
from sink.core.collect import Documents, Rejected, Run
from sink.core.offsets import OffsetTracker, Ticket
from sink.core.record import Record

_JOINED_DOCS = 256
_PARTS = 5  # of a document: begin and end of its action line, its source, two newlines


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

    They are joined as they come, some hundred at a time: their bytes are in the processor's cache
    then, and what was made of them on the way is freed before more is.
    """

    records: list[Record] = field(default_factory=list)
    _pieces: list[tuple[bytes, int]] = field(default_factory=list)  # with a number of documents
    _parts: list[bytes] = field(default_factory=list)  # of documents that are not joined yet
    _shares: list[_Share] = field(default_factory=list)

    def __len__(self) -> int:
        """
        Count the documents to be sent.
        """
        return len(self.records)

    def add(self, run: Run, documents: Documents, actions: Actions) -> None:
        """
        Add the documents of a run, with the action line of each.
        """
        assert len(actions.begins) == len(documents.sources) == len(documents.records)
        begin = len(self.records)
        self.records += documents.records
        end = len(self.records)
        self._shares.append(_Share(run, begin, end, documents.rejected, actions.bounds))
        parts = _parts(actions, documents.sources)
        if self._parts:
            self._parts += parts
        else:
            self._parts = parts
        if len(self._parts) >= _PARTS * _JOINED_DOCS:
            self._join()

    def _join(self) -> None:
        if self._parts:
            self._pieces.append((b"".join(self._parts), len(self._parts) // _PARTS))
            self._parts = []

    def bulks(self, tracker: OffsetTracker, docs_max: int, bytes_max: int) -> list[Bulk]:
        """
        Cut the draft into bulks, and track each run.

        Its ticket goes with every bulk that holds a document, or a dead letter, of its records.
        """
        self._join()
        made = [self._bulk(*each) for each in cut(self._pieces, docs_max, bytes_max)]
        if not made and any(share.rejected for share in self._shares):
            made = [self._bulk([], 0, 0)]
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

    def _bulk(self, pieces: list[bytes], begin: int, end: int) -> Bulk:
        body, whole = Body.of_pieces(pieces, end - begin), end - begin == len(self.records)
        records = self.records if whole else self.records[begin:end]
        return Bulk(body, records, [], [], [], len(body))


def _parts(actions: Actions, sources: list[bytes]) -> list[bytes]:
    """
    Give what documents are joined of, `_PARTS` each: begin and end of the action line, the source.
    """
    parts = [b"\n"] * (_PARTS * len(sources))
    parts[0::_PARTS] = actions.begins
    parts[1::_PARTS] = actions.ends or [b""] * len(sources)
    parts[3::_PARTS] = sources
    return parts


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


def cut(
    pieces: Iterable[tuple[bytes, int]], docs_max: int, bytes_max: int
) -> Iterator[tuple[list[bytes], int, int]]:
    """
    Cut documents into bulks in their order: none over a limit unless it is one document alone.

    Args:
        pieces: Joined documents, with their number.
    Yields:
        The pieces of a bulk, and its documents as (begin, end) positions.
    """
    held: list[bytes] = []
    begin = end = held_bytes = 0
    for piece, documents in pieces:
        if end + documents - begin <= docs_max and held_bytes + len(piece) <= bytes_max:
            held.append(piece)
            end, held_bytes = end + documents, held_bytes + len(piece)
            continue
        done = seen = 0  # bytes of the piece: in bulks that were given, and looked at
        for until in document_ends(piece):
            size = held_bytes + until - done
            if end > begin and (end - begin >= docs_max or size > bytes_max):
                yield [*held, piece[done:seen]] if seen > done else held, begin, end
                held, held_bytes, begin, done = [], 0, end, seen
            seen, end = until, end + 1
        held.append(piece[done:])
        held_bytes += len(piece) - done
    if end > begin:
        yield held, begin, end
