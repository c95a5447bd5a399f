"""
What operators decided is done to the parked documents they meant, and to no others.
"""

from sink.core.collect import Run
from sink.core.command import Command, Decision
from sink.core.parked import ParkedTarget
from sink.core.record import Partition
from sink.testing import FakeRecord
from tests.core.parked_records import PARKED, Made, keeps_its_name, make, parked, target_of_topic


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
