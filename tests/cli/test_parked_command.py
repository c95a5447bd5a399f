"""
`sink parked`: what it takes, what it prints, whom it asks, how it ends.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner

from sink.cli import cli
from sink.core.command import Command, Decision
from sink.core.lane import ParkedIndex
from sink.core.record import Partition, Record
from sink.edge.kafka.reader import Bound, Span
from sink.errors import Unavailable
from sink.operations.parked import Listing
from sink.operations.parked_decision import Effect
from sink.testing import FakeRecord
from tests.cli.memory_sides import sink
from tests.operations.test_parked import BLOCKED, INDEX, given, parked

TOPIC = "sink-parked.log-sink"
EFFECT = Effect(Decision(Command.DROP, by="anna@host"), ["m on h"], 2, 0, 0, awaited=True)
MEMORY = ParkedIndex(INDEX, BLOCKED, "write\nblock", 1_769_904_000.0, 7, 800, True, False)


class MemorySide:
    """The parked topic of one partition, the status port, and what was decided."""

    def __init__(self) -> None:
        self.records: list[FakeRecord] = []
        self.topics = [TOPIC]
        self.memory: list[ParkedIndex] | None = None
        self.effect = EFFECT
        self.decided: list[tuple[Decision, int, float]] = []

    def __enter__(self) -> "MemorySide":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def partitions(self, topic: str) -> list[Partition]:
        return [Partition(topic, 0)] if topic in self.topics else []

    def spans(self, partitions: list[Partition], _: Bound | None) -> list[Span]:
        return [Span(place, 0, len(self.records)) for place in partitions]

    def batches(self, wanted: Sequence[Span]) -> Iterator[list[Record]]:
        for _ in wanted:
            yield cast("list[Record]", self.records)

    def committed(self, _: str) -> Mapping[Partition, int]:
        return {}

    def parked_in_memory(self, _: object) -> list[ParkedIndex]:
        if self.memory is None:
            raise Unavailable("127.0.0.1:9117 does not answer: refused")
        return self.memory

    def decide(
        self, _: object, __: object, decision: Decision, found: Listing, wait_s: float
    ) -> Effect:
        self.decided.append((decision, found.documents, wait_s))
        return self.effect


@pytest.fixture
def side(file: Path, monkeypatch: pytest.MonkeyPatch) -> MemorySide:
    side = MemorySide()
    side.records = [
        parked(1, 0, seen_ms=1_769_904_060_000),
        parked(2, 1, seen_ms=1_769_904_000_000, reason="x\x1b[1my"),
        parked(3, 2, index="sag-b"),
    ]
    monkeypatch.setattr("sink.edge.kafka.reader.Reader", lambda _: side)
    monkeypatch.setattr("sink.edge.kafka.groups.Groups", lambda _: side)
    monkeypatch.setattr("sink.edge.logs.configure", lambda _: None)
    monkeypatch.setattr("sink.edge.status_client.parked_in_memory", side.parked_in_memory)
    monkeypatch.setattr("sink.operations.parked_decision.decide", side.decide)
    return side


def test_the_list_is_a_table_of_groups_with_what_was_decided(side: MemorySide) -> None:
    command = given(Command.DROP, 3, "sag-b", by="anna@host noon")
    side.records += [command, FakeRecord(TOPIC, 0, 4, b"foreign")]

    result = sink("parked", "list")

    head, first, second, decided, foreign = result.stdout.splitlines()
    assert head.split()[:5] == ["INDEX", "TOPIC", "ERROR", "DOCUMENTS", "DECIDED"]
    told = f"{INDEX} ekk-a {BLOCKED} 2 0 10 2026-02-01T00:00:00Z blocked"
    assert " ".join(first.split()) == told
    assert second.split()[:5] == ["sag-b", "ekk-a", BLOCKED, "1", "1"]
    assert decided == "decided: drop, index sag-b, topic *, by anna@host noon"
    assert foreign == f"1 records of {TOPIC} are nothing of the sink's"
    assert result.exit_code == 0


def test_a_daemon_that_does_not_answer_is_no_error_and_is_said(side: MemorySide) -> None:
    result = sink("parked", "list", "--json")

    assert result.exit_code == 0
    assert "memory is not known: 127.0.0.1:9117 does not answer" in result.stderr
    assert json.loads(result.stdout)["memory"] is None


def test_what_waits_in_memory_is_listed_below(side: MemorySide) -> None:
    side.memory = [MEMORY, replace(MEMORY, blocks=False, spills=True)]
    side.records = []

    *_, first, second = sink("parked", "list").stdout.splitlines()

    since = "2026-02-01T00:00:00Z"
    assert " ".join(first.split()) == f"{INDEX} {BLOCKED} 7 800 {since} refuses all write block"
    assert "refuses these, to the parked topic" in second
    told = json.loads(sink("parked", "list", "--json").stdout)["memory"][0]
    assert (told["index"], told["documents"], told["since"]) == (INDEX, 7, since)


def test_nothing_is_listed_that_a_terminal_would_obey(side: MemorySide) -> None:
    side.records = [side.records[1]]

    assert "x [1my" in sink("parked", "list").stdout


def test_without_a_parked_topic_nothing_was_ever_parked(side: MemorySide) -> None:
    side.topics = []

    listed = sink("parked", "list")
    assert (listed.exit_code, listed.stdout) == (
        0,
        f"nothing was ever parked: there is no topic {TOPIC}\n",
    )
    assert sink("parked", "drop", "--all", "--yes").exit_code == 1
    assert not side.decided


@pytest.mark.parametrize("command", ["release", "to-dlq", "drop"])
def test_a_decision_is_given_for_what_is_meant(side: MemorySide, command: str) -> None:
    result = sink("parked", command, "--index", "sag-a_*", "--topic", "ekk-?", "--yes")

    assert side.decided == [(Decision(Command(command), "sag-a_*", "ekk-?"), 2, 30)]
    assert result.stdout.splitlines()[1].split()[3] == "2"
    assert "It took effect" in result.stdout
    assert result.exit_code == 0


def test_a_dry_run_shows_what_is_meant_and_decides_nothing(side: MemorySide) -> None:
    result = sink("parked", "drop", "--all", "--dry-run", "--json")

    assert (result.exit_code, side.decided) == (0, [])
    told = json.loads(result.stdout)
    assert sum(group["documents"] for group in told["groups"]) == 3
    assert told["effect"] is None


def test_a_decision_about_nothing_is_not_given_and_is_a_finding(side: MemorySide) -> None:
    result = sink("parked", "drop", "--index", "sag-z*", "--yes")

    assert (result.exit_code, side.decided) == (1, [])
    assert f"no such documents wait in {TOPIC}" in result.stdout


@pytest.mark.parametrize(
    ("effect", "said", "code"),
    [
        (EFFECT, "It took effect: none of them waits any more.", 0),
        (
            replace(EFFECT, members=[], waiting=2, awaited=False),
            "No sink of group log-sink runs: the next that starts obeys.",
            0,
        ),
        (replace(EFFECT, waiting=2, awaited=False), "obey within seconds", 0),
        (replace(EFFECT, waiting=2), "Not done yet: 2 of them.", 1),
        (replace(EFFECT, waiting=2, behind=1), "1 stand behind documents that are not meant", 1),
    ],
)
def test_what_followed_is_told(side: MemorySide, effect: Effect, said: str, code: int) -> None:
    side.effect = effect

    result = sink("parked", "drop", "--all", "--yes", "--wait", "5")

    assert said in result.stdout
    assert result.exit_code == code
    told = json.loads(sink("parked", "drop", "--all", "--yes", "--json").stdout)["effect"]
    assert (told["command"], told["by"], told["ok"]) == ("drop", "anna@host", not code)
    assert told["waiting"] == effect.waiting


@pytest.mark.parametrize(("answer", "given_"), [("y\n", 1), ("n\n", 0)])
def test_a_person_is_asked(
    side: MemorySide, monkeypatch: pytest.MonkeyPatch, answer: str, given_: int
) -> None:
    monkeypatch.setattr("sink.cli.parked.somebody_is_there", lambda: True)

    result = CliRunner().invoke(cli, ("parked", "drop", "--all"), input=answer)

    assert "drop 3 documents?" in result.stderr
    assert len(side.decided) == given_
    assert (result.exit_code == 0) is bool(given_)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("drop", "--all"), "--yes"),
        (("drop", "--yes"), "--all"),
        (("drop", "--all", "--index", "x", "--yes"), "--all"),
        (("release", "--all", "--yes", "--wait", "-1"), "--wait"),
        (("burn", "--all"), "burn"),
    ],
)
def test_what_makes_no_sense_is_said_and_ends_with_2(
    side: MemorySide, words: tuple[str, ...], said: str
) -> None:
    result = sink("parked", *words)

    assert (result.exit_code, result.stdout, side.decided) == (2, "", [])
    assert said in result.stderr
