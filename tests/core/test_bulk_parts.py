"""
Parts of a bulk: what they hold and weigh, and what stays with the whole.
"""

import json
from typing import TYPE_CHECKING, cast

import pytest

from sink.core.bulk import Actions, Bound, moved_to
from tests.core.placing import bulk_of, ticket_of
from tests.core.test_bulk import _drafted

if TYPE_CHECKING:
    from sink.core.series import Series


def test_a_part_holds_the_chosen_documents_and_their_topics() -> None:
    _, (bulk,), _ = _drafted([("orders", [3, 4]), ("bills", [5])], 10, 1000)

    part = bulk.part([0, 2])

    assert part.lines == [b"action-0", b"xxx", b"action-0", b"xxxxx"]
    assert [(s.consumed_from, s.bound.index, s.documents) for s in part.sections] == [
        ("orders", "sag-orders", 1),
        ("bills", "sag-bills", 1),
    ]
    positions = {bound.index: places for bound, places in bulk.by_bound().items()}
    assert positions == {"sag-orders": [0, 1], "sag-bills": [2]}
    assert part.size_bytes == len(bytes(part.body()))
    assert list(part.by_topic()) == [("orders", 1), ("bills", 1)]
    assert part.tickets == []


def test_the_first_document_alone_is_the_part_of_it() -> None:
    """An index that takes nothing is asked with one document, by the others' thread."""
    bulk = bulk_of(("may", ticket_of("orders"), 2), ("june", ticket_of("bills"), 1))
    bulk.worker = 3

    first, part = bulk.first(), bulk.part([0])

    assert bytes(first.body()) == bytes(part.body())
    assert (first.records, first.sections) == (part.records, part.sections)
    assert (first.size_bytes, first.worker) == (part.size_bytes, 3)
    assert (first.rejected, first.tickets) == ([], [])
    assert len(bulk) == 3


@pytest.mark.parametrize("repaired", [{}, {2: b"two"}, {1: b"one", 2: b"two"}])
def test_a_part_has_the_sources_that_were_changed_in_their_place(
    repaired: dict[int, bytes],
) -> None:
    bulk = bulk_of(("may", ticket_of("orders"), 4))

    part = bulk.part([1, 2, 3], repaired)

    own = [b'{"n":1}', b'{"n":2}', b'{"n":3}']
    assert part.lines[1::2] == [repaired.get(n, own[n - 1]) for n in (1, 2, 3)]
    assert part.lines[::2] == bulk.lines[2::2]
    assert bulk.lines[1::2] == [b'{"n":0}', *own]


def test_documents_are_moved_to_another_index_and_nothing_else_of_them_changes() -> None:
    orders, bills = ticket_of("orders"), ticket_of("bills", first=7)
    bulk = bulk_of(("may", orders, 2), ("june", orders, 1), ("may", orders, 3), ("may", bills, 2))
    before = [*bulk.lines]
    may, other = bulk.sections[0].bound, Bound("overflow", "orders", "id.orders")

    moved = moved_to(bulk, may, other)

    assert moved == {"orders": 5}
    indices = [section.bound.index for section in bulk.sections]
    assert indices == ["overflow", "june", "overflow", "may"]
    assert [section.documents for section in bulk.sections] == [2, 1, 3, 2]
    named = [b"overflow", b"overflow", b"june", *[b"overflow"] * 3, b"may", b"may"]
    for position, (line, index) in enumerate(zip(bulk.lines[::2], named, strict=True)):
        was = json.loads(before[2 * position])["create"]
        assert json.loads(line) == {"create": was | {"_index": index.decode()}}
    assert bulk.lines[1::2] == before[1::2]


def test_whole_sections_that_are_cut_out_weigh_what_they_weigh() -> None:
    _, (bulk,), _ = _drafted([("orders", [3, 4]), ("bills", [5]), ("orders", [6])], 10, 1000)
    bulk.worker = 3

    part = bulk.cut_out([range(2), range(3, 4)])

    assert part.lines[1::2] == [b"xxx", b"xxxx", b"xxxxxx"]
    assert [(s.bound.index, s.documents) for s in part.sections] == [
        ("sag-orders", 2),
        ("sag-orders", 1),
    ]
    assert part.size_bytes == len(bytes(part.body()))
    assert bulk.cut_out([range(2)], 17).size_bytes == 17, "it is known already"
    assert part.worker == 3
    assert part.tickets == []
    assert list(part.by_topic()) == [("orders", 2), ("orders", 1)]


def test_the_sections_of_three_runs_are_told_by_where_they_stand() -> None:
    _, (bulk,), _ = _drafted([("orders", [3]), ("bills", [5, 5]), ("orders", [4])], 10, 1000)

    positions = {bound.index: places for bound, places in bulk.by_bound().items()}

    assert positions == {"sag-orders": [0, 3], "sag-bills": [1, 2]}


def test_a_body_of_many_pieces_is_its_lines_and_nothing_between_them() -> None:
    _, (bulk,), _ = _drafted([("orders", [9] * 300)] * 10, 10_000, 1_000_000)
    body = bulk.body()

    assert len(list(body)) > 1
    assert bytes(body).split(b"\n") == [*bulk.lines, b""]
    assert len(body) == len(bytes(body))


def test_a_body_of_long_documents_is_not_one_piece() -> None:
    _, (bulk,), _ = _drafted([("orders", [100_000] * 50)], 10_000, 10_000_000)
    body = bulk.body()

    assert 300_000 < max(map(len, body)) < 700_000
    assert bytes(body).split(b"\n") == [*bulk.lines, b""]


def test_where_a_document_is_bound_for_is_told_by_its_index_and_topic_alone() -> None:
    """Documents of one index are one lane, whatever is known of its series."""
    bound = Bound("may", "orders", "id")
    series = cast("Series", object())

    assert (bound.released, bound.moves, bound.series) == (False, False, None)
    assert bound == Bound("may", "orders", "id", series=series)
    assert hash(bound) == hash(Bound("may", "orders", "id", series=series))
    assert "series" not in repr(bound)


def test_action_lines_are_whole_or_in_two_halves() -> None:
    assert Actions([b"a", b"b"], []).lines == [b"a", b"b"]
    assert Actions([b"a", b"b"], [], [b"1", b"2"]).lines == [b"a1", b"b2"]
    assert Actions([], []).ends == ()


def test_a_bulk_is_settled_by_the_first_thread_unless_it_is_said() -> None:
    assert bulk_of(("may", ticket_of("orders"), 1)).worker == 0
