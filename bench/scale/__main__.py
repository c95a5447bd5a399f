"""
The bench of growth: `python -m bench.scale`. Its last line of output is JSON.
"""

import json
import signal
import sys

import click

from bench import load, null_server
from bench.course import prepared
from bench.runner import RunFailed
from bench.scale import page, run
from bench.scale.result import (
    PROCESSES,
    SHAPES,
    Grouped,
    Grown,
    Idle,
    Scale,
    Started,
    name,
    partitions,
    targets,
    write,
)
from bench.surroundings import machine, versions
from bench.target import told
from engines import EngineError

_RECORDS = 2_000_000
_RUNS = 5
_IDLE_SHAPES = (SHAPES[0], SHAPES[1], SHAPES[-1])
_IDLE_S = 30.0


@click.command()
@click.option("--records", default=_RECORDS, show_default=True, type=click.IntRange(1))
@click.option("--runs", default=_RUNS, show_default=True, type=click.IntRange(1))
@click.option("--keep", is_flag=True, help="Write the result whatever its size.")
def main(records: int, runs: int, keep: bool) -> None:
    """
    Measure how cost grows with topics, partitions and processes, and what idling and starting cost.

    Exit code 1 where it could not be measured; a missed target is told, and no failure.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends like Ctrl-C
    try:
        started, grouped = _usual(records, runs)
        one = Scale(
            machine=machine(),
            versions=versions(),
            records=records,
            grown={name(shape): _grown(shape, records, runs) for shape in SHAPES},
            idle={name(shape): _idle(shape, min(runs, 3)) for shape in _IDLE_SHAPES},
            started=started,
            grouped=grouped,
        )
    except (EngineError, RunFailed, null_server.ToolMissing) as failure:
        raise click.ClickException(str(failure)) from failure
    if keep or (records >= _RECORDS and runs >= _RUNS):
        write(one)
        page.draw(one)
        click.echo("Written to bench/results/; `make docs` renders it.", err=True)
    held = targets(one)
    click.echo(f"{page.measured(one)}\n\n{told(held)}")
    click.echo(json.dumps({each.what: each.measured for each in held}))


def _usual(records: int, runs: int) -> tuple[list[Started], dict[str, list[Grouped]]]:
    """
    Measure starts and groups, on the topics of the bench.
    """
    with prepared(load.TOPICS, records, runs) as course:
        run.group(course, 1, -1)  # warms up broker and caches
        grouped: dict[str, list[Grouped]] = {str(processes): [] for processes in PROCESSES}
        for number in range(runs):
            for processes in PROCESSES:
                grouped[str(processes)].append(run.group(course, processes, number))
        return [run.start(course, number) for number in range(runs)], grouped


def _grown(shape: tuple[int, int], records: int, runs: int) -> list[Grown]:
    topics = run.topics(shape)
    stride = max(1, min(load.STRIDE, records // partitions(name(shape))))
    with prepared(topics, records, runs, stride=stride) as course:
        return [run.grow(course, number) for number in range(runs)]


def _idle(shape: tuple[int, int], runs: int) -> list[Idle]:
    with prepared(run.topics(shape), partitions(name(shape)), runs, stride=1) as course:
        return [run.idle(course, number, _IDLE_S) for number in range(runs)]


if __name__ == "__main__":
    main()
