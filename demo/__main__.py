"""
The demo from a terminal: `python -m demo`, or `make demo`.
"""

import signal
from pathlib import Path

import click
from confluent_kafka import KafkaException
from elasticsearch import ApiError, TransportError

from demo.errors import DemoError, Interrupted
from demo.interrupt import EXIT_INTERRUPTED
from demo.play import Demo
from engines import EngineError

_FOLDER = Path(__file__).parents[1] / ".run" / "demo"


@click.command()
@click.option("--seconds", type=click.IntRange(1), help="How long to produce; else until Ctrl-C.")
@click.option(
    "--rate", type=click.IntRange(1), default=300, show_default=True, help="Records a second."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    default=_FOLDER,
    help="For data, logs and configuration; default: .run/demo.",
)
@click.pass_context
def main(context: click.Context, seconds: int | None, rate: int, folder: Path) -> None:
    """
    Run the sink between a real Kafka and a real Elasticsearch, and account for every record.

    Exit code 1 when one is unaccounted for. Ctrl-C ends it in order, a second one at once.
    """
    # While jars are fetched it ends like Ctrl-C, so that Maven is ended too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        context.exit(Demo(folder, seconds, rate).run())
    except (DemoError, EngineError, KafkaException, ApiError, TransportError) as failure:
        raise click.ClickException(str(failure)) from failure
    except (Interrupted, KeyboardInterrupt):
        click.echo("interrupted before anything was produced", err=True)
        context.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main(prog_name="python -m demo")
