"""
`sink run`.
"""

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
    from sink.edge import garbage

    garbage.wait()
    from sink.config import load
    from sink.daemon import Daemon
    from sink.edge import arenas, logs

    arenas.bound()
    given = {"kafka.threads": threads, "log.level": log_level}
    flags = {key: value for key, value in given.items() if value is not None}
    config = load(context.obj, flags)
    logs.configure(config.log)
    context.exit(Daemon(config).run())
