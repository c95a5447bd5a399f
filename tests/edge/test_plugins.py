"""
Collectors that are not the sink's own: where they may be, and what is said when they are not.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sink.config import Config
from sink.core.collect import Documents, Run
from sink.core.collector import Collector
from sink.core.record import Partition, Record
from sink.edge.plugins import GROUP, load_collector
from sink.errors import ConfigError
from sink.routes import routes_of
from sink.testing import FakeRecord
from tests.making import documents

_GOOD = """\
from dataclasses import dataclass

from sink.errors import Reject


@dataclass
class Line:
    text: str


def collect(record):
    line = Line(record.value().decode())
    if line.text == "no":
        raise Reject("it says no")
    return {"text": line.text}


class Nested:
    @staticmethod
    def collect(record):
        return None


number = 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    known = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "mine.py").write_text(_GOOD)
    yield tmp_path
    for name in sys.modules.keys() - known:
        del sys.modules[name]


def _collected(collector: Collector, *values: bytes) -> Documents:
    records: list[Record] = [FakeRecord("t", 0, n, value) for n, value in enumerate(values)]
    return documents(Run(Partition("t", 0), records, 0, len(records)), collector)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["./mine.py:collect", "mine.py:collect", "mine:collect"])
def test_a_function_in_a_file_or_a_module_is_a_collector(name: str) -> None:
    made = _collected(load_collector(name), b"yes", b"no", b"\xff")

    assert made.sources == [b'{"text":"yes"}']
    assert [each.error_type for each in made.rejected] == ["reject", "collector_exception"]
    assert "mine.py" in made.rejected[1].reason
    assert "UnicodeDecodeError" in made.rejected[1].reason


@pytest.mark.usefixtures("folder")
def test_a_function_inside_a_class_is_found_and_none_is_a_drop() -> None:
    made = _collected(load_collector("mine.py:Nested.collect"), b"x")

    assert made.dropped == {"collector_mine.py:Nested.collect": 1}


def test_a_file_is_loaded_once_for_all_routes(folder: Path) -> None:
    first = load_collector("mine.py:collect")
    (folder / "mine.py").write_text("raise RuntimeError")

    assert load_collector(str(folder / "mine.py") + ":collect").collect is first.collect


def test_an_entry_point_is_known_by_its_name(folder: Path) -> None:
    metadata = folder / "other-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\nlines = mine:collect\nbad = mine:no\n")
    importlib.invalidate_caches()

    assert _collected(load_collector("lines"), b"yes").sources == [b'{"text":"yes"}']
    with pytest.raises(ConfigError, match=r"'line' is unknown; known: bad, lines, log"):
        load_collector("line", frozenset({"log"}))
    with pytest.raises(ConfigError, match=r"entry point bad \(mine:no\): AttributeError"):
        load_collector("bad")


@pytest.mark.parametrize(
    ("name", "source", "told"),
    [
        ("bad.py:collect", "def collect(record):\n  return (\n", r"bad\.py:2: SyntaxError: "),
        ("bad.py:collect", "\nimport nothing_there\n", r"bad\.py:2: ModuleNotFoundError: "),
        ("bad:collect", "\n\nx = 1 / 0\n", r"bad\.py:3: ZeroDivisionError: "),
        ("bad.py:collect", "import sys\nsys.exit(0)\n", r"bad\.py:2: SystemExit: 0"),
        ("bad.py:other", "def collect(record): ...\n", r"bad\.py: there is no other in it"),
        ("bad.py:n", "n = 3\n", r"bad\.py:n is a int; it must be a function"),
        ("bad.py:C", "class C: ...\n", r"bad\.py:C is a class; it must be a function"),
        ("nowhere.py:collect", "", r"nowhere\.py: there is no such file"),
        ("no_module_so:collect", "", r"no_module_so: ModuleNotFoundError: "),
        ("bad.py:", "", r"'bad\.py:' is neither"),
    ],
)
def test_what_is_wrong_is_told_with_route_file_and_line(
    folder: Path, name: str, source: str, told: str
) -> None:
    (folder / "bad.py").write_text(source)
    config = Config.model_validate({"routes": [{"name": "r", "topics": ["t"], "collector": name}]})

    with pytest.raises(ConfigError, match=rf"^routes\.r\.collector: .*{told}"):
        routes_of(config)


def test_a_file_that_could_not_be_loaded_is_tried_again(folder: Path) -> None:
    (folder / "late.py").write_text("1 / 0\n")
    with pytest.raises(ConfigError, match="ZeroDivisionError"):
        load_collector("late.py:collect")
    (folder / "late.py").write_text(_GOOD)

    assert _collected(load_collector("late.py:collect"), b"a").sources == [b'{"text":"a"}']


@pytest.mark.usefixtures("folder")
def test_documents_of_a_users_collector_have_a_time_and_the_routes_shape() -> None:
    shape = {"add": {"env": "prod"}}
    route = {"name": "r", "topics": ["t"], "collector": "mine.py:collect", "shape": shape}
    (made,) = routes_of(Config.model_validate({"routes": [route]}))

    assert _collected(made.collector, b"yes").sources == [
        b'{"env":"prod","@timestamp":"2026-11-21T09:14:01.945Z","text":"yes"}'
    ]
