"""
`sink preview`.
"""

from pathlib import Path

import click

from sink.cli.options import config_file
from sink.cli.tables import json_option, on_a_line, print_json


@click.command()
@config_file
@click.option(
    "-n",
    "--records",
    type=click.IntRange(1, 10_000),
    default=10,
    show_default=True,
    help="So many of the newest records of each topic.",
)
@click.option("--topic", help="Only this topic; default: each that a route takes.")
@json_option
@click.pass_obj
def preview(path: Path | None, *, records: int, topic: str | None, as_json: bool) -> None:
    """
    Show index, id and document of the newest records, as `sink run` would make them.

    For whoever writes a route, a shape or a collector. Joins no group, asks Elasticsearch nothing
    and writes nothing. Exit code 1: a record would be dead-lettered.
    """
    from sink.config import load
    from sink.edge.kafka.admin import Brokers
    from sink.edge.kafka.reader import Reader
    from sink.operations.preview import as_json as told
    from sink.operations.preview import preview as operation

    config = load(path)
    brokers = Brokers(config.kafka)
    with Reader(config.kafka) as reader:
        fates = list(operation(config, brokers, reader, records, topic))
    if as_json:
        print_json([told(each) for each in fates])
    for each in () if as_json else fates:
        click.echo(f"{each.topic}/{each.partition}/{each.offset}  {each.fate}", nl=False)
        if each.document is None:
            click.echo(f"  {on_a_line(each.why, 1000)}")
            continue
        through = f"  pipeline {each.pipeline}" if each.pipeline else ""
        click.echo(f"  {each.index}  {each.id or '-'}{through}")
        click.echo(f"    {on_a_line(each.document, 10_000)}")
    if not fates:
        click.echo("the topics are empty: there is nothing to show", err=True)
    raise click.exceptions.Exit(1 if any(each.fate == "dead" for each in fates) else 0)
