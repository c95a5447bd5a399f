"""
What every command prints alike: tables for people, JSON for programs, progress for who waits.
"""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: object) -> None:
    """
    Print a value as JSON. What JSON does not know (a time, a path) becomes its text.
    """
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> None:
    """
    Print rows under a head, each column but the last as wide as its longest cell.
    """
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [*(max(map(len, column)) for column in zip(*cells, strict=True))][:-1]
    for row in cells:
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*padded, row[-1]]).rstrip())


def on_a_line(text: str, longest: int = 200) -> str:
    """
    Make a text fit for a cell: no line break, nothing that a terminal obeys, not too long.
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def progress(length: int, label: str, *, as_json: bool) -> "ProgressBar[Any]":
    """
    Make a progress bar with the time left, on standard error: a context manager with `update(n)`.

    It is hidden with --json, and where standard error is no terminal.
    """
    return click.progressbar(
        length=length,
        label=label,
        show_eta=True,
        show_percent=True,
        file=sys.stderr,
        hidden=as_json or not sys.stderr.isatty(),
    )
