"""
The quick ones of the scenarios, and what the suite itself promises.
"""

import ast
import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from engines import Elasticsearch, Kafka
from tests.faults.__main__ import main
from tests.faults.playing import play
from tests.faults.result import Verdict
from tests.faults.scenario import Scenario, all_scenarios
from tests.faults.stage import Engines

_QUICK = [each for each in all_scenarios().values() if each.quick]


@pytest.mark.engines
@pytest.mark.parametrize("scenario", _QUICK, ids=lambda each: each.key)
def test_after_the_fault_every_record_is_accounted_for(
    scenario: Scenario,
    kafka: Kafka,
    elasticsearch: Elasticsearch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("faults")
    row = play(scenario, 1, folder, Engines(lambda: (kafka, elasticsearch)))
    assert row.verdict is Verdict.GREEN, row.said


_TESTS = Path(__file__).parents[1]
_JUDGES = ("oracle", "running", "producing", "brokering")


def test_a_second_run_in_the_same_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lock = tmp_path / ".run" / "faults" / "lock"
    lock.parent.mkdir(parents=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        answer = CliRunner().invoke(main, ["--only", "1"])

    assert answer.exit_code == 1
    assert "another run is under way" in answer.output


def test_the_judge_shares_no_code_with_the_sink() -> None:
    files = [_TESTS / "engines" / f"{name}.py" for name in _JUDGES]
    files += (_TESTS / "faults").glob("*.py")
    for file in files:
        modules = list(_imported(ast.parse(file.read_text())))
        ours = [name for name in modules if name == "sink" or name.startswith("sink.")]
        assert not ours, f"{file.name} imports {ours}"


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_a_row_that_must_be_green_is_not_called_open() -> None:
    for each in all_scenarios().values():
        assert not (each.quick and each.still_open), each.key
