"""
What the account of every record costs: `python -m bench.accounting`. Its last line is JSON.

The sink as it is, against the sink without tracking of offsets, ledger and commits, in turns.
"""

import signal
import sys

import click

from bench import load, null_server, page
from bench import result as results
from bench.candidates import ACCOUNTING
from bench.course import conclude, prepared
from bench.measure import Loss, accounting_bound
from bench.runner import RunFailed, in_turns
from engines import EngineError

_RECORDS = 2_000_000
_PAIRS = 12


@click.command()
@click.option("--records", default=_RECORDS, show_default=True, type=click.IntRange(1))
@click.option("--pairs", default=_PAIRS, show_default=True, type=click.IntRange(1))
def main(records: int, pairs: int) -> None:
    """
    Measure the CPU that tracking, ledger and commits take together.

    Exit code 1 where it is more than it may be, or a run failed.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends like Ctrl-C
    try:
        with prepared(load.TOPICS, records, len(ACCOUNTING) * pairs + 1) as course:
            samples = in_turns(course, ACCOUNTING, pairs)
    except (EngineError, RunFailed, null_server.ToolMissing) as failure:
        raise click.ClickException(str(failure)) from failure
    one = results.result(records, load.TOPICS, samples)
    click.echo(page.measured_accounting(one))
    if records >= _RECORDS and pairs >= _PAIRS:
        results.write(one, results.LATEST_ACCOUNTING)
        click.echo("Written to bench/results/; `make docs` renders it.", err=True)
    cost = page.cost_of(one)
    conclude(_line(one, cost), [accounting_bound(cost)])


def _line(one: results.Result, cost: Loss) -> dict[str, float]:
    median, low, high = (round(value, 2) for value in cost.us_per_record)
    summed = results.summed(one).items()
    medians = {name: round(figures.us_per_record.median, 3) for name, figures in summed}
    return {
        "accounting_percent": median,
        "low": low,
        "high": high,
        "pairs": len(one["samples"]["with"]),
        **{f"{name}_us_per_record": figure for name, figure in medians.items()},
    }


if __name__ == "__main__":
    main()
