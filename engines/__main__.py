"""
The engines from a terminal: `python -m engines fetch | start | stop | status`.
"""

from pathlib import Path
from typing import Any

import click

from engines import Elasticsearch, Engine, EngineError, Kafka, pidfile

_ENGINES: dict[str, type[Kafka | Elasticsearch]] = {
    "kafka": Kafka,
    "elasticsearch": Elasticsearch,
}
_DATA = click.option(
    "--data", required=True, type=click.Path(path_type=Path, file_okay=False), help="Its folder."
)


class _Group(click.Group):
    """
    Shows an error of the engines as its message.
    """

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (EngineError, OSError) as failure:
            raise click.ClickException(str(failure)) from failure


@click.group(cls=_Group)
def main() -> None:
    """
    Start a real Kafka and a real Elasticsearch on loopback.
    """


@main.command()
def fetch() -> None:
    """
    Have all that the tests and the demo need in the cache ($ENGINES_CACHE, ~/.cache/engines).
    """
    for engine in (Kafka("."), Elasticsearch("."), Elasticsearch(".", security=True)):
        click.echo(engine.fetch())


def _settings(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    for one in given:
        if "=" not in one:
            raise click.BadParameter(f"{one!r} is not KEY=VALUE")
    return dict(one.split("=", 1) for one in given)


@main.command()
@click.argument("engine", type=click.Choice(list(_ENGINES)))
@_DATA
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: a free one.")
@click.option("--version", help="Default: the one that the tests use.")
@click.option("--heap", help="As Java writes it, such as 512m.")
@click.option("--set", "settings", multiple=True, callback=_settings, help="KEY=VALUE, repeatable.")
@click.option("--security", is_flag=True, help="Elasticsearch: users, roles, API keys.")
@click.option("--password", help='Of the user "elastic"; default: changeme.')
def start(engine: str, data: Path, **options: Any) -> None:
    """
    Start one that goes on after this command, and print its address.
    """
    given = {key: value for key, value in options.items() if value}
    if engine == "kafka" and given.keys() & {"security", "password"}:
        raise click.UsageError("--security and --password are of Elasticsearch")
    one: Engine = _ENGINES[engine](data, outlive=True, **given)
    one.start()
    click.echo(one.address)


@main.command()
@_DATA
def stop(data: Path) -> None:
    """
    Stop the one of a folder.
    """
    running = pidfile.find(data.resolve())
    by_itself = pidfile.stop(data.resolve())
    if running is None:
        click.echo("not running")
    else:
        click.echo("stopped" if by_itself else "killed: it did not stop by itself")


@main.command()
@_DATA
def status(data: Path) -> None:
    """
    Tell whether one runs on a folder: exit code 0, else 1.
    """
    running = pidfile.find(data.resolve())
    if running is None:
        click.echo("not running")
        raise SystemExit(1)
    click.echo(f"{running.engine} runs at {running.address}, pid {running.pid}")


if __name__ == "__main__":
    main(prog_name="python -m engines")
