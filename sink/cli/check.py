"""
`sink check`.
"""

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sink.cli.options import config_file

if TYPE_CHECKING:
    from sink.checks import Finding

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "error": ("✗", "red")}


@click.command()
@config_file
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check(context: click.Context, *, as_json: bool) -> None:
    """
    Try configuration, Kafka, Elasticsearch, templates and routes, and say what to do.

    Writes nothing and joins no group. ✓ is well, ! should be looked at, ✗ must be mended. Exit
    code 1: there is at least one ✗.
    """
    from sink.checks import findings
    from sink.config import load

    config = load(context.obj)
    # What the libraries log comes back as findings; unheard, it would go to standard error.
    logging.basicConfig(handlers=[logging.NullHandler()])
    found = asyncio.run(findings(config, time.time_ns() // 1_000_000))
    if as_json:
        rows = [{"subject": each.subject, "ok": each.ok} | each._asdict() for each in found]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _print(found)
    context.exit(0 if all(each.ok for each in found) else 1)


def _print(found: "Sequence[Finding]") -> None:
    width = max(len(each.subject) for each in found)
    for each in found:
        mark, colour = _MARKS[each.level]
        said = f"{each.text} → {each.remedy}" if each.remedy else each.text
        line = " ".join(said.split())  # what an engine answers may hold line breaks
        click.echo(f"{click.style(mark, fg=colour)} {each.subject:{width}}  {line}")
