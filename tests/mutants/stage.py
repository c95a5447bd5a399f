"""
One run of mutmut: which files are mutated, and which tests judge the mutants.

mutmut writes a mutated copy of the tree into the folder it runs in. That is a folder of links, so
the tree itself is never touched.
"""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

from tests.mutants.explained import Change

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".run" / "mutants"
CORE = ("tests/core", "tests/collectors")
FLOW = ("tests/flow",)
PYTEST_ARGS = ("-p", "no:xdist", "-p", "no:cacheprovider", "-p", "tests.mutants.profile")
PATIENCE = "MUTANTS_PATIENCE"  # of the environment: how many times longer tests wait
EXAMPLES = "MUTANTS_EXAMPLES"  # likewise: how many Hypothesis tries
_LINKED = ("sink", "tests", "index_templates")
_CONFIGURATION = """
[tool.mutmut]
source_paths = ["sink"]
only_mutate = {files}
also_copy = ["index_templates"]
# Log lines are for people: no test holds their words, and no mutants are made of them.
do_not_mutate_patterns = ['^\\s*(self\\._)?log\\.(debug|info|warning|error|exception)\\(']
timeout_multiplier = {timeout_multiplier}
timeout_constant = {timeout_constant}
pytest_add_cli_args = {pytest_args}
pytest_add_cli_args_test_selection = {tests}
"""


class MutmutFailed(Exception):
    """
    mutmut itself failed: there is no verdict.
    """


@dataclass(frozen=True, slots=True)
class Mutant:
    """
    One fault in one function, and what became of it.

    Args:
        name: As mutmut names it.
        status: `killed`, `survived`, `timeout`, `no tests`, or another word of mutmut's.
    """

    file: str
    name: str
    status: str

    @property
    def is_dead(self) -> bool:
        """
        Tell whether a test noticed it. One that never ends is noticed as well.
        """
        return self.status in ("killed", "timeout", "segfault")


@dataclass(frozen=True, slots=True)
class Stage:
    """
    Mutated files and the tests that judge them.

    Args:
        processes_per_cpu: More than one where the tests mostly wait.
        timeout: mutmut's factor and constant: (seconds of the tests + constant) * factor.
    """

    name: str
    tests: tuple[str, ...]
    processes_per_cpu: int
    timeout: tuple[float, float]

    @property
    def _folder(self) -> Path:
        return FOLDER / self.name

    def run(self, files: Sequence[str], names: Sequence[str], cpus: int) -> list[Mutant]:
        """
        Make the mutants of some files, and let the tests judge those that are named.

        Args:
            names: Of mutants; patterns are allowed. None for all.
        Returns:
            What was judged.
        Raises:
            MutmutFailed: The tests fail without any fault, or mutmut cannot run.
        """
        self._prepare(files)
        command = [str(Path(sys.executable).with_name("mutmut")), "run", "--max-children"]
        command += [str(cpus * self.processes_per_cpu), *names]
        code, told = _followed(command, self._folder)
        if code:
            raise MutmutFailed(
                f"mutmut ended with {code} in {self._folder} while {', '.join(self.tests)} judged "
                f"mutants. Do these tests pass without a fault? It said last:\n{told}"
            )
        mutants = (mutant for file in files for mutant in self._mutants(file))
        return [mutant for mutant in mutants if mutant.status != "not checked"]

    def tests_of(self, file: str) -> list[str]:
        """
        List the tests that came through a file in the last run, the quickest first; else all.
        """
        path = self._folder / "mutants" / "mutmut-stats.json"
        told = json.loads(path.read_text()) if path.exists() else {}
        module = file.removesuffix(".py").replace("/", ".") + ".x"
        by_function = told.get("tests_by_mangled_function_name", {})
        found = {
            test for name, its in by_function.items() if name.startswith(module) for test in its
        }
        took_s = told.get("duration_by_test", {})
        return sorted(found, key=lambda test: took_s.get(test, 0.0)) or [*self.tests]

    def change(self, mutant: Mutant) -> Change:
        """
        Tell what a mutant changes.
        """
        with contextlib.chdir(self._folder):
            diff = get_diff_for_mutant(mutant.name, path=mutant.file).splitlines()[2:]
        was = " ".join(line[1:].strip() for line in diff if line.startswith("-"))
        becomes = " ".join(line[1:].strip() for line in diff if line.startswith("+"))
        name, owner = orig_function_and_class_names_from_key(mutant.name)
        return Change(mutant.file, f"{owner}.{name}" if owner else name, was, becomes)

    def _prepare(self, files: Sequence[str]) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        for name in _LINKED:
            (self._folder / name).symlink_to(ROOT / name)
        factor, constant = self.timeout
        patience = float(os.environ[PATIENCE])
        settings = _CONFIGURATION.format(
            files=json.dumps(list(files)),
            tests=json.dumps(self.tests),
            pytest_args=json.dumps(PYTEST_ARGS),
            timeout_multiplier=factor * patience,
            timeout_constant=constant,
        )
        project = (ROOT / "pyproject.toml").read_text()
        (self._folder / "pyproject.toml").write_text(project + settings)

    def _mutants(self, file: str) -> list[Mutant]:
        meta = json.loads((self._folder / "mutants" / f"{file}.meta").read_text())
        return [
            Mutant(file, name, status_by_exit_code[code])
            for name, code in meta["exit_code_by_key"].items()
        ]


def _followed(command: list[str], folder: Path) -> tuple[int, str]:
    """
    Run mutmut, and show once a second how far it is.

    Returns:
        Its exit code, and the end of what it said.
    """
    said: deque[str] = deque(maxlen=60)
    shown_s = 0.0
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        # Its progress has carriage returns and no newlines.
        for line in io.TextIOWrapper(process.stdout, "utf-8", newline=""):
            if "Running" not in line:
                said.append(line)
            if time.monotonic() > shown_s + 1 and "\r" in line:
                shown_s = time.monotonic()
                click.echo(line, nl=False)
    click.echo()
    return process.returncode, "".join(said).replace("\r", "\n")
