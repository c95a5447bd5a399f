"""
Plant small faults in the code, one by one, and see whether the tests notice: `make mutants`.

Faults in `sink/core` meet the tests of the core first, which take milliseconds; what survives them
meets the whole flow on fakes, as do the faults in the worker and the writer. Every survivor is
explained in `survivors.toml`, or it is red. Log lines are not mutated, and a survivor that differs
in nothing but the words of a sentence counts as explained: sentences are for people.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import click

from tests.mutants.explained import Change, Explanations
from tests.mutants.stage import CORE, FLOW, PATIENCE, ROOT, MutmutFailed, Stage
from tests.mutants.tables import judged

RESULTS = ROOT / "docs" / "results" / "mutants.json"
_CORE = Stage("core", CORE, 1, (20.0, 2.0))
_FLOW = Stage("flow", FLOW, 3, (6.0, 5.0))
_THREADED = ("sink/reading/worker.py", "sink/writing/writer.py")
_COLUMNS = ("mutants", "killed", "survived", "timeout", "explained")


@dataclass(slots=True)
class Result:
    """
    What became of the mutants of each file.
    """

    reasons: Explanations = field(default_factory=Explanations)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    red: list[Change] = field(default_factory=list)  # survivors that nobody explained

    def noticed(self, file: str, status: str) -> None:
        """
        Count a mutant that a test noticed. One that never ends is noticed as well.
        """
        counts = self.counts.setdefault(file, Counter())
        counts.update(("mutants", "timeout" if status == "timeout" else "killed"))

    def survived(self, change: Change) -> None:
        """
        Count a survivor, and keep it where nobody explained it.
        """
        counts = self.counts.setdefault(change.file, Counter())
        counts.update(("mutants", "survived"))
        if self.reasons.explain(change):
            counts["explained"] += 1
        else:
            self.red.append(change)


@click.command()
@click.option("--only", metavar="FILE", help="One file alone, as sink/core/offsets.py.")
@click.option(
    "--patience",
    default=1.0,
    show_default=True,
    help="How many times longer tests wait, on a machine that has other things to do.",
)
def main(only: str | None, patience: float) -> None:
    """
    Run the mutants of sink/core, the worker and the writer, and print what survived.

    Exit code 1 where a survivor is not explained.
    """
    files = [only] if only else _files()
    os.environ[PATIENCE] = str(patience)
    result, cpus = Result(), os.cpu_count() or 1
    try:
        _functions(files, result, cpus)
    except MutmutFailed as failure:
        raise click.ClickException(str(failure)) from None
    for file in files:
        _tables(file, result, cpus)
    for change in result.red:
        click.echo(f"survived, and nobody explained it:\n{change}")
    for change in result.reasons.unused(files):
        click.echo(f"explained, and does not survive:\n{change}")
    click.echo(_table(result))
    if not only:
        _save(result)
    sys.exit(1 if result.red else 0)


def _files() -> list[str]:
    core = (path for path in (ROOT / "sink" / "core").glob("*.py") if path.name != "__init__.py")
    return [*sorted(str(path.relative_to(ROOT)) for path in core), *_THREADED]


def _functions(files: list[str], result: Result, cpus: int) -> None:
    """
    Let the tests of the core judge the core, and the flow what is left of it and the rest.
    """
    core = [file for file in files if file not in _THREADED]
    mutants = {mutant.name: mutant for mutant in _CORE.run(core, [], cpus)} if core else {}
    alive = {name for name, mutant in mutants.items() if not mutant.is_dead}
    flow = [*sorted(alive), *(f"{_module(file)}.x*" for file in files if file in _THREADED)]
    for mutant in _FLOW.run(files, flow, cpus) if flow else ():
        if mutant.name in alive or mutant.name not in mutants:
            mutants[mutant.name] = mutant
    for mutant in mutants.values():
        if mutant.is_dead:
            result.noticed(mutant.file, mutant.status)
        else:
            result.survived(_FLOW.change(mutant))


def _tables(file: str, result: Result, cpus: int) -> None:
    faults = judged(file, cpus)
    for fault in faults:
        if fault.status == "survived":
            result.survived(fault.change)
        else:
            result.noticed(file, fault.status)
    if faults:
        click.echo(f"{file}: {len(faults)} faults outside of functions")


def _module(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def _table(result: Result) -> str:
    rows: list[tuple[str, Counter[str]]] = sorted(result.counts.items())
    rows.append(("all", _sum(counts for _, counts in rows)))
    lines = [f"{'file':34}" + "".join(f"{name:>10}" for name in (*_COLUMNS, "score"))]
    for file, counts in rows:
        dead = counts["killed"] + counts["timeout"]
        score = f"{100 * dead / max(1, counts['mutants']):.0f} %"
        lines.append(f"{file:34}" + "".join(f"{counts[n]:>10}" for n in _COLUMNS) + f"{score:>10}")
    return "\n".join(lines)


def _sum(counts: Iterable[Counter[str]]) -> Counter[str]:
    return sum(counts, Counter())


def _save(result: Result) -> None:
    files = [
        {"file": file} | {name: counts[name] for name in _COLUMNS}
        for file, counts in sorted(result.counts.items())
    ]
    told = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "command": "make mutants", "files": files}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(told, indent=2) + "\n")
    click.echo(f"written: {RESULTS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
