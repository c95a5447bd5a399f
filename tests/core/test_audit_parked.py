"""
What the parked topic tells an audit: which documents wait, and which an operator dropped.
"""

import pytest

from sink.core.audit import Place
from sink.core.audit_parked import ParkedDocuments
from sink.core.command import Command, Decision
from sink.core.envelope import Envelope, Original

DROP, RELEASE, TO_DLQ = Command.DROP, Command.RELEASE, Command.TO_DLQ
TOPIC = "ekk-order"
ONE, OTHER = Place(0, 0, 1), Place(0, 0, 2)


def _envelope(index: str | None) -> Envelope:
    record = Original(TOPIC, 0, 0, 0, 0, None, b"{}", [])
    return Envelope(record, "T", "park", "x", "y", attempts=0, documents=1, index=index)


def _add(
    parked: ParkedDocuments,
    place: Place,
    *,
    index: str | None = "may",
    number: int = 0,
    waits: bool = False,
) -> None:
    parked.add(number, _envelope(index), place, waits=waits)


def _fate(parked: ParkedDocuments, place: Place) -> str:
    waits, dropped = place in parked.waiting(), place in parked.dropped()
    return "waits" if waits else "dropped" if dropped else "gone"


@pytest.mark.parametrize(
    ("commands", "waiting", "committed"),
    [
        ([], "waits", "gone"),
        ([DROP], "dropped", "dropped"),
        ([RELEASE], "waits", "gone"),
        ([TO_DLQ], "waits", "gone"),
        ([RELEASE, DROP], "dropped", "dropped"),
        # Of two decisions the sinks obey the last; but for what was dropped by then it came late.
        ([DROP, RELEASE], "waits", "dropped"),
        ([DROP, TO_DLQ, DROP], "dropped", "dropped"),
    ],
)
def test_what_an_operator_dropped_is_told_from_what_waits(
    commands: list[Command], waiting: str, committed: str
) -> None:
    """
    A drop that is obeyed must not become a loss because something else is released a day later.
    """
    parked = ParkedDocuments()
    _add(parked, ONE, waits=True)
    _add(parked, OTHER, waits=False)
    for command in commands:
        parked.decide(0, Decision(command))

    assert (_fate(parked, ONE), _fate(parked, OTHER)) == (waiting, committed)


@pytest.mark.parametrize(
    ("decision", "number", "fate"),
    [
        (Decision(DROP, index="m*", topic="ekk-*"), 0, "dropped"),
        (Decision(DROP, index="june"), 0, "gone"),
        (Decision(DROP, topic="ekk-bill"), 0, "gone"),
        (Decision(DROP), 1, "gone"),  # another partition's is not about it
    ],
)
def test_a_drop_excuses_only_what_it_was_about(decision: Decision, number: int, fate: str) -> None:
    parked = ParkedDocuments()
    _add(parked, ONE)
    parked.decide(number, decision)

    assert _fate(parked, ONE) == fate


def test_a_drop_is_found_to_be_about_one_index_among_others() -> None:
    parked = ParkedDocuments()
    _add(parked, OTHER, index="june")
    _add(parked, OTHER, number=1)
    _add(parked, ONE)
    parked.decide(0, Decision(DROP, index="may"))

    assert (_fate(parked, ONE), _fate(parked, OTHER)) == ("dropped", "gone")


def test_a_drop_excuses_nothing_that_was_parked_after_it() -> None:
    parked = ParkedDocuments()
    _add(parked, ONE)
    parked.decide(0, Decision(DROP))
    _add(parked, OTHER)

    assert (_fate(parked, ONE), _fate(parked, OTHER)) == ("dropped", "gone")


def test_what_was_written_again_behind_a_drop_waits_there() -> None:
    parked = ParkedDocuments()
    _add(parked, ONE, index="june")
    parked.decide(0, Decision(DROP, index="may"))
    _add(parked, ONE, index="june", waits=True)

    assert _fate(parked, ONE) == "waits"


def test_a_record_that_was_parked_before_it_was_a_document_is_dropped_too() -> None:
    parked = ParkedDocuments()
    _add(parked, OTHER, index="may")
    _add(parked, ONE, index=None)
    parked.decide(0, Decision(DROP))

    assert _fate(parked, ONE) == "dropped"


def test_a_drop_of_one_index_is_about_no_record_that_was_none_of_it() -> None:
    parked = ParkedDocuments()
    _add(parked, OTHER, index=None)
    _add(parked, ONE, index="may")
    parked.decide(0, Decision(DROP, index="may"))

    assert (_fate(parked, ONE), _fate(parked, OTHER)) == ("dropped", "gone")
