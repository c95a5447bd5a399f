"""
What a blocked index costs the others: `python -m bench.parked`. Its last line of output is JSON.

Six topics of equal size, an index each. The runs differ in what Elasticsearch answers for the index
of the last one, and in how many of its documents may wait in memory. Only the documents of the
others count: a run is over when the last of them has come.
"""

import signal
import sys

import click

from bench import load, null_server, page
from bench import result as results
from bench.candidates import PARKED
from bench.course import conclude, prepared
from bench.load import SIX_TOPICS
from bench.measure import loss_bounds
from bench.runner import RunFailed, in_turns
from engines import EngineError

_BLOCKED = "bench-audit"
_RECORDS = 1_800_000
_EVEN = load.STRIDE * sum(SIX_TOPICS.values())  # every partition gets as many
_RUNS = 5


@click.command()
@click.option("--records", default=_RECORDS, show_default=True, type=click.IntRange(_EVEN))
@click.option("--runs", default=_RUNS, show_default=True, type=click.IntRange(1))
def main(records: int, runs: int) -> None:
    """
    Measure what five topics lose while the index of a sixth is blocked.

    Exit code 1 where they lose more than they may, or a run failed.
    """
    if records % _EVEN:
        raise click.UsageError(f"--records must be a multiple of {_EVEN}: {records} is none")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends like Ctrl-C
    try:
        one = _measured(records, runs)
    except (EngineError, RunFailed, null_server.ToolMissing) as failure:
        raise click.ClickException(str(failure)) from failure
    click.echo(page.measured_parked(one))
    if records >= _RECORDS and runs >= _RUNS:
        results.write(one, results.LATEST_PARKED)
        click.echo("Written to bench/results/; `make docs` renders it.", err=True)
    lost = results.losses(one)
    last = {f"{name}_lost_percent": each.records_per_s.median for name, each in lost.items()}
    last["records_per_s"] = results.summed(one)[PARKED[0].name].records_per_s.median
    conclude({k: round(v, 1) for k, v in last.items()}, loss_bounds(page.losses_by_what(one)))


def _measured(records: int, runs: int) -> results.Result:
    with prepared(SIX_TOPICS, records, len(PARKED) * runs + 1, apart=_BLOCKED) as course:
        samples = in_turns(course, PARKED, runs)
    return results.result(course.documents, SIX_TOPICS, samples)


if __name__ == "__main__":
    main()
