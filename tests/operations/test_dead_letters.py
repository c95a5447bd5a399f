"""
What is read of the dead-letter topic: chosen, each document once, in groups.
"""

from datetime import UTC, datetime

import pytest

from sink.core.dead_letter import DeadLetter
from sink.errors import ConfigError
from sink.operations.dead_letters import Choice, Letter, Listing, Place
from sink.testing import FakeRecord
from tests.operations.making import message, read, refused, rejected


def letters(*batches: list[FakeRecord], choice: Choice | None = None) -> list[Letter]:
    return [letter for page in read(*batches, choice=choice) for letter in page.letters]


def test_a_document_whose_letter_was_written_twice_counts_once() -> None:
    """A crash between the letter's acknowledgement and the commit writes it again."""
    twice = [message(refused(), 0), message(refused(), 1)]

    assert [each.place for each in letters(twice, [message(refused(), 2)])] == [Place(0, 0)]


@pytest.mark.parametrize(
    "other",
    [
        refused(offset=6),
        refused(topic_id="u" * 22),  # the topic was created again
        refused(positions=(1,)),
        refused(record=FakeRecord("ekk-a", 1, 5, b"{}", leader_epoch=2)),
        refused(record=FakeRecord("ekk-a", 0, 5, b"{}", leader_epoch=3)),  # after a truncation
    ],
)
def test_another_document_counts_of_its_own(other: DeadLetter) -> None:
    assert len(letters([message(refused(), 0), message(other, 1)])) == 2


def test_lists_of_positions_too_long_to_be_kept_do_not_hide_one_another() -> None:
    """Their headers are shortened, and then tell no positions."""
    many = rejected(b"[]", positions=tuple(range(9000)))
    more = rejected(b"[]", positions=tuple(range(9001)))

    assert len(letters([message(many), message(more)])) == 2


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        (Choice(), 3),
        (Choice(error="document_parsing_exception"), 2),
        (Choice(error="*exception"), 2),
        (Choice(error="exception"), 0),
        (Choice(topic="ekk-*"), 3),
        (Choice(topic="ekk"), 0),
        (Choice(index="sag-*"), 2),
        (Choice(since=datetime.fromtimestamp(2, UTC)), 2),
        (Choice(until=datetime.fromtimestamp(2, UTC)), 1),
        (Choice(error="reject", until=datetime.fromtimestamp(2, UTC)), 0),
    ],
)
def test_letters_are_chosen_by_error_topic_index_and_time(choice: Choice, taken: int) -> None:
    batch = [
        message(refused(offset=1), 0, seen_ms=1000),
        message(refused(offset=2), 1, seen_ms=2000),
        message(rejected(b"x", record=FakeRecord("ekk-a", 0, 3, b"x")), 2, seen_ms=3000),
    ]

    assert len(letters(batch, choice=choice)) == taken


def test_times_that_leave_nothing_are_refused() -> None:
    with pytest.raises(ConfigError, match="lies before"):
        Choice(since=datetime(2026, 2, 1, tzinfo=UTC), until=datetime(2026, 1, 1, tzinfo=UTC))


def test_groups_tell_how_many_documents_and_when_they_were_seen() -> None:
    listing = Listing()
    array = rejected(b"[1,2]", positions=(0, 1), error_type="not_an_object")
    batch = [
        message(refused(offset=2), 7, seen_ms=5000),
        message(refused(offset=1), 8, seen_ms=3000),
        message(refused(offset=3, index="other"), 9, seen_ms=4000),
        message(array, 10),
        FakeRecord("dlq", 0, 11, b"somebody else's"),
    ]

    for page in read(batch[:2], batch[2:]):
        listing.add(page)

    groups = {(group.error_type, group.index): group for group in listing.by_size()}
    parsing = groups["document_parsing_exception", "sag-a_2026-11-01"]
    assert (parsing.documents, parsing.first_ms, parsing.last_ms) == (2, 3000, 5000)
    assert str(parsing.newest) == "0:7"
    assert groups["document_parsing_exception", "other"].documents == 1
    assert groups["not_an_object", None].documents == 2
    assert listing.foreign == 1
