"""
The bench beside other programs: `python -m bench.peers`. Its last line of output is JSON.
"""

import json
import signal
import sys
from collections.abc import Callable
from typing import TypeVar

import click

from bench import load, null_server, plot
from bench import result as results
from bench.candidates import CANDIDATES, Candidate
from bench.course import prepared
from bench.measure import Sample, line
from bench.peers import behaviour, page
from bench.peers.candidates import Peer, measured, peers
from bench.peers.result import Beside, summed, targets, write
from bench.runner import RunFailed, run
from bench.target import told
from engines import EngineError

_RECORDS = 2_000_000
_RUNS = 5
_KILLED = 400_000
_KILLED_AT = (0.4, 0.6, 0.8)
_REFUSED = 20_000
_REFUSED_EVERY = 1_000


T = TypeVar("T")


class _Attempts:
    """
    What failed. One program that fails must not cost the figures of the others.
    """

    def __init__(self) -> None:
        self.failed: list[str] = []

    def result(self, do: Callable[[], T]) -> list[T]:
        """
        Do it, and give what came out; nothing where it failed.
        """
        try:
            return [do()]
        except RunFailed as failure:
            self.failed.append(str(failure))
            return []


@click.command()
@click.option("--records", default=_RECORDS, show_default=True, type=click.IntRange(1))
@click.option("--runs", default=_RUNS, show_default=True, type=click.IntRange(1))
@click.option("--kills", default=len(_KILLED_AT), show_default=True, type=click.IntRange(1, 3))
@click.option("--keep", is_flag=True, help="Write the result whatever its size.")
def main(records: int, runs: int, kills: int, keep: bool) -> None:
    """
    Measure the sink beside rsyslog and the OpenTelemetry Collector.

    Exit code 1 where a run failed; a missed target is told, and no failure.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends like Ctrl-C
    attempts = _Attempts()
    found, missing = peers()
    try:
        one = _measured(records, runs, kills, found, attempts)
    except (EngineError, RunFailed, null_server.ToolMissing) as failure:
        raise click.ClickException(str(failure)) from failure
    one["not_run"] = missing
    if keep or (records >= _RECORDS and runs >= _RUNS and not attempts.failed):
        write(one)
        _draw(one)
        click.echo("Written to bench/results/; `make docs` renders it.", err=True)
    click.echo(page.measured(one))
    click.echo("\n" + told(targets(one)))
    by_name = summed(one)
    for each in attempts.failed:
        click.echo(f"Failed: {each}", err=True)
    click.echo(json.dumps(line(by_name["sink"], by_name["floor"])))
    sys.exit(bool(attempts.failed))


def _measured(
    records: int, runs: int, kills: int, found: list[Peer], attempts: _Attempts
) -> Beside:
    candidates = measured(found)
    samples = _moved(records, runs, candidates, attempts)
    what = {each.candidate.name: f"{each.candidate.what} {each.version}" for each in found}
    return Beside(
        moved=results.result(records, load.TOPICS, samples),
        what={each.name: each.what for each in CANDIDATES} | what,
        not_run={},
        killed=_killed(candidates[1:], kills, attempts),
        killed_records=_KILLED,
        refused=_refused(candidates[1:], attempts),
        refused_records=_REFUSED,
    )


def _moved(
    records: int, runs: int, candidates: list[Candidate], attempts: _Attempts
) -> dict[str, list[Sample]]:
    samples: dict[str, list[Sample]] = {each.name: [] for each in candidates}
    with prepared(load.TOPICS, records, len(candidates) * (runs + 1)) as course:
        for number in range(runs + 1):
            first = number % len(candidates)
            for candidate in [*candidates[first:], *candidates[:first]]:
                # The first turn warms up broker and caches, and has every document checked.
                done = attempts.result(
                    lambda: run(course, candidate, number, strict=number == 0)  # noqa: B023
                )
                samples[candidate.name] += done if number else []
    return {name: runs for name, runs in samples.items() if runs}


def _killed(
    candidates: list[Candidate], kills: int, attempts: _Attempts
) -> dict[str, list[behaviour.Killed]]:
    killed: dict[str, list[behaviour.Killed]] = {}
    with prepared(load.TOPICS, _KILLED, 1, source=load.numbered(_KILLED)) as course:
        for each in candidates:
            for number, share in enumerate(_KILLED_AT[-kills:]):
                done = attempts.result(
                    lambda: behaviour.kill(course, each, number, share)  # noqa: B023
                )
                killed[each.name] = killed.get(each.name, []) + done
    return {name: kills for name, kills in killed.items() if kills}


def _refused(candidates: list[Candidate], attempts: _Attempts) -> dict[str, behaviour.Refused]:
    with prepared(load.TOPICS, _REFUSED, 1, source=load.numbered(_REFUSED)) as course:
        return {
            each.name: done
            for each in candidates
            for done in attempts.result(
                lambda: behaviour.refuse(course, each, _REFUSED_EVERY)  # noqa: B023
            )
        }


def _draw(one: Beside) -> None:
    by_name = summed(one)
    with plot.drawn("peers", 2) as (cpu, speed):
        plot.bars(cpu, {n: f.us_per_record for n, f in by_name.items()}, "µs CPU a record")
        plot.bars(speed, {n: f.records_per_s for n, f in by_name.items()}, "records/s")


if __name__ == "__main__":
    main()
