"""
Inputs that people can read and a fuzzer can mutate: lines of words, and chunks between separators.
"""

from collections.abc import Sequence
from typing import TypeVar

Choice = TypeVar("Choice")

SEPARATOR = b"\n\x1e\n"
_DIGITS_MAX = 20


class Words:
    """
    Numbers and other words of a line. A word that is missing or no number has a default.
    """

    def __init__(self, line: bytes) -> None:
        self._words = line.split(b" ")

    def number(self, position: int, low: int, high: int, default: int = 0) -> int:
        """
        Read a number, brought within low <= number <= high.
        """
        try:
            value = int(self._word(position)[:_DIGITS_MAX])
        except ValueError:
            value = default
        return min(max(value, low), high)

    def is_none(self, position: int) -> bool:
        """
        Tell whether a word is `-`: not there.
        """
        return self._word(position) == b"-"

    def pick(self, position: int, choices: Sequence[Choice]) -> Choice:
        """
        Read a number as a choice.
        """
        return choices[self.number(position, 0, 10**9) % len(choices)]

    def rest(self, position: int) -> list[bytes]:
        """
        Give the words from a position on.
        """
        return self._words[position:]

    def _word(self, position: int) -> bytes:
        return self._words[position] if position < len(self._words) else b""


def headed(chunk: bytes) -> tuple[Words, bytes]:
    """
    Split a chunk into the words of its first line and what follows.
    """
    head, _, rest = chunk.partition(b"\n")
    return Words(head), rest


def fields(head: bytes) -> list[tuple[str, bytes | None]]:
    """
    Read `name: value` lines. A line without a colon has no value.
    """
    found: list[tuple[str, bytes | None]] = []
    for line in head.split(b"\n"):
        name, colon, value = line.partition(b":")
        if line:
            given = value.removeprefix(b" ") if colon else None
            found.append((name.decode(errors="replace"), given))
    return found
