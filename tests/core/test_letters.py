"""
What is written of documents that are not indexed.
"""

from sink.core.bulk import Bulk
from sink.core.collect import Rejected
from sink.core.letters import letters_of_dead, letters_of_parked, letters_of_rejected
from sink.core.outcome import Outcome, Verdict
from sink.core.record import Element
from sink.testing import FakeRecord
from tests.core.placing import bulk_of, ticket_of

REFUSED = Verdict(Outcome.DEAD, "document_parsing_exception", "failed to parse [n]")
BLOCKED = Verdict(Outcome.PARK, "cluster_block_exception", "blocked")


def _bulk() -> Bulk:
    return bulk_of(("may", ticket_of("orders"), 2), ("june", ticket_of("bills", 7), 2))


def test_each_dead_document_has_a_letter_of_its_own_index_id_and_reason() -> None:
    bulk = _bulk()
    other = Verdict(Outcome.DEAD, "strict_dynamic_mapping_exception", "no field [n]")

    first, second = letters_of_dead(bulk, {1: REFUSED, 2: other}, attempts=3)

    assert (first.record, second.record) == (bulk.records[1], bulk.records[2])
    assert (first.stage, first.error_type, first.reason) == (
        "index",
        "document_parsing_exception",
        "failed to parse [n]",
    )
    assert (first.index, first.id, first.topic_id) == ("may", "id.orders-0-0-1", "id.orders")
    assert (second.index, second.id, second.topic_id) == ("june", "id.bills-0-0-7", "id.bills")
    assert second.error_type == "strict_dynamic_mapping_exception"
    assert first.attempts == second.attempts == 3


def test_every_parked_document_has_a_letter_by_which_it_can_be_made_again() -> None:
    bulk = _bulk()

    letters = letters_of_parked(bulk, BLOCKED)

    assert [letter.record for letter in letters] == bulk.records
    assert [(letter.index, letter.id, letter.topic_id) for letter in letters] == [
        ("may", "id.orders-0-0-0", "id.orders"),
        ("may", "id.orders-0-0-1", "id.orders"),
        ("june", "id.bills-0-0-7", "id.bills"),
        ("june", "id.bills-0-0-8", "id.bills"),
    ]
    assert {(x.stage, x.error_type, x.reason, x.attempts) for x in letters} == {
        ("park", "cluster_block_exception", "blocked", 0)
    }


def test_an_element_of_an_array_is_told_by_its_position_and_holds_itself_alone() -> None:
    bulk = _bulk()
    bulk.records[1] = Element(bulk.records[1], 4, b'{"n":1}')

    (dead,) = letters_of_dead(bulk, {1: REFUSED}, 1)
    parked = letters_of_parked(bulk, BLOCKED)[1]

    for letter in (dead, parked):
        assert letter.positions == (4,)
        assert letter.record.value() == b'{"n":1}'
    assert letters_of_parked(bulk, BLOCKED)[0].positions == ()


def test_a_document_that_elasticsearch_names_has_a_letter_without_an_id() -> None:
    bulk = _bulk()
    bulk.lines[0] = b'{"index":{"_index":"may"}}'

    assert letters_of_parked(bulk, BLOCKED)[0].id is None


def test_what_became_no_document_is_told_with_its_positions_and_its_topic() -> None:
    record = FakeRecord("orders", 0, 3, b"[1,2]")

    (letter,) = letters_of_rejected([Rejected(record, (0, 1), "not_an_object", "no", "id.orders")])

    assert (letter.record, letter.stage, letter.error_type) == (record, "collect", "not_an_object")
    assert (letter.positions, letter.topic_id, len(letter)) == ((0, 1), "id.orders", 2)
    assert letter.reason == "no"
    assert letter.index is letter.id is None


def test_what_was_a_document_once_keeps_its_index_and_its_id() -> None:
    record = FakeRecord("orders", 0, 3, b"{}")
    moved = Rejected(record, (), "x", "moved", "id.orders", index="may", id="id.orders-0-0-3")

    (letter,) = letters_of_rejected([moved])

    assert (letter.stage, letter.index, letter.id) == ("index", "may", "id.orders-0-0-3")
