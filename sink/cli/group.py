"""
`sink group`: show and set the offsets of the consumer group.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sink.cli.bounds import Bound
from sink.cli.options import config_file
from sink.cli.tables import json_option, print_json, print_table

if TYPE_CHECKING:
    from sink.config import Config
    from sink.core.standing import Plan
    from sink.operations.group import Goal

_dry_run = click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
_yes = click.option("--yes", is_flag=True, help="Do it without asking.")


class _Goal(Bound):
    name = "earliest|latest|offset|time"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """
        Read one of the two words, an offset or a time.
        """
        return value if value in ("earliest", "latest") else super().convert(value, param, context)


@click.group()
@config_file
def group() -> None:
    """
    Show and set the offsets of the consumer group.

    A committed offset is where `sink run` goes on: everything before it is accounted for.
    """


@group.command()
@config_file
@json_option
@click.pass_obj
def show(path: Path | None, *, as_json: bool) -> None:
    """
    Tell where the group stands in every partition, how far behind it is and who has it.
    """
    from sink.config import load
    from sink.operations.group import show as standings

    found = standings(load(path))
    if as_json:
        print_json(
            [
                {**each.partition._asdict(), **each._asdict(), "lag": each.lag, "state": each.state}
                | {"partition": each.partition.number}
                for each in found
            ]
        )
        return
    head = ("TOPIC", "PARTITION", "COMMITTED", "BEGIN", "END", "LAG", "MEMBER", "STATE")
    rows = [
        (*each.partition, each.committed, each.begin, each.end, each.lag, each.member, each.state)
        for each in found
    ]
    print_table(head, [["-" if cell is None else cell for cell in row] for row in rows])


@group.command()
@config_file
@click.option("--topic", required=True, help="Topic whose offsets are set.")
@click.option("--to", "goal", type=_Goal(), required=True, help="Where `sink run` is to go on.")
@click.option("--partition", type=click.IntRange(min=0), help="Only this partition.")
@_dry_run
@_yes
@json_option
@click.pass_obj
def seek(
    path: Path | None,
    *,
    topic: str,
    goal: "Goal",
    partition: int | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """
    Set the offsets of a topic while the sink is stopped.

    Going back indexes records again, which ids make harmless; going forward leaves records out.
    Exit code 1: the group is running, or there is no such offset.
    """
    from sink.config import load
    from sink.operations.group import plan_seek

    config = load(path)
    plan = plan_seek(config, topic, goal, partition)
    _carry_out(config, plan, dry_run=dry_run, yes=yes, as_json=as_json)


@group.command("import")
@config_file
@click.option("--from-group", "other", required=True, help="Consumer group of the other tool.")
@click.option("--topics", multiple=True, help="Only this topic; may be given several times.")
@click.option("--overwrite", is_flag=True, help="Also where our group has committed offsets.")
@_dry_run
@_yes
@json_option
@click.pass_obj
def import_(
    path: Path | None,
    *,
    other: str,
    topics: tuple[str, ...],
    overwrite: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """
    Take over the offsets of another tool's group, for the topics that the routes read.

    Stop both first: a tool that goes on would index what the sink indexes too. Where the other
    group has committed nothing, the sink begins at the first record. Exit code 1: one of the groups
    is running, there is nothing to take over, or our group has offsets of its own.
    """
    from sink.config import load
    from sink.operations.group import plan_import

    config = load(path)
    plan = plan_import(config, other, topics, overwrite=overwrite)
    _carry_out(config, plan, dry_run=dry_run, yes=yes, as_json=as_json)


def _carry_out(config: "Config", plan: "Plan", *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """
    Show a plan, and carry it out when nothing is in its way and the operator wants it.
    """
    from sink.operations.group import apply

    _print(plan, as_json=as_json)
    for topic in plan.left_out:
        click.echo(f"left out, no route reads it: {topic}", err=True)
    for obstacle in plan.obstacles:
        click.echo(f"sink: {obstacle}", err=True)
    if plan.obstacles:
        raise click.exceptions.Exit(1)
    if dry_run or not plan.offsets:
        return
    if not yes:
        _ask(f"Set {len(plan.offsets)} offsets of group {plan.group}?")
    apply(config, plan)
    click.echo(f"{len(plan.offsets)} offsets of group {plan.group} set", err=True)


def _print(plan: "Plan", *, as_json: bool) -> None:
    rows = [(*move.partition, move.before, move.after, move.why) for move in plan.moves]
    if as_json:
        keys = ("topic", "partition", "before", "after", "why")
        print_json([dict(zip(keys, row, strict=True)) for row in rows])
        return
    head = ("TOPIC", "PARTITION", "BEFORE", "AFTER", "WHAT FOLLOWS")
    print_table(head, [["-" if cell is None else cell for cell in row] for row in rows])


def somebody_is_there() -> bool:
    """
    Tell whether a question can be answered.
    """
    return sys.stdin.isatty()


def _ask(question: str) -> None:
    if not somebody_is_there():
        raise click.UsageError(f"{question} Nobody is there to answer: say --yes, or --dry-run")
    click.confirm(question, abort=True, err=True)
