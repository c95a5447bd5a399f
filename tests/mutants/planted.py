"""
Run tests with one module of the sink replaced: `python -m tests.mutants.planted MODULE TEST…`.

Its source comes from the standard input. Nothing is written: the module is planted when it is
imported, so the tree stays as it is.
"""

import sys
from collections.abc import Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType

import pytest

from tests.mutants.stage import PYTEST_ARGS


class _Planted(MetaPathFinder, InspectLoader):
    def __init__(self, name: str, source: str) -> None:
        self._name = name
        self._source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname == self._name else None

    def get_source(self, fullname: str) -> str:
        return self._source


if __name__ == "__main__":
    name, *tests = sys.argv[1:]
    sys.meta_path.insert(0, _Planted(name, sys.stdin.read()))
    sys.exit(pytest.main([*PYTEST_ARGS, "-x", "-q", "-p", "no:randomly", *tests]))
