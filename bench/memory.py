"""
The peak memory of `sink run` beside the bound that it tells: `python -m bench.memory`.

Elasticsearch answers late, so that every place that may hold records is taken. Its last line of
output is JSON.
"""

import signal
import sys
from collections.abc import Sequence

import click

from bench import memory_page, null_server
from bench import result as results
from bench.candidates import Candidate, sink
from bench.course import Course, broker, conclude
from bench.measure import Peak
from bench.runner import RunFailed, run
from bench.shapes import SHAPES, Shape, fill
from engines import EngineError
from sink.config.load import load
from sink.core.budget import memory_bound_bytes

_DELAY_MS = 200
_LATE = Candidate("sink", "`sink run`, everything on", sink, delay_ms=_DELAY_MS)


@click.command()
@click.option("--only", multiple=True, type=click.Choice([each.name for each in SHAPES]))
def main(only: Sequence[str]) -> None:
    """
    Measure what the sink takes at most while Elasticsearch is slow, for each kind of records.

    Exit code 1 where it is more than a tenth above the bound, or a run failed.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends like Ctrl-C
    shapes = [each for each in SHAPES if not only or each.name in only]
    try:
        with click.progressbar(shapes, label="Running each kind", file=sys.stderr) as bar:
            found = {shape.name: _peak(shape) for shape in bar}
    except (EngineError, RunFailed, null_server.ToolMissing) as failure:
        raise click.ClickException(str(failure)) from failure
    one = results.peaks(_DELAY_MS, found)
    click.echo(memory_page.measured(one))
    if not only:
        results.write(one, results.LATEST_MEMORY)
        click.echo("Written to bench/results/; `make docs` renders it.", err=True)
    last = {f"{name}_mib": peak["rss_mib"] for name, peak in found.items()}
    conclude(last, memory_page.bounds(one))


def _peak(shape: Shape) -> Peak:
    """
    Let the sink move all records of a kind once, as a fresh process on a fresh broker.
    """
    program = null_server.build()
    with broker() as (folder, servers):
        fill(servers, shape, "sink-parked.bench-sink-1")
        course = Course(servers, program, shape.records, folder, lambda _: None, apart="")
        sample = run(course, _LATE, 1, strict=False)
        bound = memory_bound_bytes(load(folder / "sink-1" / "bench.toml"))
    return Peak(
        rss_mib=round(sample["rss_mib"], 1), bound_mib=round(bound / 2**20), bulks=sample["bulks"]
    )


if __name__ == "__main__":
    main()
