"""
`sink dlq` and `sink replay`: what they take, what they print, how they end.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest

from sink.core.record import Partition, Record
from sink.edge.kafka.reader import Bound, Span
from sink.operations.trail import Trail
from sink.testing import FakeDeadLetters, FakeRecord
from tests.cli.memory_sides import sink
from tests.operations.making import message, refused, rejected

_DLQ = "sink-dlq.log-sink"


class MemoryReader:
    """The dead-letter topic in memory: one partition."""

    def __init__(self) -> None:
        self.messages: list[FakeRecord] = []
        self.topics = [_DLQ]

    def __enter__(self) -> "MemoryReader":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def partitions(self, topic: str) -> list[Partition]:
        return [Partition(topic, 0)] if topic in self.topics else []

    def spans(
        self, partitions: list[Partition], begin: Bound | None = None, end: Bound | None = None
    ) -> list[Span]:
        return [Span(partition, 0, len(self.messages)) for partition in partitions]

    def batches(self, spans: Sequence[Span]) -> Iterator[list[Record]]:
        for span in spans:
            yield cast("list[Record]", self.messages[span.begin : span.end])


@pytest.fixture
def letters(file: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryReader:
    reader = MemoryReader()
    monkeypatch.setattr("sink.edge.kafka.reader.Reader", lambda _: reader)
    monkeypatch.setattr("sink.edge.kafka.admin.Brokers", lambda _: None)
    monkeypatch.setattr("sink.edge.logs.configure", lambda _: None)
    return reader


def test_the_list_is_a_table_of_groups_that_says_which_letter_to_look_at(
    letters: MemoryReader,
) -> None:
    letters.messages = [
        message(refused(offset=1), 0, seen_ms=1_769_904_000_000),
        message(refused(offset=2), 1, seen_ms=1_769_904_060_000),
        FakeRecord(_DLQ, 0, 2, b"foreign"),
    ]

    result = sink("dlq", "list")

    head, row, *rest = result.stdout.splitlines()
    assert head.split()[:4] == ["ERROR", "INDEX", "TOPIC", "DOCUMENTS"]
    assert row.split() == [
        "document_parsing_exception",
        "sag-a_2026-11-01",
        "ekk-a",
        "2",
        "2026-02-01T00:00:00Z",
        "2026-02-01T00:01:00Z",
        "0:1",
    ]
    assert "one of them: sink dlq show 0:1" in rest
    assert f"1 records of {_DLQ} are no dead letters of the sink" in rest
    assert result.exit_code == 0


def test_the_list_tells_who_replayed_what(letters: MemoryReader) -> None:
    written = FakeDeadLetters()
    given = {"error": "document_*", "index": None}
    with Trail(written, _DLQ, "dlq replay", arguments=given, result={"indexed": 2, "refused": 1}):
        pass
    letters.messages = [message(letter, n) for n, letter in enumerate(written.letters)]

    result = sink("dlq", "list")

    assert f"no such dead letters in {_DLQ}" in result.stdout
    *_, began, done = result.stdout.splitlines()
    assert "began" in began and began.endswith("dlq replay error=document_*  -")
    assert "done" in done and done.endswith("dlq replay error=document_*  2 indexed, 1 refused")


def test_without_a_dead_letter_topic_there_are_no_dead_letters(letters: MemoryReader) -> None:
    letters.topics = []

    assert sink("dlq", "list").stdout == f"no such dead letters in {_DLQ}\n"
    assert sink("dlq", "list", "--json").exit_code == 0


def test_a_letter_is_shown_without_what_a_terminal_would_obey(letters: MemoryReader) -> None:
    """A log record may hold escape sequences: shown raw they could hide or fake what is read."""
    letters.messages = [message(refused("\x1b[2Jé\nnext".encode(), reason="a\x1b[1mb\nc"))]

    result = sink("dlq", "show", "0:0")

    assert "value:\n\\x1b[2Jé\nnext\n" in result.stdout
    assert "a [1mb c" in result.stdout
    assert "\x1b" not in result.stdout


def test_bytes_that_are_no_text_are_shown_in_base64(letters: MemoryReader) -> None:
    letters.messages = [message(refused(b"\xff\xfe"))]

    shown = json.loads(sink("dlq", "show", "0:0", "--json").stdout)

    assert shown["value_base64"] == "//4="
    assert "value" not in shown
    assert "value_base64:\n//4=\n" in sink("dlq", "show", "0:0").stdout


def test_a_record_that_is_no_dead_letter_is_told_so(letters: MemoryReader) -> None:
    letters.messages = [FakeRecord(_DLQ, 0, 0, b"foreign")]

    result = sink("dlq", "show", "0:0")

    assert result.exit_code == 2
    assert f"{_DLQ} 0:0 is no dead letter of the sink" in result.stderr


def test_a_dry_run_prints_what_would_be_sent_and_what_cannot_be(letters: MemoryReader) -> None:
    letters.messages = [
        message(refused(offset=1), 0),
        message(rejected(b"{}", record=FakeRecord("gone", 0, 3, b"{}")), 1),
    ]

    result = sink("dlq", "replay", "--dry-run")

    said = [line.split() for line in result.stdout.splitlines()]
    assert ["document_parsing_exception", "ekk-a", "sag-a_2026-11-01", "1"] in said
    assert ["not_replayable", "1"] in said
    assert "no route takes topic gone" in result.stdout
    assert result.exit_code == 1


def test_a_dry_run_that_finds_nothing_wrong_ends_with_0(letters: MemoryReader) -> None:
    letters.messages = [message(refused())]

    assert sink("dlq", "replay", "--dry-run", "--json").exit_code == 0
    assert sink("dlq", "replay", "--dry-run", "--topic", "x").stdout == "nothing to be sent\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("dlq", "list", "--from", "today"), "'today' is no ISO-8601 time with its zone"),
        (("dlq", "list", "--to", "2026-02-01"), "no ISO-8601 time with its zone"),
        (
            ("dlq", "list", "--from", "2026-02-01T00:00Z", "--to", "2026-01-01T00:00Z"),
            "lies before",
        ),
        (("dlq", "show"), "give either PARTITION:OFFSET or --record"),
        (("dlq", "show", "17"), "give either PARTITION:OFFSET or --record"),
        (("dlq", "show", "0:1", "--record", "a/0/1"), "give either"),
        (("dlq", "show", "--record", "a/0"), "give either"),
        (("dlq", "show", "0:9"), "has no record at 0:9; it has none"),
        (("replay", "--topic", "ekk-a"), "Missing option '--from'"),
        (("replay", "--topic", "ekk-a", "--from", "-1"), "no ISO-8601 time"),
        (("replay", "--topic", "ekk-a", "--from", "5", "--to", "4"), "lies before"),
        (("replay", "--topic", "ekk-a", "--from", "5", "--rate", "-4"), "--rate"),
    ],
)
@pytest.mark.usefixtures("letters")
def test_what_makes_no_sense_is_said_and_ends_with_2(words: tuple[str, ...], said: str) -> None:
    result = sink(*words)

    assert said in result.stderr
    assert result.exit_code == 2
    assert result.stdout == ""
