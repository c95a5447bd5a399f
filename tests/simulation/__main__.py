"""
`make simulate`: thousands of random schedules on a virtual clock, by a seed.

Exits 1 when one breaks E, D or O, after it was shrunk, with its history and a line that repeats it.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import click
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.simulation.drawn import SCHEDULES
from tests.simulation.schedule import Broken, Schedule, run
from tests.simulation.written import read, written

_LATEST = Path(__file__).parents[2] / "docs" / "results" / "simulation.json"
_BATCH = 250  # hypothesis keeps all it drew of a batch in mind


class _Counts:
    """
    How much was simulated.
    """

    def __init__(self) -> None:
        self.began_s, self.cpu_began_s = time.perf_counter(), time.process_time()
        self.schedules = self.records = self.turns = 0
        self.simulated_s = 0.0

    def run(self, schedule: Schedule) -> None:
        """
        Run a schedule, and count it.
        """
        world = run(schedule)
        self.schedules += 1
        self.records += world.produced
        self.turns += world.scheduler.turns
        self.simulated_s += world.elapsed_s()

    def line(self) -> str:
        """
        Tell it in one line.
        """
        wall_s = time.perf_counter() - self.began_s
        cpu_s = time.process_time() - self.cpu_began_s
        return (
            f"{self.schedules} schedules, {self.records} records, {self.turns} turns, "
            f"{self.simulated_s / 3600:.1f} simulated hours in {wall_s:.0f} s: "
            f"{self.schedules / wall_s * 60:.0f} schedules a minute, "
            f"{self.schedules / cpu_s * 60:.0f} a minute of CPU"
        )

    def told(self, first_seed: int) -> dict[str, object]:
        """
        Tell it to the docs.
        """
        cpu_s = time.process_time() - self.cpu_began_s
        return {
            "date": str(date.today()),  # noqa: DTZ011  a day for readers
            "seed": first_seed,
            "schedules": self.schedules,
            "records": self.records,
            "schedules_per_minute": round(self.schedules / cpu_s * 60),
        }


@click.command()
@click.option("--seed", "seed_", type=int, default=0, show_default=True, help="Of the first batch.")
@click.option("--schedules", type=click.IntRange(min=1), default=5000, show_default=True)
@click.option(
    "--repeat",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Run the one schedule in this file instead, and tell its history.",
)
@click.option("--keep", is_flag=True, help="Enter the figures into the results of the docs.")
def main(seed_: int, schedules: int, repeat: Path | None, *, keep: bool) -> None:
    """
    Simulate schedules of faults.
    """
    if repeat is not None:
        with _told():
            click.echo("\n".join(run(read(repeat.read_text("utf-8"))).history.lines()))
        return
    counts = _Counts()
    for begin in range(0, schedules, _BATCH):
        batch_seed = seed_ + begin // _BATCH
        click.echo(f"seed {batch_seed}: ", nl=False)
        with _told():
            _simulate(counts, batch_seed, min(_BATCH, schedules - begin))
        click.echo(counts.line())
    if keep:  # a schedule that broke has ended the process
        _LATEST.write_text(json.dumps(counts.told(seed_), indent=1) + "\n", "utf-8")


def _simulate(counts: _Counts, seed_: int, schedules: int) -> None:
    @seed(seed_)
    @settings(
        max_examples=schedules,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(SCHEDULES)
    def each(schedule: Schedule) -> None:
        counts.run(schedule)

    each()


@contextmanager
def _told() -> Iterator[None]:
    """
    Tell a broken schedule to people, and not where in the source it was noticed.
    """
    try:
        yield
    except Broken as broken:
        click.echo(f"\n{broken}\n\nrepeat it with --repeat and a file that holds:")
        click.echo(written(broken.schedule))
        sys.exit(1)


if __name__ == "__main__":
    main()
