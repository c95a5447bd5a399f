"""
What operators decided is done to the parked documents they meant, and to no others.
"""

from sink.core.collect import Run
from sink.core.command import Command, Decision
from sink.core.parked import ParkedTarget
from sink.core.record import Partition
from sink.testing import FakeRecord
from tests.core.parked_records import (
    PARKED,
    Made,
    collecting,
    keeps_its_name,
    make,
    parked,
    target_of_topic,
    unmade,
)


def _told(offset: int, command: Command, index: str = "*") -> FakeRecord:
    return FakeRecord(*PARKED, offset, None, headers=Decision(command, index).headers())


def _obeyed(target: ParkedTarget, *records: FakeRecord) -> Made:
    (made,) = make(*records, target=target)
    return made


def test_a_command_is_no_document_and_has_its_partition_read_again_once() -> None:
    target = ParkedTarget(target_of_topic)

    made = _obeyed(target, parked(0), _told(1, Command.DROP))

    assert len(made.documents) == 1, "it was read before the command was known"
    assert made.dropped == {"command": 1}
    assert target.news() == {PARKED}
    _obeyed(target, parked(0), _told(1, Command.DROP))
    assert target.news() == set(), "read again and again for ever"


def test_documents_before_a_command_to_drop_are_dropped_and_those_behind_it_are_not() -> None:
    target = ParkedTarget(target_of_topic)
    _obeyed(target, _told(2, Command.DROP, "may"))

    made = _obeyed(target, parked(0), parked(1, "june"), _told(2, Command.DROP), parked(3))

    assert made.dropped == {"operator": 1, "command": 1}
    assert [document.action["create"]["_id"] for document in made.documents] == ["T-1", "T-3"]


def test_documents_moved_to_the_dead_letters_keep_their_names_and_say_by_whom() -> None:
    target = ParkedTarget(target_of_topic)
    _obeyed(target, _told(9, Command.TO_DLQ))

    made = _obeyed(target, parked(7))

    (rejected,) = made.rejected
    assert keeps_its_name(rejected)
    assert "by command" in rejected.reason
    assert rejected.error_type == "x"


def test_documents_moved_by_command_are_held_back_by_no_rate() -> None:
    target = ParkedTarget(target_of_topic)
    _obeyed(target, _told(9, Command.TO_DLQ))

    assert [rejected.by_command for rejected in _obeyed(target, parked(7)).rejected] == [True]


def test_each_command_and_each_document_it_drops_is_counted() -> None:
    target = ParkedTarget(target_of_topic)
    told = [_told(8, Command.DROP), _told(9, Command.DROP)]
    _obeyed(target, *told)

    made = _obeyed(target, parked(0), parked(1), *told)

    assert made.dropped == {"operator": 2, "command": 2}


def test_what_stands_before_a_command_makes_way_for_it_and_what_stands_behind_does_not() -> None:
    """
    The offset passes the command then, and it is obeyed once.
    """
    target = ParkedTarget(target_of_topic)
    _obeyed(target, _told(2, Command.DROP, "june"))

    made = _obeyed(target, parked(0), _told(2, Command.DROP, "june"), parked(3))

    assert [document.bound.moves for document in made.documents] == [True, False]


def test_a_record_that_became_no_document_is_released_and_makes_way_like_any_other() -> None:
    target = collecting(lambda _: b'{"now":1}')
    _obeyed(target, _told(9, Command.RELEASE))

    (document,) = _obeyed(target, unmade(b"17")).documents

    assert (document.bound.released, document.bound.moves) == (True, True)


def test_after_an_assignment_commands_are_learned_before_anything_is_made() -> None:
    target = ParkedTarget(target_of_topic)
    target.begin(PARKED)
    records = [parked(3), _told(4, Command.DROP), parked(5)]
    assert make(*records, target=target) == []
    assert make(parked(6), target=target) == []

    assert target.learned(PARKED) == 3, "it is read again from the first that came"

    assert target.news() == set(), "it is read again anyway"
    made = _obeyed(target, *records)
    assert made.dropped == {"operator": 1, "command": 1}
    assert len(made.documents) == 1


def test_a_partition_without_records_is_read_on() -> None:
    target = ParkedTarget(target_of_topic)
    target.begin(PARKED)

    assert target.learned(PARKED) is None
    assert target.learned(PARKED) is None, "it is learned already"
    assert len(_obeyed(target, parked(0)).documents) == 1


def test_commands_of_an_earlier_assignment_are_forgotten() -> None:
    """
    The partition may have been another sink's meanwhile, and the command obeyed.
    """
    target = ParkedTarget(target_of_topic)
    _obeyed(target, _told(9, Command.DROP))

    target.begin(PARKED)
    target.learned(PARKED)

    assert target.news() == set()
    assert len(_obeyed(target, parked(0)).documents) == 1


def test_a_released_document_is_marked_and_the_next_is_not() -> None:
    target = ParkedTarget(target_of_topic)
    _obeyed(target, _told(9, Command.RELEASE, "may"))

    made = _obeyed(target, parked(0), parked(1, "june"))

    assert [document.bound.released for document in made.documents] == [True, False]


def test_of_two_commands_the_last_is_obeyed() -> None:
    target = ParkedTarget(target_of_topic)
    _obeyed(target, _told(8, Command.DROP), _told(9, Command.TO_DLQ, "may"))

    made = _obeyed(target, parked(0), parked(1, "june"))

    assert len(made.rejected) == 1
    assert made.dropped == {"operator": 1}


def test_a_command_is_about_its_partition_alone() -> None:
    target = ParkedTarget(target_of_topic)
    other = Partition("parked", 5)
    run = Run(other, [_told(9, Command.DROP)], 9, 10)
    list(target.pieces(run, 10))

    assert target.news() == {other}
    assert len(_obeyed(target, parked(0)).documents) == 1
