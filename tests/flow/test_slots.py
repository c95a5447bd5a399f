"""
What answers teach of how many bulks may be under way.
"""

import asyncio

import pytest

from sink.core.outcome import INDEXED, Answer, Outcome, Reply, Request, Verdict
from sink.writing.slots import Slots

_BUSY = Reply(429, b"", "es_rejected_execution_exception", "queue is full")
_REFUSED = Verdict(Outcome.RETRY, "es_rejected_execution_exception", "queue is full")


def _after(answer: Answer) -> list[int]:
    """Give the numbers of slots that are told: at first, and after an answer to 100 documents."""
    told: list[int] = []

    async def one() -> None:
        slots = Slots(8, told.append)
        async with slots:
            slots.answered(0.1, answer, 100)

    asyncio.run(one())
    return told


@pytest.mark.parametrize(
    "answer",
    [
        Answer(Request.RETRY, _BUSY),
        Answer(Request.ANSWERED, Reply(200), [_REFUSED] * 6 + [INDEXED] * 94),
    ],
)
def test_a_refusal_for_the_load_takes_slots_away(answer: Answer) -> None:
    assert _after(answer) == [4, 3]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(Request.ANSWERED, Reply(200), [_REFUSED] * 5 + [INDEXED] * 95),
        Answer(Request.HALVE, _BUSY),  # the bulk by itself is more than the node takes
        Answer(Request.HALVE, Reply(413)),
        Answer(Request.RETRY, Reply(503)),
    ],
)
def test_what_says_nothing_of_the_load_changes_nothing(answer: Answer) -> None:
    assert _after(answer) == [4]
