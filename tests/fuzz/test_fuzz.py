"""
The fuzz targets: over their whole corpus, for a while, and with a bug that was planted.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.folders import inputs
from fuzz.targets import NAMES, target

ROOT = Path(__file__).parents[2]
SECONDS = 20
CORPUS = [
    pytest.param(name, path, id=f"{name}-{path.name}") for name in NAMES for path in inputs(name)
]
CORPUS_BYTES_MAX = 300 * 1024


def _fuzz(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the fuzzer in a folder: a sink that lies there is taken before the project's own."""
    return subprocess.run(
        [sys.executable, "-m", "fuzz", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.mark.parametrize(("name", "path"), CORPUS)
def test_every_input_of_the_corpus_holds(name: str, path: Path) -> None:
    target(name).one(path.read_bytes())


def test_the_corpus_has_inputs_for_every_target_and_stays_small() -> None:
    sizes = {name: [path.stat().st_size for path in inputs(name)] for name in NAMES}

    assert min(map(len, sizes.values())) >= 20
    assert sum(map(sum, sizes.values())) < CORPUS_BYTES_MAX


@pytest.mark.timeout(240)
def test_what_the_fuzzer_thinks_of_breaks_nothing(tmp_path: Path) -> None:
    done = _fuzz(tmp_path, "--seconds", str(SECONDS))

    assert done.returncode == 0, done.stdout + done.stderr
    rows = dict(re.findall(r"^(\w+) +(\d+) .* holds$", done.stdout, re.MULTILINE))
    assert set(rows) == set(NAMES)
    assert all(int(executions) > 0 for executions in rows.values())


@pytest.mark.timeout(240)
def test_a_500_that_passes_as_success_is_found_and_can_be_repeated(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "sink", tmp_path / "sink")
    outcome = tmp_path / "sink" / "core" / "outcome.py"
    right = "status == 429 or status >= 500, Verdict(Outcome.RETRY)"
    assert outcome.read_text().count(right) == 1
    outcome.write_text(outcome.read_text().replace(right, "status >= 500, INDEXED"))

    done = _fuzz(tmp_path, "--target", "answers", "--seconds", "5", "--seed", "1")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout
    (repeat,) = re.findall(r"^  python -m fuzz (.*)$", done.stderr, re.MULTILINE)
    again = _fuzz(tmp_path, *repeat.split())
    assert again.returncode == 1
    assert "counts as indexed" in again.stderr
