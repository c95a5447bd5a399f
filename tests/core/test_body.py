"""
The body of a request: the same bytes however it is held, cut where a socket would copy it.
"""

import pytest

from sink.core.body import PIECE_BYTES, Body, document_ends

FIRST = [b'{"index":{"_index":"a b"}}', b'{"text":"two words"}']
SECOND = [b'{"index":{"_index":"c"}}', b'{"n":1}']
JOINED = b"\n".join([*FIRST, *SECOND, b""])


def test_the_first_document_of_a_body_is_shown_as_it_is_sent() -> None:
    assert Body.of_pieces([JOINED], 2).first() == FIRST
    assert Body([*FIRST, *SECOND]).first() == FIRST


@pytest.mark.parametrize("size_bytes", [100, PIECE_BYTES + 1, 2 * PIECE_BYTES])
def test_what_a_socket_takes_at_once_is_not_cut(size_bytes: int) -> None:
    piece = b"x" * size_bytes

    assert [*Body.of_pieces([piece], 1)] == [piece]


def test_a_long_piece_is_sent_in_parts_that_are_the_whole() -> None:
    piece = bytes(range(256)) * 10_000

    parts = [*Body.of_pieces([piece], 1)]

    assert b"".join(parts) == piece
    assert len([*Body.of_pieces([b"x" * (2 * PIECE_BYTES + 1)], 1)]) == 3
    assert max(map(len, parts)) == PIECE_BYTES


def test_short_lines_are_joined_and_no_piece_is_a_copy_of_the_whole() -> None:
    assert len([*Body([b"{}"] * 4096)]) == 2
    assert [len(piece) for piece in Body([b"x" * PIECE_BYTES * 2] * 3)] == [PIECE_BYTES * 2 + 1] * 3
    hundreds = [*Body([b"x" * 100_000] * 20)]
    assert 2 < len(hundreds) < 20
    assert max(map(len, hundreds)) <= PIECE_BYTES


def test_a_request_without_documents_is_empty_and_has_no_first_one() -> None:
    """A bulk may hold dead letters alone."""
    for body in (Body([]), Body.of_pieces([], 0)):
        assert (body.first(), body.lines(), bytes(body), len(body)) == ([], [], b"", 0)


def test_a_document_ends_behind_the_newline_of_its_source() -> None:
    first = len(b"\n".join([*FIRST, b""]))

    assert document_ends(JOINED) == [first, len(JOINED)]
    assert document_ends(b"") == []


def test_a_body_has_its_bytes_lines_and_texts_in_either_form() -> None:
    joined, lines = Body.of_pieces([JOINED], 2), Body([*FIRST, *SECOND])

    assert bytes(joined) == bytes(lines) == JOINED
    assert len(joined) == len(lines) == len(JOINED)
    for text, stands in ((b"two words", True), (b"three", False)):
        assert joined.holds(text) is lines.holds(text) is stands
    assert joined.lines() == lines.lines() == [*FIRST, *SECOND]
    assert bytes(joined) == JOINED
