"""
The bench of latency: `python -m bench.latency`. Its last line of output is JSON.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click

from bench import candidates, load, measure, null_server
from bench.course import Course, prepared
from bench.latency import paced, page
from bench.latency.paced import Pace, Paced
from bench.latency.result import Latency, Paces, targets, write
from bench.null_server import NullElasticsearch
from bench.runner import RunFailed, started
from bench.surroundings import machine, versions
from bench.target import told
from engines import EngineError

_RATES = (1_000, 10_000, 50_000)
_SECONDS = 20.0
_RUNS = 3
_WARM_S, _ARRIVE_S = 60, 60
_WARM_UP_S = 10.0
_REPOSITORY = Path(__file__).parents[2]


@click.command()
@click.option("--seconds", default=_SECONDS, show_default=True, type=click.FloatRange(1))
@click.option("--runs", default=_RUNS, show_default=True, type=click.IntRange(1))
@click.option("--rate", "rates", multiple=True, default=_RATES, show_default=True, type=int)
@click.option("--more", default="", help="Further lines of the sink's configuration, for trials.")
@click.option("--keep", is_flag=True, help="Write the result whatever its size.")
def main(seconds: float, runs: int, rates: tuple[int, ...], more: str, keep: bool) -> None:
    """
    Measure the delay from due to acknowledged at several rates.

    Exit code 1 where it could not be measured; a missed target is told, and no failure.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends like Ctrl-C
    partitions = sum(load.TOPICS.values())
    by_rate: dict[str, list[Paces]] = {str(rate): [] for rate in rates}
    try:
        for number in range(runs):
            # A broker of its own for each: a fresh sink first reads what is there.
            with prepared(load.TOPICS, partitions * load.STRIDE, 1) as course:
                for rate, paces in _run(course, number, rates, seconds, more).items():
                    by_rate[rate].append(paces)
    except (EngineError, RunFailed, null_server.ToolMissing) as failure:
        raise click.ClickException(str(failure)) from failure
    one = Latency(
        machine=machine(),
        versions=versions(),
        partitions=partitions,
        seconds=seconds,
        runs=by_rate,
    )
    whole = seconds >= _SECONDS and runs >= _RUNS and rates == _RATES
    if keep or (whole and not more):
        write(one)
        page.draw(one)
        click.echo("Written to bench/results/; `make docs` renders it.", err=True)
    held = targets(one)
    click.echo(f"{page.measured(one)}\n\n{told(held)}")
    click.echo(json.dumps({each.what: each.measured for each in held}))


def _run(
    course: Course, number: int, rates: tuple[int, ...], seconds: float, more: str
) -> dict[str, Paces]:
    """
    Start a sink, have it read what is there, and measure one rate after the other.
    """
    folder = course.folder / f"latency-{number}"
    folder.mkdir()
    with NullElasticsearch(course.null_elasticsearch, folder / "null.log", marked=True) as server:
        place = candidates.Place(
            course.bootstrap_servers, server.address, f"bench-latency-{number}", folder
        )
        with started("sink", candidates.sink(place, more), folder / "output.log") as process:
            _arrived(server, course.documents, _WARM_S)
            # Not counted: the group may still be rebalanced, and connections be made.
            _paced(course, server, process.pid, rates[0], _WARM_UP_S)
            return {str(rate): _paced(course, server, process.pid, rate, seconds) for rate in rates}


def _paced(course: Course, server: NullElasticsearch, pid: int, rate: int, seconds: float) -> Paces:
    before, load_average = server.counted(), os.getloadavg()[0]
    began, cpu_s = time.monotonic(), measure.cpu_s(pid)
    pace = Pace(
        bootstrap_servers=course.bootstrap_servers,
        topics=load.TOPICS,
        per_s=rate,
        seconds=seconds,
    )
    command = [sys.executable, "-m", paced.__name__, json.dumps(pace)]
    done = subprocess.run(
        command,
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RunFailed(f"the producer ended with {done.returncode}: {done.stderr[-500:]}")
    own: Paced = json.loads(done.stdout)
    _arrived(server, before["docs"] + own["records"], _ARRIVE_S)
    share = (measure.cpu_s(pid) - cpu_s) / (time.monotonic() - began)
    return Paces(
        delays=server.delays(),
        producer=own,
        bulks=server.counted()["bulks"] - before["bulks"],
        cpu_share=share,
        load=load_average,
    )


def _arrived(server: NullElasticsearch, documents: int, within_s: int) -> None:
    counted = server.counted(documents, within_s * 1000)
    if counted["docs"] < documents:
        raise RunFailed(f"only {counted['docs']} of {documents} documents came in {within_s} s")


if __name__ == "__main__":
    main()
