"""
`sink run`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import click

from sink.cli.options import config_file


@click.command()
@config_file
@click.option("--threads", type=int, help="Consumer threads, instead of kafka.threads.")
@click.option("--log-level", help="debug, info, warning or error, instead of log.level.")
@click.pass_context
def run(context: click.Context, threads: int | None, log_level: str | None) -> None:
    """
    Move records until stopped (SIGTERM or Ctrl-C; a second one ends at once).
    """
    with _without("rich"):  # structlog takes it where it is: 3 MiB and a tenth of the start
        from sink.config import load
        from sink.daemon import Daemon
        from sink.edge import arenas, logs

    arenas.bound()
    given = {"kafka.threads": threads, "log.level": log_level}
    flags = {key: value for key, value in given.items() if value is not None}
    config = load(context.obj, flags)
    logs.configure(config.log)
    context.exit(Daemon(config).run())


@contextmanager
def _without(name: str) -> Iterator[None]:
    """
    Let imports of a module fail in here, where it was not imported before.

    Source: The Python Language Reference, "The module cache".
    """
    modules = cast("dict[str, object]", sys.modules)
    if modules.setdefault(name, None) is not None:
        yield
        return
    try:
        yield
    finally:
        del modules[name]  # a collector of the user may want it
