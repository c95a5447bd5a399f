"""
What is done with each document of an answered bulk.
"""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.core.outcome import Outcome, Verdict
from sink.core.sorting import ACCEPTED, Sorted, sort
from tests.core.placing import bulk_of, ticket_of

MAY, JUNE = "may", "june"


def _sorted(
    *answers: tuple[str, Outcome], index_is_fit: bool = False, topics: Sequence[str] = ("orders",)
) -> Sorted:
    tickets = [ticket_of(topic) for topic in topics]
    shares = [(index, tickets[n % len(tickets)], 1) for n, (index, _) in enumerate(answers)]
    verdicts = [Verdict(outcome) for _, outcome in answers]
    return sort(bulk_of(*shares), verdicts, index_is_fit=index_is_fit)


def test_what_is_accepted_is_counted_by_the_topic_it_was_consumed_from() -> None:
    found = _sorted(
        (MAY, Outcome.INDEXED),
        (MAY, Outcome.INDEXED),
        (JUNE, Outcome.DUPLICATE),
        (JUNE, Outcome.DROPPED),
        topics=["orders", "bills"],
    )

    assert found.fates == {
        ("orders", "indexed"): 1,
        ("bills", "indexed"): 1,
        ("orders", "duplicate"): 1,
        ("bills", "dropped"): 1,
    }
    assert not (found.dead or found.again or found.parked or found.unclear)


def test_a_repaired_document_is_counted_as_such_where_it_is_new() -> None:
    bulk = bulk_of((MAY, ticket_of("orders"), 4))
    bulk.lines[3] = bulk.lines[7] = b'{"sink.repaired":["n"],"n_conflict":"x"}'
    outcomes = (Outcome.INDEXED, Outcome.INDEXED, Outcome.INDEXED, Outcome.DUPLICATE)

    found = sort(bulk, [Verdict(outcome) for outcome in outcomes])

    assert found.fates == {
        ("orders", "indexed"): 2,
        ("orders", "repaired"): 1,
        ("orders", "duplicate"): 1,
    }


def test_each_refusal_goes_its_own_way() -> None:
    found = _sorted(
        (MAY, Outcome.DEAD), (MAY, Outcome.RETRY), (MAY, Outcome.PARK), (MAY, Outcome.UNCLEAR)
    )

    assert (found.dead, found.again, found.parked, found.unclear) == ([0], [1], [2], [3])
    assert found.fates == {}


def test_an_unclear_refusal_is_the_documents_where_its_index_took_another() -> None:
    found = _sorted(
        (MAY, Outcome.UNCLEAR),
        (MAY, Outcome.DUPLICATE),
        (JUNE, Outcome.UNCLEAR),
        (MAY, Outcome.DEAD),
    )

    assert found.dead == [0, 3]
    assert found.unclear == [2]


def test_that_one_index_takes_documents_does_not_tell_that_another_does() -> None:
    assert _sorted((JUNE, Outcome.INDEXED), (MAY, Outcome.UNCLEAR)).unclear == [1]


def test_that_another_document_is_dead_does_not_tell_that_its_index_takes_any() -> None:
    assert _sorted((MAY, Outcome.UNCLEAR), (MAY, Outcome.DEAD)).unclear == [0]


def test_no_index_is_taken_for_fit_unless_that_is_said() -> None:
    bulk = bulk_of((MAY, ticket_of("orders"), 1))

    assert sort(bulk, [Verdict(Outcome.UNCLEAR)]).unclear == [0]


@pytest.mark.parametrize("verdicts", [0, 1, 3])
def test_an_answer_for_more_or_fewer_documents_decides_nothing(verdicts: int) -> None:
    """
    A document without a verdict would be settled with the others, and be nowhere.
    """
    bulk = bulk_of((MAY, ticket_of("orders"), 2))

    with pytest.raises(ValueError, match="zip"):
        sort(bulk, [Verdict(Outcome.INDEXED)] * verdicts)


def test_an_unclear_refusal_by_an_index_known_to_be_fit_is_the_documents() -> None:
    found = _sorted((MAY, Outcome.UNCLEAR), (JUNE, Outcome.PARK), index_is_fit=True)

    assert (found.dead, found.parked, found.unclear) == ([0], [1], [])


@given(
    st.lists(
        st.tuples(st.sampled_from([MAY, JUNE]), st.sampled_from(list(Outcome))),
        min_size=1,
        max_size=12,
    ),
    st.booleans(),
)
def test_no_document_is_left_out_and_none_goes_two_ways(
    answers: list[tuple[str, Outcome]], index_is_fit: bool
) -> None:
    found = _sorted(*answers, index_is_fit=index_is_fit)

    undecided = found.dead + found.again + found.parked + found.unclear
    accepted = [n for n, (_, outcome) in enumerate(answers) if outcome in ACCEPTED]
    assert sorted(undecided + accepted) == list(range(len(answers)))
    assert found.fates.total() == len(accepted)
    assert found.dead == sorted(found.dead)
