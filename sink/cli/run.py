"""
`sink run`.
"""

import sys

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
    # structlog imports it where it is installed: 3 MiB and a tenth of the start, for nothing.
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # so an import fails
    from sink.config import load
    from sink.daemon import Daemon
    from sink.edge import arenas, logs

    if sys.modules["rich"] is None:
        del sys.modules["rich"]  # a collector of the user may want it
    arenas.bound()
    given = {"kafka.threads": threads, "log.level": log_level}
    flags = {key: value for key, value in given.items() if value is not None}
    config = load(context.obj, flags)
    logs.configure(config.log)
    context.exit(Daemon(config).run())
