"""
The bench from a terminal: `python -m bench`. Its last line of output is JSON.
"""

import signal
import sys

import click

from bench import load, null_server, page
from bench import result as results
from bench.candidates import CANDIDATES, Candidate
from bench.course import conclude, prepared
from bench.measure import Sample, bounds, line
from bench.runner import RunFailed, run
from engines import EngineError

_RECORDS = 2_000_000
_RUNS = 5


@click.command()
@click.option("--records", default=_RECORDS, show_default=True, type=click.IntRange(1))
@click.option("--runs", default=_RUNS, show_default=True, type=click.IntRange(1))
@click.option(
    "--only",
    type=click.Choice([each.name for each in CANDIDATES]),
    help="One candidate alone; then there is no ratio and the last line is no JSON.",
)
def main(records: int, runs: int, only: str | None) -> None:
    """
    Measure the CPU and the memory that a record costs, beside the floor loop.

    Exit code 1 where a bound is broken or a candidate failed.
    """
    # Ends like Ctrl-C, so that what was started is ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    candidates = [each for each in CANDIDATES if only in (None, each.name)]
    try:
        samples = _samples(records, runs, candidates)
    except (EngineError, RunFailed, null_server.ToolMissing) as failure:
        raise click.ClickException(str(failure)) from failure
    _report(
        results.result(records, load.TOPICS, samples), whole=records >= _RECORDS and runs >= _RUNS
    )


def _samples(records: int, runs: int, candidates: list[Candidate]) -> dict[str, list[Sample]]:
    """
    Fill a broker, then let the candidates take turns: a change of the load meets all of them.
    """
    samples: dict[str, list[Sample]] = {each.name: [] for each in candidates}
    with prepared(load.TOPICS, records, (runs + 1) * len(candidates)) as course:
        for number in range(runs + 1):
            for candidate in candidates:
                # The first turn warms up broker and caches, and has every document checked.
                sample = run(course, candidate, number, strict=number == 0)
                if number > 0:
                    samples[candidate.name].append(sample)
    return samples


def _report(one: results.Result, *, whole: bool) -> None:
    click.echo(page.measured(one))
    figures = results.summed(one)
    if len(figures) < len(CANDIDATES):
        return
    if whole:
        results.write(one)
        click.echo("Written to bench/results/; `make docs` renders it.", err=True)
    last = line(figures["sink"], figures["floor"])
    conclude(last, bounds(last))


if __name__ == "__main__":
    main()
