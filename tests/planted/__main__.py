"""
`make planted`: plants each bug in a copy of the tree, and shows what catches it.

Exits 1 when one is caught by nothing.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import click

from tests.planted.bugs import BUGS, Bug

_ROOT = Path(__file__).parents[2]
_TREE = _ROOT / ".run" / "planted"
_PARTS = ("sink", "tests", "engines", "demo", "bench", "docs", "index_templates")
_FILES = ("pyproject.toml", "Makefile", "README.md")
LATEST = _ROOT / "docs" / "results" / "planted.json"
_TIMEOUT_S = 300


@dataclass(frozen=True)
class Caught:
    """
    A bug and the tests that failed because of it; none is bad news.
    """

    name: str
    harm: str
    file: str
    by: list[str]


@click.command()
@click.option("--only", default="", help="Bugs whose name holds this.")
@click.option("--keep", is_flag=True, help="Enter what was found into the results of the docs.")
def main(only: str, keep: bool) -> None:
    """
    Plant bugs, one at a time, and tell which tests fail.
    """
    if only and keep:
        raise click.UsageError("--keep takes the results of all bugs: leave --only away")
    _copy()
    found = []
    for bug in BUGS:
        if only in bug.name:
            caught = Caught(bug.name, bug.harm, bug.file, _plant(bug))
            found.append(caught)
            click.echo(f"{bug.name}: {', '.join(caught.by) or 'NOT CAUGHT'}")
    if keep:
        told = {"date": str(date.today()), "bugs": [asdict(each) for each in found]}  # noqa: DTZ011
        LATEST.parent.mkdir(exist_ok=True)
        LATEST.write_text(json.dumps(told, indent=1) + "\n")
    missed = sum(not each.by for each in found)
    click.echo(f"{len(found)} planted, {missed} not caught")
    sys.exit(bool(missed))


def _copy() -> None:
    """
    Copy what the tests need; the bugs never touch the tree itself.
    """
    shutil.rmtree(_TREE, ignore_errors=True)
    for part in _PARTS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(_ROOT / part, _TREE / part, ignore=ignored)
    for name in _FILES:
        shutil.copy(_ROOT / name, _TREE / name)


def _plant(bug: Bug) -> list[str]:
    """
    Plant a bug, run its judges, and take it out again.

    Returns:
        The tests that failed, three at most.
    """
    path = _TREE / bug.file
    right = path.read_text()
    if right.count(bug.right) != 1:
        raise click.ClickException(
            f"{bug.file} has not exactly one place for {bug.name!r}: look how the line reads now"
        )
    path.write_text(right.replace(bug.right, bug.wrong))
    try:
        return _failures(bug)
    finally:
        path.write_text(right)


def _failures(bug: Bug) -> list[str]:
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-rfE", "--maxfail=3"]
    command += ["-p", "no:randomly", "-p", "no:cacheprovider", "--timeout=60", *bug.judges]
    # The copy comes before the installed package, for processes that tests start as well.
    environment = {**os.environ, "PYTHONPATH": str(_TREE), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        command,
        cwd=_TREE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if ran.returncode not in (0, 1):
        raise click.ClickException(f"{bug.name}: the tests did not run: {ran.stdout[-2000:]}")
    lines = ran.stdout.splitlines()
    return [line.split()[1] for line in lines if line.startswith(("FAILED", "ERROR"))]


if __name__ == "__main__":
    main()
