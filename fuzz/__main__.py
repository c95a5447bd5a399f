"""
Fuzzing from a terminal: `python -m fuzz`.
"""

import json
import secrets
import sys
from datetime import date
from pathlib import Path

import click

from fuzz.running import Fuzzed, enlarge, fuzz
from fuzz.targets import NAMES, target

_TOLD_LINES = 40  # of the output of a process that ended badly
_LATEST = Path(__file__).parents[1] / "docs" / "results" / "fuzz.json"
_FED = {
    "values": "record values, through collector, target and bulk, to lines that are parsed again",
    "answers": "answers to a bulk",
    "envelopes": "letters of the dead-letter and the parked topic",
    "configurations": "configuration files, and records through the routes they give",
}
_ROW = "{:<15} {:>10} {:>7} {:>5}  {}"


@click.command()
@click.option("--seconds", default=60, show_default=True, type=click.IntRange(1), help="In all.")
@click.option("--target", "only", type=click.Choice(NAMES), help="One target alone.")
@click.option("--seed", type=click.IntRange(1, 2**32 - 1), help="Of libFuzzer; told at the end.")
@click.option(
    "--repeat",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Try one input of --target, and show where it breaks.",
)
@click.option("--grow", is_flag=True, help="Add to the corpus what is new to it.")
@click.option("--keep", is_flag=True, help="Enter the figures into the results of the docs.")
def main(
    *, seconds: int, only: str | None, seed: int | None, repeat: Path | None, grow: bool, keep: bool
) -> None:
    """
    Try arbitrary inputs on the sink's own code. The targets share the seconds.

    Exit code 1 where an invariant broke, with the input and how to repeat it.
    """
    if repeat is not None:
        if only is None:
            raise click.UsageError("--repeat needs the --target that the input is for")
        _repeat(only, repeat)
        return
    if only and keep:
        raise click.UsageError("--keep takes the figures of all targets: leave --target away")
    names = [only] if only else list(NAMES)
    seed = seed or secrets.randbelow(2**32 - 1) + 1
    click.echo(_ROW.format("target", "executions", "exec/s", "new", "verdict"))
    found = []
    for name in names:
        found.append(fuzz(name, max(1, seconds // len(names)), seed))
        _tell(found[-1])
    for name in names if grow else ():
        click.echo(f"{name}: {enlarge(name)} inputs added to the corpus")
    if keep:
        _keep(found, seconds, seed)
    broken = [fuzzed for fuzzed in found if fuzzed.broke]
    click.echo(f"seed {seed}")
    for fuzzed in broken:
        _explain(fuzzed)
    sys.exit(bool(broken))


def _repeat(name: str, file: Path) -> None:
    target(name).one(file.read_bytes())
    click.echo(f"{file} breaks nothing")


def _tell(fuzzed: Fuzzed) -> None:
    verdict = "BROKEN" if fuzzed.broke else "holds"
    click.echo(_ROW.format(fuzzed.name, fuzzed.executions, fuzzed.per_s, fuzzed.new, verdict))


def _keep(found: list[Fuzzed], seconds: int, seed: int) -> None:
    targets = [
        {
            "what": _FED[f.name],
            "executions": f.executions,
            "per_s": f.per_s,
            "crashes": int(f.broke),
        }
        for f in found
    ]
    told = {
        "date": str(date.today()),  # noqa: DTZ011  a day for readers
        "command": f"make fuzz SECONDS={seconds} SEED={seed}",
        "targets": targets,
    }
    _LATEST.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


def _explain(fuzzed: Fuzzed) -> None:
    click.echo("\n".join(fuzzed.output.splitlines()[-_TOLD_LINES:]), err=True)
    if fuzzed.crash is not None:
        click.echo(f"{fuzzed.name} broke on {fuzzed.crash}; to see it again:", err=True)
        click.echo(f"  python -m fuzz --target {fuzzed.name} --repeat {fuzzed.crash}", err=True)


if __name__ == "__main__":
    main()
