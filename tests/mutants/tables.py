"""
Faults outside of functions: tables, constants, defaults of fields; and in properties.

mutmut leaves those alone. What its operators make of them is planted here, one interpreter a fault:
the table of outcomes is no less the heart of the promise for standing outside of a function.
"""

import difflib
import subprocess
import sys
from collections.abc import Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import Mutation, MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

from tests.mutants.explained import Change, Explanations
from tests.mutants.stage import ROOT

_WHERE = "outside of functions"
_TIMEOUT_S = 600
_NOT_FOUND = 4  # pytest's code for a test by name in a file that cannot even be imported, or is not
_FAILED = (1, 2, 3)  # pytest's codes: tests failed, were not even collected, or broke pytest


class _Everywhere(MutationVisitor):
    """
    Looks into decorated functions as well.
    """

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        return not isinstance(node, cst.FunctionDef) and super()._skip_node_and_children(node)


@dataclass(frozen=True, slots=True)
class Planted:
    """
    A fault outside of functions, and what became of it.
    """

    change: Change
    status: str


def judged(
    file: str,
    reasons: Explanations,
    further: Sequence[list[str]],
    cpus: int,
    again: Container[Change] | None = None,
) -> list[Planted]:
    """
    Make the faults of a file outside of its functions, and let the tests judge them.

    One takes seconds, and more where it survives: what is explained counts as that unseen.

    Args:
        further: Tests, of which one lot after the other judges what the nearest do not notice.
        again: Only these of them.
    """
    faults = [fault for fault in _faults(file) if again is None or fault[0] in again]
    explained = [Planted(change, "survived") for change, _ in faults if reasons.explain(change)]
    faults = [fault for fault in faults if not reasons.explain(fault[0])]
    stem = Path(file).stem
    nearest = sorted(str(path) for path in (ROOT / "tests/core").glob(f"test_{stem}*.py"))
    courts = [court for court in (nearest, *further) if court]
    with ThreadPoolExecutor(cpus) as pool:
        return explained + list(pool.map(lambda f: _judge(f[0], f[1], courts), faults))


def _faults(file: str) -> Iterator[tuple[Change, str]]:
    """
    Give each fault of a file, with the whole source that has it.
    """
    source = (ROOT / file).read_text()
    visitor = _Everywhere(mutation_operators, IgnoredCode(set(), set(), set()))
    module = MetadataWrapper(cst.parse_module(source)).visit(visitor)
    for each in visitor.mutations:
        if not _is_of_mutmut(each.contained_by_top_level_function):
            becomes = _planted(module, each)
            yield _change(file, source, becomes), becomes


def _is_of_mutmut(place: cst.CSTNode | None) -> bool:
    """
    Tell whether mutmut itself makes the faults of a place: a function without decorators.
    """
    return isinstance(place, cst.FunctionDef) and not place.decorators


def _planted(module: cst.Module, mutation: Mutation) -> str:
    changed = module.deep_replace(mutation.original_node, mutation.mutated_node)
    assert isinstance(changed, cst.Module)
    return changed.code


def _change(file: str, source: str, becomes: str) -> Change:
    diff = list(difflib.ndiff(source.splitlines(), becomes.splitlines()))
    sides = [" ".join(line[2:].strip() for line in diff if line[0] == sign) for sign in "-+"]
    return Change(file, _WHERE, *sides)


def _judge(change: Change, source: str, courts: list[list[str]]) -> Planted:
    """
    Let one court after the other judge a fault, until one notices it.
    """
    statuses = (_noticed(change.file, source, court) for court in courts)
    return Planted(change, next((status for status in statuses if status), "survived"))


def _noticed(file: str, source: str, tests: list[str]) -> str | None:
    module = file.removesuffix(".py").replace("/", ".")
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "tests.mutants.planted", module, *tests],
            cwd=ROOT,
            input=source.encode(),
            capture_output=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return "timeout"
    files = sorted({test.partition("::")[0] for test in tests})
    if ended.returncode == _NOT_FOUND and files != tests:
        return _noticed(file, source, files)
    return "killed" if ended.returncode in _FAILED else None
