"""
Documents that were joined piece by piece, cut into bulks as if each were looked at by itself.
"""

import json
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.core.body import Body
from sink.core.collect import Run
from sink.core.draft import Draft, cut
from sink.core.offsets import OffsetTracker
from sink.core.record import Partition, Record
from sink.testing import FakeRecord
from tests.core.making_actions import target

# The lengths of the sources of each piece, the greatest number of documents, and of bytes.
PIECES = st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=9), max_size=8)
LIMITS = st.integers(1, 12)
BYTES = st.integers(1, 200)
ACTION = b"{}\n"


def _document(length: int) -> bytes:
    return ACTION + b"x" * length + b"\n"


def _one_by_one(sizes: Sequence[int], docs_max: int, bytes_max: int) -> Iterator[tuple[int, int]]:
    """
    Cut by looking at each document: the oracle.
    """
    begin = held = 0
    for position, size in enumerate(sizes):
        if position > begin and (position - begin >= docs_max or held + size > bytes_max):
            yield begin, position
            begin, held = position, 0
        held += size
    if begin < len(sizes):
        yield begin, len(sizes)


@given(PIECES, LIMITS, BYTES)
def test_pieces_are_cut_where_their_documents_would_be(
    lengths: list[list[int]], docs_max: int, bytes_max: int
) -> None:
    documents = [_document(length) for piece in lengths for length in piece]
    pieces = [(b"".join(map(_document, piece)), len(piece)) for piece in lengths]

    made = list(cut(pieces, docs_max, bytes_max))

    wanted = list(_one_by_one([*map(len, documents)], docs_max, bytes_max))
    assert [(begin, end) for _, begin, end in made] == wanted
    for held, begin, end in made:
        assert b"".join(held) == b"".join(documents[begin:end])
        assert all(held)


def test_documents_that_are_joined_at_different_times_are_cut_into_whole_lines() -> None:
    """The records of a bulk are those of its lines, also where a joined piece is cut."""
    partition = Partition("ekk-order", 3)
    records: list[Record] = [FakeRecord(*partition, n, b'{"n":%d}' % n) for n in range(700)]
    draft, tracker = Draft(), OffsetTracker()
    tracker.assign(partition)
    for first, end in ((0, 300), (300, 700)):
        for each in target().pieces(Run(partition, records[first:end], first, end), 1000):
            draft.add(*each)

    bulks = draft.bulks(tracker, 400, 10**6)

    assert [len(bulk) for bulk in bulks] == [400, 300]
    for bulk in bulks:
        sources = [json.loads(line)["n"] for line in bulk.lines[1::2]]
        assert sources == [record.offset() for record in bulk.records]
        ids = [json.loads(line)["create"]["_id"] for line in bulk.lines[::2]]
        assert [int(each.rpartition("-")[2]) for each in ids] == sources


@given(PIECES)
def test_a_body_gives_the_lines_that_it_was_joined_of(lengths: list[list[int]]) -> None:
    pieces = [b"".join(map(_document, piece)) for piece in lengths]
    body = Body.of_pieces(pieces, sum(map(len, lengths)))
    whole, size = bytes(body), len(body)

    lines = [line for piece in lengths for n in piece for line in (b"{}", b"x" * n)]
    assert body.first() == lines[:2]
    assert body.lines() == lines
    assert (bytes(body), len(body), body.first()) == (whole, size, lines[:2])


def test_lines_that_were_changed_are_what_is_sent() -> None:
    body = Body.of_pieces([_document(1), _document(2)], 2)

    body.lines()[3] = b"longer than it was"

    assert bytes(body) == b"{}\nx\n{}\nlonger than it was\n"
    assert len(body) == len(bytes(body))


def test_a_text_is_found_in_pieces_and_in_lines() -> None:
    body = Body.of_pieces([_document(1), _document(2)], 2)

    assert (body.holds(b"xx"), body.holds(b"xxx")) == (True, False)
    body.lines()
    assert (body.holds(b"xx"), body.holds(b"xxx")) == (True, False)


def test_a_document_of_two_lines_is_no_other_documents() -> None:
    body = Body.of_pieces([b"{}\n{\n}\n{}\n{}\n"], 2)

    with pytest.raises(AssertionError, match="not one line"):
        body.lines()
