"""
What became of the mutants of each file, and of which source that is: docs/results/mutants.json.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from tests.mutants.explained import Change, Explanations

_ROOT = Path(__file__).parents[2]
RESULTS = _ROOT / "docs" / "results" / "mutants.json"
_THREADED = ("sink/reading/worker.py", "sink/writing/writer.py")


class Survivor(NamedTuple):
    """
    A mutant that no test noticed; without a name where it is outside of functions.
    """

    name: str
    function: str
    was: str
    becomes: str


@dataclass(slots=True)
class Row:
    """
    One file and its mutants.

    Args:
        source: Of which source it is, by `digest()`.
        worded: Survivors that a rule explains: they differ in the words of a sentence alone.
        survivors: The others.
    """

    file: str
    source: str
    date: str
    mutants: int = 0
    killed: int = 0
    timeout: int = 0
    worded: int = 0
    survivors: list[Survivor] = field(default_factory=list)

    def noticed(self, status: str) -> None:
        """
        Count a mutant that a test noticed. One that never ends is noticed as well.
        """
        self.mutants += 1
        self.timeout += status == "timeout"
        self.killed += status != "timeout"

    def survived(self, name: str, change: Change, reasons: Explanations) -> None:
        """
        Count a survivor.
        """
        self.mutants += 1
        if reasons.rule(change):
            self.worded += 1
        else:
            self.survivors.append(Survivor(name, change.function, change.was, change.becomes))

    def open(self, reasons: Explanations) -> list[Change]:
        """
        List the survivors that nobody explained.
        """
        return [change for change in self.changes() if not reasons.explain(change)]

    def changes(self) -> list[Change]:
        """
        Tell what the survivors change, but for the worded ones.
        """
        return [Change(self.file, *survivor[1:]) for survivor in self.survivors]


def mutated() -> list[str]:
    """
    List the files that have mutants: the core, the worker and the writer.
    """
    core = (path for path in (_ROOT / "sink" / "core").glob("*.py") if path.name != "__init__.py")
    return [*sorted(str(path.relative_to(_ROOT)) for path in core), *_THREADED]


def is_core(file: str) -> bool:
    """
    Tell whether the tests of the core judge a file first.
    """
    return file not in _THREADED


def new_row(file: str) -> Row:
    """
    Begin the row of a file, of its source as it is now.
    """
    return Row(file, digest(file), f"{datetime.now(UTC):%Y-%m-%d}")


def without_survivors(row: Row) -> Row:
    """
    Begin the row of a file of which only the survivors are judged again.
    """
    return replace(row, mutants=row.mutants - len(row.survivors), survivors=[])


def digest(file: str) -> str:
    """
    Tell one source of a file from another: the beginning of `sha256sum FILE`.
    """
    return sha256((_ROOT / file).read_bytes()).hexdigest()[:8]


def rows() -> dict[str, Row]:
    """
    Read the rows that are kept, by their files.
    """
    if not RESULTS.exists():
        return {}
    kept = [Row(**told) for told in json.loads(RESULTS.read_text("utf-8"))["files"]]
    for row in kept:
        row.survivors = [Survivor(*each) for each in row.survivors]
    return {row.file: row for row in kept}


def changed() -> list[str]:
    """
    List the files whose mutants were never judged, or are of another source by now.
    """
    kept = rows()
    return [f for f in mutated() if f not in kept or kept[f].source != digest(f)]


def enter(judged: Row) -> None:
    """
    Keep a row in place of what was kept of its file; files that are no more lose theirs.
    """
    all_rows = rows() | {judged.file: judged}
    files = [asdict(all_rows[file]) for file in mutated() if file in all_rows]
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    told = json.dumps({"command": "make mutants", "files": files}, indent=1, ensure_ascii=False)
    RESULTS.write_text(told + "\n", "utf-8")
