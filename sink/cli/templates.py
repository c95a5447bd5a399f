"""
`sink templates`: compare, write and show the index templates.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from sink.cli.options import config_file
from sink.cli.tables import json_option, print_json, print_table

if TYPE_CHECKING:
    from sink.config import Config
    from sink.core.template_plan import Step
    from sink.edge.elastic import Elastic

T = TypeVar("T")

_NEXT = "\nIt is for the next index: those that are there keep their mapping and lifecycle."
_DRY = "Nothing is written: --yes does it."
_ROLLED_BACK = (
    "No sink writes the version again that was rolled back, until it wants another one. "
    "The same command brings it back."
)


@click.group()
@config_file
def templates() -> None:
    """
    Compare, write, show and roll back index templates and lifecycle policies.

    They take effect when an index is created: indices that are there keep mapping and lifecycle.
    """


@templates.command()
@config_file
@json_option
@click.pass_obj
def plan(path: Path | None, *, as_json: bool) -> None:
    """
    Tell what `apply` would do and why, and write nothing.

    Exit code 1: a template of another owner is in the way.
    """
    from sink.templates import plan as planned

    _print_steps(_with_cluster(path, planned), as_json=as_json, with_diffs=True)


@templates.command()
@config_file
@json_option
@click.pass_obj
def apply(path: Path | None, *, as_json: bool) -> None:
    """
    Create the templates that are missing and update the sink's own.

    Never deletes one, never touches one of another owner. Exit code 1: such a one is in the way.
    """
    from sink.templates import apply as applied

    _print_steps(_with_cluster(path, applied), as_json=as_json, with_diffs=False)


@templates.command("list")
@config_file
@json_option
@click.pass_obj
def list_(path: Path | None, *, as_json: bool) -> None:
    """
    List the sink's templates that are in the cluster.
    """
    from sink.core.template import patterns_of
    from sink.core.template_body import version_of
    from sink.templates import installed

    found = _with_cluster(path, lambda store, _: installed(store))
    rows = [(each.kind, each.name, version_of(each.body), patterns_of(each)) for each in found]
    if as_json:
        keys = ("kind", "name", "version", "index_patterns")
        click.echo(json.dumps([dict(zip(keys, row, strict=True)) for row in rows], indent=2))
        return
    head = ("KIND", "NAME", "VERSION", "INDEX PATTERNS")
    print_table(head, [(*row[:3], " ".join(row[3])) for row in rows])


@templates.command()
@config_file
@click.argument("name")
@click.pass_obj
def show(path: Path | None, name: str) -> None:
    """
    Print the template or policy NAME as `apply` would write it; asks no cluster.
    """
    from sink.config import load
    from sink.templates import wanted

    offered = wanted(load(path))
    found = [template for template in offered if template.name == name]
    if not found:
        names = ", ".join(dict.fromkeys(template.name for template in offered)) or "none"
        raise click.UsageError(f"the routes need no template {name!r}; those they need: {names}")
    for template in found:
        click.echo(json.dumps(template.body, indent=2, ensure_ascii=False))


@templates.command("diff")
@config_file
@json_option
@click.pass_obj
def diff_(path: Path | None, *, as_json: bool) -> None:
    """
    Show what differs between the cluster and what is wanted, changes by hand included.

    Exit code 1: something does.
    """
    from sink.templates import difference
    from sink.templates import plan as planned

    steps = _with_cluster(path, planned)
    found = [(step, text) for step in steps if (text := difference(step))]
    if as_json:
        keys = ("kind", "name", "action", "why", "diff")
        print_json([dict(zip(keys, _told(step, text), strict=True)) for step, text in found])
    else:
        told = (f"{text}\n# {step.action}: {step.reason}\n" for step, text in found)
        click.echo("\n".join(told) or "nothing differs")
    if found:
        raise click.exceptions.Exit(1)


@templates.command()
@config_file
@json_option
@click.argument("names", nargs=-1)
@click.option("--yes", is_flag=True, help="Do it; without it only the change is shown.")
@click.pass_obj
def rollback(path: Path | None, names: tuple[str, ...], *, yes: bool, as_json: bool) -> None:
    """
    Bring back the version of templates NAMES that was there before; without NAMES list those with.

    It is for the next index: those that are there keep their mapping. No sink writes the version
    again that was rolled back; another one is written as ever. Doing it again brings it back.
    """
    from sink.templates.rollback import kept
    from sink.templates.rollback import rollback as rolled

    if not names:
        rows = _with_cluster(path, lambda store, _: kept(store))
        if as_json:
            print_json([row._asdict() for row in rows])
            return
        print_table(("KIND", "NAME", "VERSION", "PREVIOUS"), rows)
        return
    steps = _with_cluster(path, lambda store, _: rolled(store, names, dry_run=not yes))
    _print_steps(steps, as_json=as_json, with_diffs=True)
    if not as_json:
        click.echo(_ROLLED_BACK if yes else _DRY)


@templates.command()
@config_file
@json_option
@click.argument("topic")
@click.pass_obj
def simulate(path: Path | None, topic: str, *, as_json: bool) -> None:
    """
    Ask the cluster what the next index of a TOPIC gets, by the templates that are in it.

    Makes no index.
    """
    import time

    from sink.templates.simulation import simulate as simulated

    now_ms = time.time_ns() // 1_000_000
    found = _with_cluster(path, lambda store, config: simulated(store, config, topic, now_ms))
    if as_json:
        print_json(found._asdict())
        return
    click.echo(f"topic {found.topic}, route {found.route}: {found.target}")
    click.echo(f"takes the template {found.template or 'of no one: Elasticsearch guesses'}")
    print_json({"settings": found.settings, "mappings": found.mappings} | found.own_lifecycle())


def _with_cluster(path: Path | None, work: "Callable[[Elastic, Config], Awaitable[T]]") -> T:
    """
    Do some work with the cluster of a configuration file.
    """
    from sink.config import load
    from sink.edge.elastic import Elastic

    config = load(path)

    async def connected() -> T:
        async with Elastic(config.elasticsearch) as elastic:
            return await work(elastic, config)

    return asyncio.run(connected())


def _told(step: "Step", text: str) -> tuple[str, ...]:
    return step.template.kind, step.template.name, step.action, step.reason, text


def _print_steps(steps: "Sequence[Step]", *, as_json: bool, with_diffs: bool) -> None:
    """
    Print what is or was to be done; exit with 1 when a foreign template is in the way.
    """
    from sink.core.template_plan import WRITES, StepAction
    from sink.templates import diff

    rows = [
        (step.action, step.template.kind, step.template.name, step.reason)
        + ((diff(step),) if with_diffs else ())
        for step in steps
    ]
    if as_json:
        keys = ("action", "kind", "name", "reason", "diff")
        click.echo(json.dumps([dict(zip(keys, row, strict=False)) for row in rows], indent=2))
    else:
        print_table(("ACTION", "KIND", "NAME", "WHY"), [row[:4] for row in rows])
        click.echo("".join(f"\n{text}\n" for row in rows for text in row[4:] if text), nl=False)
    if not as_json and any(step.action in WRITES for step in steps):
        click.echo(_NEXT)
    if any(step.action is StepAction.FOREIGN for step in steps):
        raise click.exceptions.Exit(1)
