"""
The guard against a blunder in the hot path: `python -m bench.guard`. Its last line is JSON.

No time is held against a bound, only the sink's CPU against the floor loop's in the same run.
"""

import signal
import sys

import click

from bench import load, null_server
from bench.candidates import CANDIDATES
from bench.course import conclude, prepared
from bench.measure import guard_bound
from bench.runner import RunFailed, in_turns
from engines import EngineError

_RECORDS = 200_000
_PAIRS = 2


@click.command()
def main() -> None:
    """
    Hold the CPU a record against the floor loop's, in half a minute.

    Exit code 1 where it is more than three times as much, or a run failed.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends like Ctrl-C
    try:
        with prepared(load.TOPICS, _RECORDS, len(CANDIDATES) * _PAIRS + 1) as course:
            samples = in_turns(course, CANDIDATES, _PAIRS)
    except (EngineError, RunFailed, null_server.ToolMissing) as failure:
        raise click.ClickException(str(failure)) from failure
    bound = guard_bound(samples["floor"], samples["sink"])
    conclude({"ratio_floor": bound.measured, "at_most": bound.at_most}, [bound])


if __name__ == "__main__":
    main()
