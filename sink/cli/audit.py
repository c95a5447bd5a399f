"""
`sink audit`.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sink.cli.bounds import Bound
from sink.cli.options import config_file
from sink.cli.tables import json_option, print_table, progress

if TYPE_CHECKING:
    from sink.core.audit import Finding
    from sink.operations.audit import Audit

_SHOWN = 20
_KINDS = ("missing", "surplus", "twice")


@click.command()
@config_file
@click.option("--topic", required=True, help="Topic to audit.")
@click.option("--from", "begin", type=Bound(), help="First offset or time; default: all there is.")
@click.option("--to", "end", type=Bound(), help="Offset after the last, or records before a time.")
@click.option("--partition", type=click.IntRange(min=0), help="Only this partition.")
@click.option("--surplus", is_flag=True, help="Read all ids of the topic's indices as well.")
@click.option("--all", "everything", is_flag=True, help=f"Name more than {_SHOWN} findings.")
@json_option
@click.pass_obj
def audit(
    path: Path | None,
    *,
    topic: str,
    begin: int | datetime | None,
    end: int | datetime | None,
    partition: int | None,
    surplus: bool,
    everything: bool,
    as_json: bool,
) -> None:
    """
    Find each document of a topic: in Elasticsearch, the dead letters or the parked topic.

    Reads the topic in no group, makes index and id of each document as `sink run` does and asks for
    it. Writes nothing, and may run beside `sink run`: a document beyond the committed offset that
    is nowhere yet is not due. What is nowhere and should be is missing. So is what Elasticsearch
    took and did not keep (an ingest pipeline dropped it, the failure store has it, it was deleted),
    and what the group never read because it started later: see --from.

    --surplus reads the ids of all documents in the topic's indices, and names those of offsets
    within the range, and of the topic's present id, that no record gives, and those that are in two
    of these indices. Records that compaction removed leave such.

    Exit code 1: something is missing, surplus or there twice. 2: the route's ids are not the
    sink's own, so it cannot be told.
    """
    from sink.config import load
    from sink.operations.audit import Audit, Range

    if isinstance(begin, int) and isinstance(end, int) and begin >= end:
        raise click.UsageError(f"--from {begin} is not before --to {end}: there is nothing between")
    work = Audit(load(path), Range(topic, begin, end, partition), surplus=surplus)
    findings = _findings(work, hidden=as_json or everything)
    if as_json:
        _print_json(work, findings)
    else:
        _print_findings(findings, None if everything else _SHOWN)
        print_table(("FATE", "DOCUMENTS"), list(work.counts.items()))
    if not any(work.counts.values()):
        click.echo("no record in that range: nothing was looked for", err=True)
    for letters, messages in work.foreign.items():
        click.echo(f"{letters}: {messages} messages are not of the sink, passed over", err=True)
    raise click.exceptions.Exit(1 if any(work.counts[kind] for kind in _KINDS) else 0)


def _findings(work: "Audit", *, hidden: bool) -> "Iterator[Finding]":
    """
    Do the work with a progress bar a stage, and give what it finds.
    """
    for stage, steps in groupby(work.steps(), key=lambda step: step.stage):
        with ExitStack() as shown:
            bar = None
            for step in steps:
                bar = bar or shown.enter_context(progress(step.of, stage, as_json=hidden))
                bar.update(step.done)
                yield from step.findings


def _print_findings(findings: "Iterator[Finding]", shown: int | None) -> None:
    """
    Print all findings as they come, or the first so many when the progress bars are done.
    """
    first = findings if shown is None else list(islice(findings, shown))
    more = 0 if shown is None else sum(1 for _ in findings)
    for each in first:
        at = "" if each.place.position is None else f"-{each.place.position}"
        where = f"{each.topic}/{each.place.partition}/{each.place.offset}{at}"
        click.echo(f"{each.kind}  {where}  {each.in_index or '-'}  {each.id or '-'}")
    if more:
        click.echo(f"and {more} more: --all names them")


def _print_json(work: "Audit", findings: "Iterable[Finding]") -> None:
    """
    Print findings one by one, so that a million of them are never held.
    """
    head = '{"findings": ['  # not before the first finding: a refused question prints no half JSON
    for number, each in enumerate(findings):
        row = {
            "kind": each.kind,
            "topic": each.topic,
            **each.place._asdict(),
            "index": each.in_index,
            "id": each.id,
        }
        before = ",\n" if number else f"{head}\n"
        click.echo(before + json.dumps(row, ensure_ascii=False), nl=False)
        head = ""
    click.echo(f'{head}\n], "counts": {json.dumps(work.counts)}}}')
