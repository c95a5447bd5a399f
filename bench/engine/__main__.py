"""
The bench of the engine: `python -m bench.engine`. Its last line of output is JSON.
"""

import json
import signal
import sys

import click

from bench import null_server
from bench.course import prepared
from bench.engine import page
from bench.engine.result import Engine, targets, write
from bench.engine.run import TOPICS, Indexed, index
from bench.engine.variants import BASE, DEFAULTS, VARIANTS
from bench.runner import RunFailed
from bench.surroundings import machine, versions
from bench.target import told
from engines import Elasticsearch, EngineError

_RECORDS = 300_000
_RUNS = 3
_WARM = 3


@click.command()
@click.option("--records", default=_RECORDS, show_default=True, type=click.IntRange(1))
@click.option("--runs", default=_RUNS, show_default=True, type=click.IntRange(1))
@click.option("--only", multiple=True, type=click.Choice([each.name for each in VARIANTS]))
@click.option("--keep", is_flag=True, help="Write the result whatever its size.")
def main(records: int, runs: int, only: tuple[str, ...], keep: bool) -> None:
    """
    Measure the CPU of a real Elasticsearch and of the sink, by what the sink sends.

    Exit code 1 where it could not be measured; a missed target is told, and no failure.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends like Ctrl-C
    try:
        measured, version = _measured(records, runs, {BASE, *only} if only else set())
    except (EngineError, RunFailed, null_server.ToolMissing) as failure:
        raise click.ClickException(str(failure)) from failure
    one = Engine(
        machine=machine(),
        versions=versions() | {"Elasticsearch": version},
        records=records,
        varied={each.name: (each.setting, each.value) for each in VARIANTS},
        defaults=DEFAULTS,
        runs=measured,
    )
    if not only and (keep or (records >= _RECORDS and runs >= _RUNS)):
        write(one)
        page.draw(one)
        click.echo("Written to bench/results/; `make docs` renders it.", err=True)
    held = targets(one)
    click.echo(f"{page.measured(one)}\n\n{told(held)}")
    click.echo(json.dumps({each.what: each.measured for each in held}))


def _measured(records: int, runs: int, only: set[str]) -> tuple[dict[str, list[Indexed]], str]:
    chosen = [each for each in VARIANTS if not only or each.name in only]
    measured: dict[str, list[Indexed]] = {each.name: [] for each in chosen}
    with (
        prepared(TOPICS, records, len(chosen) * runs) as course,
        Elasticsearch(course.folder / "elasticsearch", heap="2g") as engine,
    ):
        for number in range(_WARM):
            index(course, engine, VARIANTS[0], -1 - number)
        for number in range(runs):
            first = number % len(chosen)
            for variant in [*chosen[first:], *chosen[:first]]:
                measured[variant.name].append(index(course, engine, variant, number))
                course.progress(records)
        return measured, engine.version


if __name__ == "__main__":
    main()
