"""
`sink config`: write a commented file, show what holds and why, print the JSON Schema or a role.
"""

import json
from pathlib import Path

import click

from sink.cli.options import config_file


@click.group()
@config_file
def config() -> None:
    """
    Write, show or describe the configuration.
    """


@config.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead of standard output.",
)
@click.option("--force", is_flag=True, help="Write over a file that is already there.")
def init(output: Path | None, force: bool) -> None:
    """
    Write a TOML file with every setting, its meaning and its default.
    """
    from sink.config.toml import render

    if output is None:
        click.echo(render(), nl=False)
        return
    try:
        with output.open("w" if force else "x", encoding="utf-8") as file:
            file.write(render())
    except FileExistsError as error:
        raise click.UsageError(f"{output} is already there: --force writes over it") from error
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error
    click.echo(f"{output} written. Name your topics in its [[routes]], then: sink config show")


@config.command()
@config_file
@click.option("--json", "as_json", is_flag=True, help="Print JSON: the configuration, its sources.")
@click.pass_obj
def show(path: Path | None, as_json: bool) -> None:
    """
    Show every setting that holds now and where it comes from. Secrets are masked.
    """
    from sink.config import effective, load

    rows = effective(path)
    if as_json:
        sources = {row.key: row.source for row in rows}
        held = load(path).model_dump(mode="json")
        click.echo(json.dumps({"config": held, "sources": sources}, indent=2, ensure_ascii=False))
        return
    from sink.config.toml import literal

    cells = [(key, "unset" if value is None else literal(value), src) for key, value, src in rows]
    cells.insert(0, ("SETTING", "VALUE", "SOURCE"))
    # One long list must not push every source off the screen.
    widths = [max(len(row[column]) for row in cells if len(row[column]) <= 48) for column in (0, 1)]
    for key, value, source in cells:
        click.echo(f"{key:{widths[0]}}  {value:{widths[1]}}  {source}")


@config.command()
def schema() -> None:
    """
    Print the JSON Schema of the configuration file.
    """
    from sink.config import Config

    click.echo(json.dumps(Config.model_json_schema(), indent=2, ensure_ascii=False))


@config.command()
@config_file
@click.pass_obj
def role(path: Path | None) -> None:
    """
    Print the role that the user of Elasticsearch needs, for `PUT _security/role/<name>`.

    It names no more than the configured routes need; asks no cluster.
    """
    from sink.checks import privileges
    from sink.config import load

    click.echo(json.dumps(privileges.role(load(path)), indent=2, ensure_ascii=False))
