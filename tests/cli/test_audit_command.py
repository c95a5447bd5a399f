"""
`sink audit`: what it prints, and its exit codes.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sink.core.audit import Finding, Place
from sink.errors import ConfigError
from sink.operations.audit import Step
from tests.cli.memory_sides import EKK, sink

if TYPE_CHECKING:
    from sink.operations.audit import Audit

TOPIC = ("--topic", "ekk-a")


def _found(monkeypatch: pytest.MonkeyPatch, kind: str, count: int) -> None:
    """
    Let the next audit find so much, in two steps.
    """

    def steps(audit: "Audit") -> Iterator[Step]:
        audit.counts.update({"indexed": 100, kind: count})
        audit.foreign["sink-dlq"] += 2
        found = [Finding(kind, "ekk-a", Place(0, 0, n), "sag-a", f"id-{n}") for n in range(count)]
        yield Step("records", 60, 100, found[:10])
        yield Step("records", 40, 100, found[10:])

    monkeypatch.setattr("sink.operations.audit.Audit.steps", steps)


@pytest.mark.parametrize(
    ("kind", "count", "code"),
    [("missing", 0, 0), ("not_due", 3, 0), ("missing", 1, 1), ("surplus", 1, 1), ("twice", 1, 1)],
)
def test_the_exit_code_tells_whether_something_is_wrong(
    file: Path, monkeypatch: pytest.MonkeyPatch, kind: str, count: int, code: int
) -> None:
    _found(monkeypatch, kind, count)

    assert sink("audit", *TOPIC).exit_code == code
    assert sink("audit", *TOPIC, "--json").exit_code == code


def test_the_first_findings_are_named_and_the_others_counted(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _found(monkeypatch, "missing", 25)

    result = sink("audit", *TOPIC)

    lines = result.stdout.splitlines()
    assert lines[:20] == [f"missing  ekk-a/0/{n}  sag-a  id-{n}" for n in range(20)]
    assert lines[20] == "and 5 more: --all names them"
    assert dict(line.split() for line in lines[21:])["missing"] == "25"
    assert "sink-dlq: 2 messages are not of the sink" in result.stderr
    everything = sink("audit", *TOPIC, "--all").stdout.splitlines()
    assert everything[:25] == [f"missing  ekk-a/0/{n}  sag-a  id-{n}" for n in range(25)]


@pytest.mark.parametrize("count", [0, 1, 25])
def test_json_names_all_of_them(file: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    _found(monkeypatch, "missing", count)

    told = json.loads(sink("audit", *TOPIC, "--json").stdout)

    assert [each["offset"] for each in told["findings"]] == list(range(count))
    assert told["counts"]["indexed"] == 100
    assert told["counts"]["missing"] == count


def test_json_of_a_question_that_cannot_be_answered_is_none(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def steps(_: "Audit") -> Iterator[Step]:
        raise ConfigError("no such topic")

    monkeypatch.setattr("sink.operations.audit.Audit.steps", steps)

    result = sink("audit", *TOPIC, "--json")

    assert (result.exit_code, result.stdout) == (2, "")


def test_where_elasticsearch_picks_the_ids_nothing_can_be_told(file: Path) -> None:
    """
    Everything would be missing, and surplus at the same time.
    """
    file.write_text(EKK + 'id = "none"\n')

    result = sink("audit", *TOPIC)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "routes.ekk.id" in result.stderr


def test_a_range_without_records_is_no_silent_all_clear(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sink.operations.audit.Audit.steps", lambda _: iter(()))

    assert "no record in that range" in sink("audit", *TOPIC, "--from", "999999999").stderr
    wrong = sink("audit", *TOPIC, "--from", "100", "--to", "50")
    assert (wrong.exit_code, "nothing between" in wrong.output) == (2, True)
