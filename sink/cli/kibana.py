"""
`sink kibana`: data views and a starter dashboard in Kibana.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sink.cli.options import config_file
from sink.cli.tables import json_option, on_a_line, print_json, print_table

if TYPE_CHECKING:
    from sink.operations.kibana import SetUp


@click.group()
@config_file
def kibana() -> None:
    """
    Set up what people look at the logs with.
    """


@kibana.command()
@config_file
@click.option("--dry-run", is_flag=True, help="Tell what would be made, and make nothing.")
@json_option
@click.pass_obj
def setup(path: Path | None, *, dry_run: bool, as_json: bool) -> None:
    """
    Make a data view for each user topic, and a dashboard over all of them, where they are missing.

    What is there is never changed, whoever made it. Prints the link to Discover for each. Exit
    code 1: Kibana does not answer, or refuses one of them.
    """
    from sink.config import load
    from sink.operations.kibana import set_up

    done = set_up(load(path), dry_run=dry_run)
    if as_json:
        print_json(_as_json(done))
    else:
        _print(done)
    if done.left_out:
        click.echo(f"sink: {done.left_out} more than kibana.data_views_max left out", err=True)
    if "refused" in {done.dashboard.action, *(step.action for step in done.steps)}:
        raise click.exceptions.Exit(1)


def _print(done: "SetUp") -> None:
    head = ("ACTION", "DATA VIEW", "TIME FIELD", "INDICES", "WHY")
    rows = [
        (step.action, step.view.name, step.wanted.time_field, step.view.title, step.reason)
        for step in done.steps
    ]
    rows.append(
        (done.dashboard.action, done.dashboard.title, "", "dashboard", done.dashboard.reason)
    )
    print_table(head, [[on_a_line(cell) for cell in row] for row in rows])
    click.echo()
    links = [(on_a_line(each.name), each.url) for each in done.links]
    print_table(("LOOK AT", "LINK"), [*links, (done.dashboard.title, done.dashboard.url)])


def _as_json(done: "SetUp") -> dict[str, object]:
    links = {each.title: each.url for each in done.links}
    views = [
        {
            "action": step.action,
            **step.view._asdict(),
            "time_field": step.wanted.time_field,
            "topics": step.wanted.topics,
            "reason": step.reason,
            "discover": links.get(step.view.title),
        }
        for step in done.steps
    ]
    return {
        "data_views": views,
        "dashboard": done.dashboard._asdict(),
        "left_out": done.left_out,
    }
