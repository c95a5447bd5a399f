"""
The trail: who did what is written down before it is done, beside the dead letters.
"""

from collections import Counter

import pytest

from sink.core.dead_letter import DeadLetter
from sink.core.envelope import open_envelope
from sink.errors import Unavailable
from sink.operations.dead_letters import Listing
from sink.operations.trail import STAGE, Entry, Trail, entry_of
from sink.testing import FakeDeadLetters, FakeRecord
from tests.operations.making import message, read


def entries(letters: list[DeadLetter]) -> list[Entry]:
    return [entry_of(open_envelope(message(letter))) for letter in letters]


def trail(letters: FakeDeadLetters, result: Counter[str]) -> Trail:
    arguments = {"error": "x", "topic": None}
    return Trail(letters, "dlq", "dlq replay", arguments=arguments, result=result)


def test_an_operation_is_written_down_before_it_begins_and_when_it_is_done() -> None:
    letters = FakeDeadLetters()
    result: Counter[str] = Counter()

    with trail(letters, result):
        assert [each.event for each in entries(letters.letters)] == ["began"]
        result["indexed"] += 3

    began, done = entries(letters.letters)
    assert (began.run, done.event, done.result) == (done.run, "done", {"indexed": 3})
    assert (done.command, done.arguments) == ("dlq replay", {"error": "x"})
    assert "@" in done.by


@pytest.mark.parametrize(
    ("error", "event"), [(KeyboardInterrupt, "interrupted"), (OSError, "failed")]
)
def test_an_operation_that_does_not_come_to_its_end_is_told_so(
    error: type[BaseException], event: str
) -> None:
    letters = FakeDeadLetters()

    with pytest.raises(error), trail(letters, Counter(indexed=1)):
        raise error

    *_, last = entries(letters.letters)
    assert (last.event, last.result) == (event, {"indexed": 1})


def test_nothing_is_done_that_cannot_be_written_down() -> None:
    letters = FakeDeadLetters()
    letters.down()

    with pytest.raises(Unavailable), trail(letters, Counter()):
        pytest.fail("it began all the same")


def test_a_listing_tells_operations_apart_from_dead_letters() -> None:
    letters = FakeDeadLetters()
    for _ in range(6):
        with trail(letters, Counter(indexed=1)):
            pass
    listing = Listing()

    for page in read([message(letter, offset) for offset, letter in enumerate(letters.letters)]):
        listing.add(page)

    assert listing.groups == {}
    assert len(listing.operations) == 10  # the last ones
    assert listing.operations[-1].event == "done"


def test_a_record_of_another_version_is_no_obstacle() -> None:
    unknown = DeadLetter(FakeRecord("dlq", -1, -1, b'{"what":"is this"}'), STAGE, "x", "y")

    assert [each.command for each in entries([unknown])] == ["unreadable"]
