"""
Plain tables for a terminal.
"""

import shutil
from collections.abc import Sequence
from unicodedata import east_asian_width

Cell = str | int


def table(heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[str]:
    """
    Lay out rows under their heads: numbers to the right, texts to the left. Nothing without rows.
    """
    if not rows:
        return []
    widths = [max(map(_width, map(str, column))) for column in zip(heads, *rows, strict=True)]
    numeric = [isinstance(cell, int) for cell in rows[0]]
    lines = []
    for cells in (heads, *rows):
        padded = [
            _padded(str(cell), width, right=right)
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return lines


def _width(text: str) -> int:
    """
    Count the columns that a text takes: two for a Chinese character.
    """
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def clipped(line: str) -> str:
    """
    Cut a line to the width of the terminal: one that wraps cannot be written over.
    """
    width = shutil.get_terminal_size((160, 24)).columns
    return line if len(line) <= width else line[: width - 1] + "…"
