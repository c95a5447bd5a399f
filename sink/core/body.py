"""
The NDJSON of a request: joined where its documents are made, and cut into lines again on demand.
"""

from collections.abc import Iterator
from itertools import accumulate
from operator import add
from typing import Self

_PIECE_LINES = 2048
PIECE_BYTES = 600_000


class Body:
    """
    The NDJSON of a request, piece by piece: no copy of the whole is ever made.

    It is held joined, as it is sent, until somebody asks for its lines; then as these. Both at once
    would be a copy too many.

    Args:
        lines: One each, without newlines; for each document its action and its source.
    """

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines
        self._pieces: list[bytes] | None = None
        self._documents = 0

    @classmethod
    def of_pieces(cls, pieces: list[bytes], documents: int) -> Self:
        """
        Make a body of so many documents that are joined already. Each piece ends with a newline.
        """
        body = cls([])
        body._pieces, body._documents = pieces, documents
        return body

    def __len__(self) -> int:
        """
        Count the bytes.
        """
        if self._pieces is not None:
            return sum(map(len, self._pieces))
        return sum(map(len, self._lines)) + len(self._lines)

    def __iter__(self) -> Iterator[bytes | memoryview]:
        """
        Give the pieces in order. The last ends with a newline, as every line of NDJSON must.
        """
        return self._joined() if self._pieces is None else _parts(self._pieces)

    def __bytes__(self) -> bytes:
        """
        Join the whole.
        """
        return b"".join(self)

    def lines(self) -> list[bytes]:
        """
        Give the lines, to be read and changed: later pieces are joined of them.
        """
        if self._pieces is not None:
            lines = b"".join(self._pieces).split(b"\n")
            lines.pop()
            # Else an answer would be taken for that of another document.
            assert len(lines) == 2 * self._documents, "a document is not one line"
            self._lines, self._pieces = lines, None
        return self._lines

    def first(self) -> list[bytes]:
        """
        Give the two lines of the first document, and leave the others joined.
        """
        if not self._pieces:
            return self._lines[:2]
        piece = self._pieces[0]
        end = piece.index(b"\n", piece.index(b"\n") + 1)
        return piece[:end].split(b"\n")

    def holds(self, text: bytes) -> bool:
        """
        Tell whether a text stands anywhere in a line.
        """
        return any(text in each for each in (self._lines if self._pieces is None else self._pieces))

    def _joined(self) -> Iterator[bytes]:
        # By their average: fifty documents of 100 KB would be one piece, a copy of the whole.
        fitting = len(self._lines) * PIECE_BYTES // max(1, len(self))
        step = max(1, min(_PIECE_LINES, fitting))
        for begin in range(0, len(self._lines), step):
            piece = self._lines[begin : begin + step]
            piece.append(b"")
            yield b"\n".join(piece)


def _parts(pieces: list[bytes]) -> Iterator[bytes | memoryview]:
    """
    Cut what is long: what a socket does not take at once is copied.
    """
    for piece in pieces:
        if len(piece) <= 2 * PIECE_BYTES:
            yield piece
            continue
        for begin in range(0, len(piece), PIECE_BYTES):
            yield memoryview(piece)[begin : begin + PIECE_BYTES]


def document_ends(piece: bytes) -> list[int]:
    """
    Tell where each document of a piece ends: the bytes of all up to it, with their actions.
    """
    sizes = [len(line) + 1 for line in piece.split(b"\n")]
    return list(accumulate(map(add, sizes[:-1:2], sizes[1::2])))
