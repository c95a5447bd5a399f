"""
An operator's decision is told by a record, and is about no more than it says.
"""

import pytest

from sink.core.command import Command, Decision, decision_of, is_command
from sink.core.dead_letter import DeadLetter
from sink.core.envelope import Envelope, open_envelope
from sink.core.record import Headers
from sink.testing import FakeRecord


def _told(decision: Decision, offset: int = 0) -> FakeRecord:
    return FakeRecord("parked", 0, offset, None, headers=decision.headers())


def _parked(headers: Headers | None = None, index: str = "sag-order_2026-11-01") -> FakeRecord:
    record = FakeRecord("ekk-order", 0, 7, b"{}", headers=headers)
    letter = DeadLetter(record, "park", "x", "y", index=index, id="T-0-0-7", topic_id="T")
    return FakeRecord("parked", 0, 3, b"{}", headers=letter.headers({}))


def _envelope() -> Envelope:
    return open_envelope(_parked())


@pytest.mark.parametrize("command", list(Command))
def test_a_decision_is_read_as_it_was_told_with_where_it_stands(command: Command) -> None:
    decision = Decision(command, "sag-*", "ekk-order", "anna, noon")

    record = _told(decision, offset=12)

    assert is_command(record)
    assert decision_of(record) == Decision(command, "sag-*", "ekk-order", "anna, noon", before=12)


def test_a_decision_stands_in_the_topic_under_names_that_every_version_reads() -> None:
    """It may be told by a sink of today and obeyed by one of next year."""
    assert Decision(Command.TO_DLQ, "sag-*", "ekk-order", "anna, noon").headers() == [
        ("sink.command", b"to-dlq"),
        ("sink.command_index", b"sag-*"),
        ("sink.command_topic", b"ekk-order"),
        ("sink.command_by", b"anna, noon"),
    ]


def test_a_decision_without_patterns_is_about_all() -> None:
    record = FakeRecord("parked", 0, 4, None, headers=[("sink.command", b"release")])

    decision = decision_of(record)

    assert decision == Decision(Command.RELEASE, before=4)
    assert decision.is_about(_envelope())


def test_a_pattern_that_was_told_empty_is_about_nothing() -> None:
    headers: Headers = [("sink.command", b"drop"), ("sink.command_index", None)]

    decision = decision_of(FakeRecord("parked", 0, 0, None, headers=headers))

    assert decision == Decision(Command.DROP, "", before=0)
    assert not decision.is_about(_envelope())


@pytest.mark.parametrize("told", [b"burn", b"", b"\xff", None])
def test_a_command_of_a_later_version_is_a_command_and_decides_nothing(told: bytes | None) -> None:
    record = FakeRecord("parked", 0, 4, None, headers=[("sink.command", told)])

    assert is_command(record)
    assert decision_of(record) is None


def test_a_parked_document_is_no_command_whatever_headers_its_record_has() -> None:
    """
    Whoever may write a log line could otherwise throw away all that is parked.
    """
    forged = Decision(Command.DROP).headers()

    assert not is_command(_parked(forged))
    assert decision_of(_parked(forged)) is None
    assert not is_command(_parked())
    assert not is_command(FakeRecord("parked", 0, 0, b"junk"))


def test_a_record_that_was_bound_for_no_index_is_meant_by_a_star_alone() -> None:
    record = FakeRecord("ekk-order", 0, 7, b"17")
    letter = DeadLetter(record, "collect", "x", "y", topic_id="T")
    envelope = open_envelope(FakeRecord("parked", 0, 3, b"17", headers=letter.headers({})))

    assert Decision(Command.DROP, "*").is_about(envelope)
    assert not Decision(Command.DROP, "?*").is_about(envelope)


@pytest.mark.parametrize(
    ("index", "topic", "meant"),
    [
        ("*", "*", True),
        ("sag-order_*", "*", True),
        ("sag-order_2026-11-01", "ekk-order", True),
        ("sag-bill*", "*", False),
        ("*", "ekk-bill", False),
        ("sag-order", "*", False),
        ("SAG-order*", "*", False),
    ],
)
def test_a_decision_is_about_documents_of_its_index_and_its_topic_alone(
    index: str, topic: str, *, meant: bool
) -> None:
    assert Decision(Command.DROP, index, topic).is_about(_envelope()) is meant
