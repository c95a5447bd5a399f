"""
The rows that a run gives: judged, printed, kept.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from statistics import median

LATEST = Path(__file__).parents[2] / "docs" / "results" / "faults.json"
LATEST_SCHEDULES = LATEST.with_name("schedules.json")


class Verdict(StrEnum):
    """
    How a scenario ended. OPEN is a red one that the table says is open, with the reason.
    """

    GREEN = "green"
    RED = "red"
    OPEN = "open"


@dataclass(frozen=True)
class Row:
    """
    What one playing of one scenario gave. E, D and O are counts: 0 is how it should be.
    """

    key: str
    seed: int
    verdict: Verdict
    records: int
    missing: int
    twice: int
    too_far: int
    recover_s: float | None
    took_s: float
    notes: str = ""
    said: str = ""  # why it is red


def line(row: Row) -> str:
    """
    Give a row as a line of the terminal's table.
    """
    recover = "" if row.recover_s is None else f"{row.recover_s:.1f} s"
    broken = f"{row.missing}/{row.twice}/{row.too_far}"
    start = f"{row.key:>4} {row.seed:>6} {row.verdict:<6} {row.records:>9,} {broken:>9}"
    return f"{start} {recover:>8} {row.took_s:>6.0f} s  {row.said or row.notes}"


def heading() -> str:
    """
    Give the first line of the terminal's table.
    """
    return f"{'':>4} {'seed':>6} {'':<6} {'records':>9} {'E/D/O':>9} {'recover':>8} {'took':>8}"


def keep(rows: Iterable[Row], path: Path = LATEST) -> None:
    """
    Enter rows into the kept results: a newer one of a scenario takes the older one's place.
    """
    known = {row.key: row for row in read(path)}
    known.update({row.key: row for row in rows})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in known.values()], indent=1) + "\n")


def keep_schedules(rows: Sequence[Row], path: Path = LATEST_SCHEDULES) -> None:
    """
    Keep what a run of many seeds gave, in place of the run before.
    """
    recovered = [row.recover_s for row in rows if row.recover_s is not None]
    told = {
        "date": str(date.today()),  # noqa: DTZ011 - the operator's day
        "seeds": [row.seed for row in rows],
        "red": [row.seed for row in rows if row.verdict is not Verdict.GREEN],
        "records": sum(row.records for row in rows),
        "recover_s": [median(recovered), max(recovered)] if recovered else [0.0, 0.0],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1) + "\n")


def read(path: Path = LATEST) -> list[Row]:
    """
    Read the kept results; none when there are none yet.
    """
    if not path.exists():
        return []
    return [
        Row(**{**row, "verdict": Verdict(row["verdict"])}) for row in json.loads(path.read_text())
    ]
