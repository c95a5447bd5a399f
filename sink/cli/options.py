"""
Options that every command takes.
"""

from pathlib import Path

import click


def _remember(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    """
    Keep the file for the command: `sink -c FILE run` and `sink run -c FILE` are the same.
    """
    if path is not None:
        context.obj = path


config_file = click.option(
    "-c",
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    expose_value=False,
    callback=_remember,
    help="Configuration file; without it ./sink.toml where there is one.",
)
