"""
What was parked for the rate of its topic is settled by itself.
"""

from functools import partial

import pytest

from sink.core.collect import Run
from sink.core.dead_letter import DeadLetter
from sink.core.parked import DEAD_LETTER_RATE, ParkedTarget
from sink.testing import FakeRecord
from tests.core.parked_records import PARKED, parked, record_of, target_of_topic, written

RATED = DeadLetter(
    record_of(b'{"n":1}'), "park", DEAD_LETTER_RATE, "y", index="may", id="T-7", topic_id="T"
)


UNMADE = DeadLetter(record_of(b"17"), "collect", "x", "y", topic_id="T")


def _written(letter: DeadLetter, offset: int) -> FakeRecord:
    return written(letter, first=offset)[0]


@pytest.mark.parametrize(
    ("kinds", "pieces"),
    [
        ("ddd", [(0, 3)]),
        ("dddd", [(0, 3), (3, 4)]),
        ("drd", [(0, 1), (1, 2), (2, 3)]),
        ("dcd", [(0, 1), (1, 2), (2, 3)]),
        ("rdd", [(0, 1), (1, 3)]),
        ("ddr", [(0, 2), (2, 3)]),
        ("ddcrd", [(0, 2), (2, 3), (3, 4), (4, 5)]),
        ("rc", [(0, 1), (1, 2)]),
    ],
)
def test_what_was_parked_for_its_topics_rate_is_settled_by_itself(
    kinds: str, pieces: list[tuple[int, int]]
) -> None:
    """
    d: a document, r: dead for Elasticsearch and above the rate, c: dead for its collector.
    """
    made_of = {
        "d": partial(parked),
        "r": partial(_written, RATED),
        "c": partial(_written, UNMADE),
    }
    records = [made_of[kind](offset) for offset, kind in enumerate(kinds)]
    run = Run(PARKED, [*records], 0, len(records))

    found = [piece for piece, _, _ in ParkedTarget(target_of_topic).pieces(run, 3)]

    assert [(piece.first, piece.next_offset) for piece in found] == pieces
    assert [record for piece in found for record in piece.records] == records
    assert {piece.partition for piece in found} == {PARKED}
