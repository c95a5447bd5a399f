"""
The command line. Each file holds one group of commands; none holds logic.
"""

import logging
import sys
from typing import Any

import click

from sink import __version__
from sink.cli.options import config_file
from sink.errors import ConfigError, Unavailable

# command → file of this folder; imported when it is called, so that `sink --help` stays fast.
_COMMANDS = {
    "run": "Move records until stopped.",
    "check": "Try configuration, Kafka, Elasticsearch, templates and routes, and say what to do.",
    "preview": "Show what becomes of the newest records: index, id and document.",
    "audit": "Find each document of a topic: indexed, dead, parked, dropped or missing.",
    "group": "Show and set the group's offsets, take over those of another group.",
    "dlq": "List, show and replay dead letters.",
    "parked": "List the documents whose index takes none, and decide about them.",
    "replay": "Read a range of a topic again and index it.",
    "templates": "Index templates and lifecycles: plan, apply, compare, roll back.",
    "kibana": "Make data views for the topics, and a starter dashboard.",
    "config": "Make, show and describe the configuration.",
}


class Commands(click.Group):
    """
    Imports a command when it is called, and turns errors into one line and an exit code.
    """

    def list_commands(self, _: click.Context) -> list[str]:
        """
        List the commands in the order a newcomer needs them.
        """
        return list(_COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        """
        Import the file of a command.
        """
        if name not in _COMMANDS:
            return None
        from importlib import import_module

        command: click.Command = getattr(import_module(f"sink.cli.{name}"), name)
        return command

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """
        Show the commands without importing them.
        """
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def invoke(self, context: click.Context) -> Any:
        """
        Run a command. Exit codes: 2 for a configuration error, 1 for a failure.
        """
        try:
            return super().invoke(context)
        except ConfigError as error:
            click.echo(f"sink: {error}", err=True)
            context.exit(2)
        except Unavailable as error:
            click.echo(f"sink: {error}", err=True)
            context.exit(1)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@config_file
@click.version_option(__version__, prog_name="sink")
def cli() -> None:
    """
    Move log records from Kafka to Elasticsearch, and account for every one.
    """


def main() -> None:
    """
    Run the command line. Entry point of the package.
    """
    # A command says once why Kafka does not answer; librdkafka would say it at each attempt.
    logging.getLogger("librdkafka").setLevel(logging.CRITICAL)
    try:
        # Outside of standalone mode click returns the code of context.exit().
        sys.exit(cli(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
