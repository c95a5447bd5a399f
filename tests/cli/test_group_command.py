"""
`sink group`: it asks before it sets anything, and sets nothing that has an obstacle.
"""

from pathlib import Path

import pytest
from click.testing import CliRunner

from sink.cli import cli
from sink.core.record import Partition
from sink.core.standing import Move, Plan
from tests.cli.memory_sides import sink

SEEK = ("group", "seek", "--topic", "ekk-a", "--to", "earliest")
MOVES = [Move(Partition("ekk-a", 0), 7, 0, "reads 7 records again")]


@pytest.fixture
def applied(file: Path, monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """The plans that were carried out."""
    done: list[Plan] = []
    monkeypatch.setattr("sink.operations.group.apply", lambda _, plan: done.append(plan))
    _plan(monkeypatch)
    return done


def _plan(monkeypatch: pytest.MonkeyPatch, *obstacles: str) -> None:
    plan = Plan("log-sink", MOVES, list(obstacles), ["theirs"])
    monkeypatch.setattr("sink.operations.group.plan_seek", lambda *_: plan)


def test_the_plan_is_shown_and_carried_out(applied: list[Plan]) -> None:
    result = sink(*SEEK, "--yes")

    assert result.exit_code == 0
    head, row = result.stdout.splitlines()
    assert head.split("  ")[0] == "TOPIC"
    assert row.split(maxsplit=4) == ["ekk-a", "0", "7", "0", "reads 7 records again"]
    assert "left out, no route reads it: theirs" in result.stderr
    assert [plan.moves for plan in applied] == [MOVES]


def test_a_plan_with_an_obstacle_is_not_carried_out(
    applied: list[Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    _plan(monkeypatch, "group log-sink is running")

    result = sink(*SEEK, "--yes")

    assert result.exit_code == 1
    assert "group log-sink is running" in result.stderr
    assert not applied


@pytest.mark.parametrize(("answer", "done"), [("y\n", 1), ("n\n", 0)])
def test_a_person_is_asked(
    applied: list[Plan], monkeypatch: pytest.MonkeyPatch, answer: str, done: int
) -> None:
    monkeypatch.setattr("sink.cli.group.somebody_is_there", lambda: True)

    result = CliRunner().invoke(cli, SEEK, input=answer)

    assert "Set 1 offsets of group log-sink?" in result.stderr
    assert len(applied) == done
    assert (result.exit_code == 0) is bool(done)


def test_without_a_person_it_must_be_said_beforehand(applied: list[Plan]) -> None:
    """
    A script that waits for an answer would hang for ever.
    """
    result = sink(*SEEK)

    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert not applied


def test_a_dry_run_asks_nobody_and_does_nothing(applied: list[Plan]) -> None:
    assert sink(*SEEK, "--dry-run").exit_code == 0
    assert not applied
