"""
Plant small faults in the code, one by one, and see whether the tests notice: `make mutants`.

Faults in `sink/core` meet the tests of the core first, which take milliseconds; what survives them
meets the whole flow on fakes, as do the faults in the worker and the writer. Every survivor is
explained in `survivors.toml`, or it is red. Log lines are not mutated, and a survivor that differs
in nothing but the words of a sentence counts as explained: sentences are for people.

What became of the mutants of a file is kept with the source that it is about. `--changed` judges
the files that are others by now, `--survivors` what survived the last time: tests only grow.
"""

import os
import sys
from resource import RLIMIT_AS, setrlimit

import click

from tests.mutants.explained import Change, Explanations
from tests.mutants.kept import (
    RESULTS,
    Row,
    changed,
    enter,
    is_core,
    mutated,
    new_row,
    without_survivors,
)
from tests.mutants.kept import rows as kept_rows
from tests.mutants.stage import CORE, EXAMPLES, FLOW, PATIENCE, ROOT, Mutant, MutmutFailed, Stage
from tests.mutants.tables import judged

_CORE = Stage("core", CORE, 1, (20.0, 2.0))
_FLOW = Stage("flow", FLOW, 3, (6.0, 5.0))
_MEMORY_BYTES_MAX = 4 * 1024**3  # a loop without an end may fill the machine before its time is up
_HEADS = ("mutants", "killed", "timeout", "explained", "open", "score")


@click.command()
@click.option("--only", metavar="FILE", multiple=True, help="This file alone; may be repeated.")
@click.option("--changed", "only_changed", is_flag=True, help="Files changed since their row.")
@click.option("--survivors", "again", is_flag=True, help="Only what survived the last time.")
@click.option(
    "--patience",
    default=1.0,
    show_default=True,
    help="How many times longer tests wait, on a machine that has other things to do.",
)
@click.option(
    "--examples",
    default=100,
    show_default=True,
    help="How many Hypothesis tries. Fewer are quicker and leave more to --survivors.",
)
def main(
    only: tuple[str, ...], only_changed: bool, again: bool, patience: float, examples: int
) -> None:
    """
    Run the mutants of sink/core, the worker and the writer, and print what survived.

    With --changed and --survivors the table is of all files: what was not judged is as it was kept.
    Exit code 1 where a survivor is not explained, or a line is that is no more.
    """
    setrlimit(RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    os.environ |= {PATIENCE: str(patience), EXAMPLES: str(examples)}
    reasons, cpus, kept = Explanations(), os.cpu_count() or 1, kept_rows()
    files = only or (changed() if only_changed else mutated())
    before = {file: kept[file] for file in files if file not in changed()} if again else {}
    begun = map(without_survivors, before.values()) if again else map(new_row, files)
    rows = {row.file: row for row in begun}
    try:
        _functions(rows, before, reasons, cpus)
    except MutmutFailed as failure:
        raise click.ClickException(str(failure)) from None
    for row in rows.values():
        _tables(row, before.get(row.file), reasons, cpus)
        enter(row)
    click.echo(f"written: {RESULTS.relative_to(ROOT)}")
    sys.exit(1 if _told(rows if only else kept_rows(), reasons) else 0)


def _functions(
    rows: dict[str, Row], before: dict[str, Row], reasons: Explanations, cpus: int
) -> None:
    """
    Let the tests of the core judge the core, and the flow what is left of it and the rest.

    Of what is left the explained are not brought to the flow: each would take all its tests.

    Args:
        before: Rows of whose mutants only the survivors are judged.
    """
    # mutmut alone fails where a file has no function.
    core = [file for file in rows if is_core(file) and "def " in (ROOT / file).read_text("utf-8")]
    mutants = _judged(_CORE, core, _names(core, before), cpus)
    threaded = [file for file in rows if not is_core(file)]
    left = (mutant for mutant in mutants.values() if not mutant.is_dead)
    alive = [mutant.name for mutant in left if not reasons.explain(_CORE.change(mutant))]
    mutants |= _judged(_FLOW, [*rows], [*alive, *_names(threaded, before)], cpus)
    for mutant in mutants.values():
        if mutant.is_dead:
            rows[mutant.file].noticed(mutant.status)
        else:
            stage = _CORE if is_core(mutant.file) else _FLOW
            rows[mutant.file].survived(mutant.name, stage.change(mutant), reasons)


def _names(files: list[str], before: dict[str, Row]) -> list[str]:
    again = [each.name for file in files if file in before for each in before[file].survivors]
    every = [f"{_module(file)}.x*" for file in files if file not in before]
    return [name for name in (*again, *every) if name]


def _judged(stage: Stage, files: list[str], names: list[str], cpus: int) -> dict[str, Mutant]:
    return {mutant.name: mutant for mutant in stage.run(files, names, cpus)} if names else {}


def _tables(row: Row, before: Row | None, reasons: Explanations, cpus: int) -> None:
    further = [stage.tests_of(row.file) for stage in (_CORE, _FLOW)]
    faults = judged(row.file, reasons, further, cpus, before.changes() if before else None)
    for fault in faults:
        if fault.status == "survived":
            row.survived("", fault.change, reasons)
        else:
            row.noticed(fault.status)
    if faults:
        click.echo(f"{row.file}: {len(faults)} faults outside of functions")


def _module(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def _told(rows: dict[str, Row], reasons: Explanations) -> list[Change]:
    """
    Print what survived and a table of all.

    Returns:
        What nobody explained, and explanations of lines that are no more.
    """
    red = {file: row.open(reasons) for file, row in rows.items()}
    for change in (change for changes in red.values() for change in changes):
        click.echo(f"survived, and nobody explained it:\n{change}")
    outdated = reasons.outdated()
    for change in outdated:
        click.echo(f"explained, and not in the source any more:\n{change}")
    for change in reasons.unused(rows):
        click.echo(f"explained, and does not survive:\n{change}")
    click.echo(f"{'file':34}" + "".join(f"{head:>10}" for head in _HEADS))
    figures = {file: _figures(row, len(red[file])) for file, row in rows.items()}
    figures["all"] = [sum(column) for column in zip(*figures.values(), strict=True)]
    for file, each in figures.items():
        score = 100 * (each[1] + each[2]) / max(1, each[0])
        click.echo(f"{file:34}" + "".join(f"{n:>10}" for n in each) + f"{score:>8.0f} %")
    return [*outdated, *(change for changes in red.values() for change in changes)]


def _figures(row: Row, left: int) -> list[int]:
    return [row.mutants, row.killed, row.timeout, row.worded + len(row.survivors) - left, left]


if __name__ == "__main__":
    main()
