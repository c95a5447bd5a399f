"""
Where a group stands, and what setting its offset means.
"""

import pytest

from sink.core.record import Partition
from sink.core.standing import Move, Plan, Standing, consequence

PLACE = Partition("ekk-a", 0)


@pytest.mark.parametrize(
    ("committed", "begin", "end", "lag", "state"),
    [
        (5, 0, 9, 4, ""),
        (9, 0, 9, 0, ""),
        (0, 0, 0, 0, ""),
        (5, 7, 9, 2, "behind the log's start: 2 records would expire"),
        (12, 0, 9, 0, "beyond the log's end by 3"),
        (
            None,
            0,
            9,
            None,
            "never committed: begins at its first record (a new group: at kafka.start)",
        ),
    ],
)
def test_a_standing_says_its_lag_and_what_is_out_of_the_ordinary(
    committed: int | None, begin: int, end: int, lag: int | None, state: str
) -> None:
    standing = Standing(PLACE, committed, begin, end)

    assert (standing.lag, standing.state) == (lag, state)


@pytest.mark.parametrize(
    ("before", "begin", "after", "said"),
    [
        (None, 0, 5, ""),
        (5, 0, 5, "as it is"),
        (5, 0, 9, "skips 4 records"),
        (5, 0, 6, "skips 1 records"),
        (5, 0, 2, "reads 3 records again"),
        (5, 7, 9, "skips 2 records"),  # the two before are gone, nobody skips them
        (5, 7, 7, "at the log's start"),
    ],
)
def test_what_follows_from_setting_an_offset_is_told(
    before: int | None, begin: int, after: int, said: str
) -> None:
    assert consequence(before, begin, after) == said


def test_only_offsets_that_change_are_set() -> None:
    places = [Partition("a", number) for number in range(4)]
    moves = [
        Move(places[0], None, 3, ""),
        Move(places[1], 3, 3, ""),
        Move(places[2], 3, None, ""),
        Move(places[3], 3, 0, ""),
    ]

    assert Plan("g", moves, []).offsets == {places[0]: 3, places[3]: 0}
