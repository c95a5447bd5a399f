"""
Does the sink find how many bulks to send at a time? `python -m bench.adaptive`.

Beside fixed numbers, on servers that are fast, slow and stalling. Its last line of output is JSON.
"""

import json
import os
import signal
import sys
from functools import partial
from pathlib import Path

import click

from bench import adaptive_page, load, null_server
from bench.adaptive_page import FIXED, LATEST, SERVERS, Adaptive, Run, targets
from bench.candidates import Place, sink
from bench.course import Course, prepared
from bench.null_server import NullElasticsearch
from bench.runner import RunFailed, started
from bench.surroundings import machine, versions
from bench.target import told
from engines import EngineError

_RECORDS = 400_000
_RUNS = 3
_SMALL = "\n[bulk]\ndocs_max = 500\n"  # many answers: that is what it learns from
_ARRIVE_MS = 180_000


@click.command()
@click.option("--records", default=_RECORDS, show_default=True, type=click.IntRange(1000))
@click.option("--runs", default=_RUNS, show_default=True, type=click.IntRange(1))
@click.option("--keep", is_flag=True, help="Write the result whatever its size.")
def main(records: int, runs: int, keep: bool) -> None:
    """
    Measure documents a second with a number that is found, and with fixed ones.

    Exit code 1 where it could not be measured; a missed target is told, and no failure.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends like Ctrl-C
    numbers = (None, *FIXED)
    found: dict[str, dict[str, list[Run]]] = {
        name: {adaptive_page.name(number): [] for number in numbers} for name in SERVERS
    }
    try:
        with prepared(load.TOPICS, records, len(SERVERS) * len(numbers) * runs) as course:
            for turn in range(runs):
                for server, samples in found.items():
                    for number in numbers:
                        run = _run(course, server, number, turn)
                        samples[adaptive_page.name(number)].append(run)
    except (EngineError, RunFailed, null_server.ToolMissing) as failure:
        raise click.ClickException(str(failure)) from failure
    one = Adaptive(machine=machine(), versions=versions(), records=records, found=found)
    if keep or (records >= _RECORDS and runs >= _RUNS):
        LATEST.write_text(json.dumps(one, indent=1) + "\n", encoding="utf-8")
        click.echo("Written to bench/results/; `make docs` renders it.", err=True)
    held = targets(one)
    click.echo(f"{adaptive_page.measured(one)}\n\n{told(held)}")
    click.echo(json.dumps({each.what: each.measured for each in held}))


def _run(course: Course, server: str, number: int | None, turn: int) -> Run:
    """
    Read the backlog once, and time all but its first quarter: in that one it learns.
    """
    folder = course.folder / f"{server}-{adaptive_page.name(number)}-{turn}"
    folder.mkdir()
    load_average = os.getloadavg()[0]
    with NullElasticsearch(
        course.null_elasticsearch, folder / "null.log", **SERVERS[server].behaviour
    ) as null:
        place = Place(course.bootstrap_servers, null.address, f"bench-{folder.name}", folder)
        with started("sink", _command(place, number), folder / "output.log"):
            arrived = partial(null.counted, wait_ms=_ARRIVE_MS)
            first, last = arrived(course.documents // 4), arrived(course.documents)
    if last["docs"] < course.documents:
        raise RunFailed(f"only {last['docs']} of {course.documents} documents came")
    course.progress(course.documents)
    took_s = (last["last_ns"] - first["last_ns"]) / 1e9
    return Run(docs_per_s=(last["docs"] - first["docs"]) / took_s, load=load_average)


def _command(place: Place, number: int | None) -> list[str]:
    command = sink(place, _SMALL)
    if number is None:
        return command
    script = Path(__file__).with_name("fixed.py")
    # -P: beside it are modules of the bench, which must not stand before others of their name.
    return [sys.executable, "-P", str(script), str(number), *command[1:]]


if __name__ == "__main__":
    main()
