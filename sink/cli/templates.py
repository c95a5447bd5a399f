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
from sink.cli.tables import json_option, print_table

if TYPE_CHECKING:
    from sink.config import Config
    from sink.core.template import Step
    from sink.templates import TemplateStore

T = TypeVar("T")


@click.group()
@config_file
def templates() -> None:
    """
    Compare, write and show the index templates.

    A template takes effect when an index is created: indices that are there keep their mapping.
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
    from sink.core.template import patterns_of, version_of
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
    Print the template NAME as `apply` would write it; asks no cluster.
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


def _with_cluster(path: Path | None, work: "Callable[[TemplateStore, Config], Awaitable[T]]") -> T:
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


def _print_steps(steps: "Sequence[Step]", *, as_json: bool, with_diffs: bool) -> None:
    """
    Print what is or was to be done; exit with 1 when a foreign template is in the way.
    """
    from sink.core.template import StepAction
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
    if any(step.action is StepAction.FOREIGN for step in steps):
        raise click.exceptions.Exit(1)
