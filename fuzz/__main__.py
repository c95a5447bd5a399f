"""
Fuzzing from a terminal: `python -m fuzz`.
"""

import secrets
import sys
from pathlib import Path

import click

from fuzz.running import Fuzzed, fuzz, keep
from fuzz.targets import NAMES, target

_TOLD_LINES = 40  # of the output of a process that ended badly
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
@click.option("--keep", "keeps", is_flag=True, help="Add to the corpus what is new to it.")
def main(
    *, seconds: int, only: str | None, seed: int | None, repeat: Path | None, keeps: bool
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
    names = [only] if only else list(NAMES)
    seed = seed or secrets.randbelow(2**32 - 1) + 1
    click.echo(_ROW.format("target", "executions", "exec/s", "new", "verdict"))
    broken = []
    for name in names:
        fuzzed = fuzz(name, max(1, seconds // len(names)), seed)
        _tell(fuzzed)
        if fuzzed.broke:
            broken.append(fuzzed)
    for name in names if keeps else ():
        click.echo(f"{name}: {keep(name)} inputs added to the corpus")
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


def _explain(fuzzed: Fuzzed) -> None:
    click.echo("\n".join(fuzzed.output.splitlines()[-_TOLD_LINES:]), err=True)
    if fuzzed.crash is not None:
        click.echo(f"{fuzzed.name} broke on {fuzzed.crash}; to see it again:", err=True)
        click.echo(f"  python -m fuzz --target {fuzzed.name} --repeat {fuzzed.crash}", err=True)


if __name__ == "__main__":
    main()
