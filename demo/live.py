"""
What is seen while the demo runs: progress lines, then a table that is written over every second.
"""

import os
import sys
import time
from collections.abc import Mapping

import click

from demo.sink_process import Ledger
from demo.table import clipped, table

_HEADS = ("topic", "produced", "indexed", "duplicate", "dead", "dropped", "in flight")
_TABLE_EVERY_S = 1.0
_LINE_EVERY_S = 5.0  # where nothing can be written over


class Live:
    """
    Standard output, as long as the demo runs.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._in_place = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._drawn = 0  # lines of the table that stands above the cursor
        self._next = 0.0

    def say(self, line: str) -> None:
        """
        Tell of a step, with the seconds since the begin.
        """
        seconds = time.monotonic() - self._began
        over = "\r" if self._in_place else ""  # over the "^C" that a terminal writes
        click.echo(f"{over}[{seconds:3.0f} s] {line}")
        self._drawn = 0

    def due(self) -> bool:
        """
        Tell whether it is time to show how far it is.
        """
        return time.monotonic() >= self._next

    def show(self, produced: Mapping[str, int], ledger: Ledger) -> None:
        """
        Show how far producer and sink are.

        Args:
            produced: topic → records.
            ledger: The sink's own account.
        """
        self._next = time.monotonic() + (_TABLE_EVERY_S if self._in_place else _LINE_EVERY_S)
        rows = {topic: _counts(n, ledger.get(topic, {})) for topic, n in produced.items()}
        rows["total"] = [sum(column) for column in zip(*rows.values(), strict=True)]
        if self._in_place:
            self._draw(table(_HEADS, [(topic, *counts) for topic, counts in rows.items()]))
        else:
            told = zip(rows["total"], _HEADS[1:], strict=True)
            self.say(", ".join(f"{count} {head}" for count, head in told))

    def _draw(self, lines: list[str]) -> None:
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        body = "".join(f"\r{clipped(line)}\x1b[K\n" for line in lines)
        sys.stdout.write(up + body)
        sys.stdout.flush()
        self._drawn = len(lines)


def _counts(records: int, fates: Mapping[str, int]) -> list[int]:
    """
    Give the numbers of a topic, in the order of the heads.
    """
    dropped = sum(n for fate, n in fates.items() if fate.startswith("dropped:"))
    indexed, duplicate, dead, in_flight = (
        fates.get(fate, 0) for fate in ("indexed", "duplicate", "dead", "in_flight")
    )
    return [records, indexed, duplicate, dead, dropped, in_flight]
