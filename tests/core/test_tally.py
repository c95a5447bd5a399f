"""
A ticket of a bulk is settled once, and never before each of its documents is accounted for.
"""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sink.core.bulk import Bulk
from sink.core.offsets import Ticket
from sink.core.tally import Progress, Tally
from tests.core.placing import bulk_of, ticket_of


def _two_runs() -> tuple[Bulk, Ticket, Ticket]:
    """
    A bulk of two runs: one spans two indices, the other is of one of them.
    """
    orders, bills = ticket_of("orders"), ticket_of("bills")
    return bulk_of(("may", orders, 2), ("june", orders, 3), ("june", bills, 1)), orders, bills


def _is(tickets: list[Ticket], *expected: Ticket) -> bool:
    """
    Tell whether they are the very same tickets: two of equal fields are two.
    """
    return sorted(map(id, tickets)) == sorted(map(id, expected))


def test_a_bulk_of_which_nothing_was_set_aside_settles_all_its_tickets() -> None:
    bulk, orders, bills = _two_runs()

    assert _is(Tally(bulk.tickets).moved(), orders, bills)


def test_a_tally_counts_from_the_beginning() -> None:
    assert not Tally([]).void


def test_a_ticket_waits_for_its_documents_that_are_set_aside_and_the_others_do_not() -> None:
    bulk, orders, bills = _two_runs()
    tally, may = Tally(bulk.tickets), bulk.part([0, 1])
    tally.set_aside(may.sections)

    assert _is(tally.moved(), bills)
    assert _is(tally.ended(may.sections), orders)


def test_a_ticket_waits_for_the_last_of_its_parts_that_are_set_aside() -> None:
    bulk, orders, bills = _two_runs()
    tally, may, june = Tally(bulk.tickets), bulk.part([0, 1]), bulk.part([2, 3, 4, 5])
    tally.set_aside(may.sections)
    tally.set_aside(june.sections)
    assert tally.moved() == []

    assert _is(tally.ended(june.sections), bills)
    assert _is(tally.ended(may.sections), orders)


def test_what_ends_before_its_bulk_has_moved_is_settled_with_the_bulk() -> None:
    bulk, orders, bills = _two_runs()
    tally, may = Tally(bulk.tickets), bulk.part([0, 1])
    tally.set_aside(may.sections)

    assert tally.ended(may.sections) == []
    assert _is(tally.moved(), orders, bills)


def test_two_runs_of_equal_fields_are_not_taken_for_one_another() -> None:
    """
    A ticket is told by what it is, not by what it says: a settlement changes its parts.
    """
    one, other = ticket_of("orders"), ticket_of("orders")
    bulk = bulk_of(("may", one, 1), ("may", other, 1))
    tally, first = Tally(bulk.tickets), bulk.part([0])
    tally.set_aside(first.sections)

    assert _is(tally.moved(), other)
    one.parts += 1
    assert _is(tally.ended(first.sections), one)


def test_a_ticket_of_a_document_that_was_left_is_never_settled() -> None:
    bulk, _, bills = _two_runs()
    tally, left, may = Tally(bulk.tickets), bulk.part([2]), bulk.part([0, 1])
    tally.leave((s.ticket for s in left.sections), "lane")
    tally.set_aside(may.sections)

    assert _is(tally.moved(), bills)
    assert tally.ended(may.sections) == []
    assert tally.left == [(left.sections[0].ticket, "lane")]


def test_what_is_set_aside_again_on_its_way_out_keeps_its_ticket_waiting() -> None:
    """
    The index was refused again while its documents were seen through.
    """
    bulk, orders, _ = _two_runs()
    tally, may = Tally(bulk.tickets), bulk.part([0, 1])
    tally.set_aside(may.sections)
    tally.moved()

    rest = may.part([1])
    tally.set_aside(rest.sections)
    assert tally.ended(may.sections) == []

    assert _is(tally.ended(rest.sections), orders)


def test_progress_counts_documents_for_the_topic_they_were_consumed_from() -> None:
    bulk, _, _ = _two_runs()
    progress = Progress(Tally(bulk.tickets))

    progress.note(bulk, "parked")
    progress.note(bulk.part([5]), "indexed")

    assert progress.fates == {
        ("orders", "parked"): 5,
        ("bills", "parked"): 1,
        ("bills", "indexed"): 1,
    }


# For each document: in the flow, set aside, or left where it was.
WAYS = st.lists(st.sampled_from(["flow", "aside", "leave"]), min_size=1, max_size=12)


@given(WAYS, st.lists(st.integers(0, 2), min_size=1, max_size=12), st.randoms())
def test_in_any_order_each_ticket_is_settled_once_and_not_before_its_last_document(
    ways: list[str], runs: list[int], random: Random
) -> None:
    tickets = [ticket_of(f"topic-{n}") for n in range(3)]
    mine = [tickets[runs[n % len(runs)]] for n in range(len(ways))]
    bulk = bulk_of(*((f"index-{n % 2}", ticket, 1) for n, ticket in enumerate(mine)))
    tally = Tally(bulk.tickets)
    asides = [bulk.part([n]) for n, way in enumerate(ways) if way == "aside"]
    for aside in asides:
        tally.set_aside(aside.sections)
    tally.leave(
        (s.ticket for s in bulk.part([n for n, way in enumerate(ways) if way == "leave"]).sections),
        "lane",
    )
    waiting = Counter(id(mine[n]) for n, way in enumerate(ways) if way == "aside")
    never = {id(mine[n]) for n, way in enumerate(ways) if way == "leave"}
    settled: list[int] = []
    moved = False
    steps: list[Bulk | None] = [*asides, None]
    random.shuffle(steps)
    for step in steps:
        if step is None:
            settled += map(id, tally.moved())
            moved = True
        else:
            settled += map(id, tally.ended(step.sections))
            waiting[id(step.sections[0].ticket)] -= 1
        assert moved or not settled
        assert not [ticket for ticket in settled if waiting[ticket]]

    assert sorted(settled) == sorted({id(ticket) for ticket in bulk.tickets} - never)
