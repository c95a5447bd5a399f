"""
The page of templates and lifecycles: its commands run, and what it says of policies is so.
"""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import Result

from sink.config import load
from sink.core.template_plan import StepAction
from sink.templates import destinations
from sink.testing import FakeTemplates
from tests.cli.memory_sides import sink

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text("utf-8")
COMMANDS = re.findall(r"^    (sink .*?)(?:  +#.*)?$", PAGE, re.MULTILINE)
(BLOCK,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def store(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTemplates:
    store = FakeTemplates()
    monkeypatch.setattr("sink.edge.elastic.Elastic", lambda _: store)
    Path("sink.toml").write_text(BLOCK)
    return store


def _run(command: str) -> Result:
    return sink(*shlex.split(command)[1:])


def test_every_command_does_what_the_page_says(store: FakeTemplates) -> None:
    _run("sink templates apply")
    store.version = "8.13.0"  # what is wanted changes, and with it the next apply has an update
    sink("templates", "apply")
    store.bodies["index", "ekk"]["_meta"] |= {"previous": store.bodies["index", "ekk"]}

    results = {command: _run(command) for command in COMMANDS}

    assert len(COMMANDS) == 9
    assert {found.exit_code for found in results.values()} == {0}
    assert "sink-settings" in results["sink templates rollback"].output
    assert '"sink-warm-39d-delete-122d"' in results["sink templates simulate ekk-order"].output


def test_the_policies_of_the_example_are_those_of_the_table(store: FakeTemplates) -> None:
    routes = destinations(load())

    policies = [each.lifecycle.policy for each in routes if each.lifecycle]
    assert policies == re.findall(r"^\| [a-z ]+ \| `(sink-[^`]+)`", PAGE, re.MULTILINE)


@pytest.mark.parametrize(
    ("period", "days"), [("month", 90 + 31 + 1), ("week", 90 + 7 + 1), ("day", 90 + 1 + 1)]
)
def test_an_index_is_deleted_when_its_last_day_is_old_enough(
    store: FakeTemplates, period: str, days: int
) -> None:
    Path("sink.toml").write_text(BLOCK.replace('"month"', f'"{period}"'))

    found = destinations(load())[0].lifecycle

    assert found is not None and found.delete_after == days
    words = {"month": "31", "week": "7", "day": "1"}[period]
    assert f"90 + {words} + 1" in PAGE


@pytest.mark.parametrize("action", [StepAction.HELD, StepAction.LEFT_OUT, StepAction.FOREIGN])
def test_the_page_tells_of_every_reason_to_leave_something(action: StepAction) -> None:
    assert f"`{action}`" in PAGE
