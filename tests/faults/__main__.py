"""
`make faults`: plays the scenarios on real engines, prints a row each, exits 1 when one is red.
"""

import fcntl
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import click

from tests.faults import result
from tests.faults.playing import play
from tests.faults.result import Row, Verdict
from tests.faults.scenario import Scenario, all_scenarios
from tests.faults.stage import Engines

_FOLDER = Path(".run") / "faults"
_SCHEDULES = "1"  # the scenario whose seeds are whole schedules of faults


@click.command()
@click.option("--only", default="", help="Numbers between commas: 12 or 3,17,s5.")
@click.option("--seed", default=1, show_default=True, help="Of every random choice.")
@click.option(
    "--seeds",
    type=click.IntRange(0),
    default=0,
    help="Play so many random schedules of kill -9 instead.",
)
@click.option("--list", "listing", is_flag=True, help="List the scenarios and play none.")
@click.option("--keep", is_flag=True, help="Enter the rows into the results of the docs.")
def main(only: str, seed: int, seeds: int, listing: bool, keep: bool) -> None:
    """
    Play fault scenarios; each ends with every record accounted for, or is red.
    """
    known = all_scenarios()
    if listing:
        for each in known.values():
            click.echo(f"{each.key:>4}  {each.fault}: {each.promise}")
        return
    rows = []
    with ExitStack() as ends:
        _alone(_FOLDER, ends)
        engines = Engines.in_folder(_FOLDER / "engines", ends)
        click.echo(result.heading())
        for chosen, its_seed in _chosen(known, only, seed, seeds):
            row = play(chosen, its_seed, _FOLDER, engines)
            rows.append(row)
            click.echo(result.line(row))
    if keep and seeds:
        result.keep_schedules(rows)
    elif keep:
        result.keep(rows)
    _end(rows)


def _alone(folder: Path, ends: ExitStack) -> None:
    """
    Refuse a second run in the same folder: it would delete what the first one's processes write to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = ends.enter_context((folder / "lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise click.ClickException(f"another run is under way in {folder}: wait for it") from None


def _chosen(
    known: dict[str, Scenario], only: str, seed: int, seeds: int
) -> Iterator[tuple[Scenario, int]]:
    keys = [key.strip() for key in only.split(",") if key.strip()]
    if unknown := [key for key in keys if key not in known]:
        raise click.UsageError(f"no scenario {', '.join(unknown)}: --list shows them all")
    if seeds:
        for one in range(seed, seed + seeds):
            for key in keys or [_SCHEDULES]:
                yield known[key], one
    else:
        for key in keys or known:
            yield known[key], seed


def _end(rows: list[Row]) -> None:
    red = [row for row in rows if row.verdict is Verdict.RED]
    count = f"{len(rows)} played, {len(red)} red, {sum(row.records for row in rows):,} records"
    click.echo(count)
    for row in red:
        click.echo(f"again: make faults ONLY={row.key} SEED={row.seed}", err=True)
        click.echo(f"logs: {_FOLDER / f'{row.key}-{row.seed}'}", err=True)
    sys.exit(bool(red))


if __name__ == "__main__":
    main()
