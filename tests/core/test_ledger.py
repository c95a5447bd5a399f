"""
The account of every document.
"""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sink.core.ledger import (
    CONSUMED,
    DISPLACED,
    DROPPED,
    EXPIRED,
    IN_FLIGHT,
    PARKED,
    REPAIRED,
    Ledger,
    imbalance,
    total,
)


def test_what_is_consumed_is_in_flight_until_it_has_a_fate() -> None:
    ledger = Ledger()

    ledger.consumed("orders", 5, {"tombstone": 2})

    assert ledger.publish() == {
        ("orders", CONSUMED): 7,
        ("orders", IN_FLIGHT): 5,
        ("orders", "dropped:tombstone"): 2,
    }


def test_a_settled_document_is_in_flight_no_more() -> None:
    ledger = Ledger()
    ledger.consumed("orders", 5, {})

    ledger.settled({("orders", "indexed"): 3, ("orders", "dead"): 2})

    account = ledger.publish()
    assert account["orders", IN_FLIGHT] == 0
    assert account["orders", "indexed"] == 3
    assert account["orders", "dead"] == 2


def test_expired_records_are_accounted_for() -> None:
    ledger = Ledger()

    ledger.expired("orders", 40)
    ledger.expired("orders", 2)

    assert ledger.publish() == {("orders", CONSUMED): 42, ("orders", EXPIRED): 42}


def test_what_is_read_again_is_counted_when_it_is_read_again_and_not_before() -> None:
    ledger = Ledger()
    ledger.consumed("orders", 5, {})

    ledger.unread("orders", 2)

    account = ledger.publish()
    assert account == {("orders", CONSUMED): 3, ("orders", IN_FLIGHT): 3}
    assert imbalance(account) == {}


def test_the_words_of_the_account_are_those_that_dashboards_read() -> None:
    words = (CONSUMED, IN_FLIGHT, EXPIRED, PARKED, REPAIRED, DROPPED, DISPLACED)

    assert words == (
        "consumed",
        "in_flight",
        "expired",
        "parked",
        "repaired",
        "dropped:",
        "displaced:",
    )


def test_what_was_published_does_not_change_afterwards() -> None:
    ledger = Ledger()
    ledger.consumed("orders", 5, {})
    account = ledger.publish()

    ledger.consumed("orders", 5, {})

    assert account["orders", CONSUMED] == 5


def test_a_document_without_a_fate_is_told_by_its_topic() -> None:
    account = {
        ("orders", CONSUMED): 5,
        ("orders", "indexed"): 4,
        ("bills", CONSUMED): 2,
        ("bills", "dead"): 3,
        ("fine", CONSUMED): 1,
        ("fine", IN_FLIGHT): 1,
    }

    assert imbalance(account) == {"orders": 1, "bills": -1}


TOPICS = st.sampled_from(["orders", "bills"])
POLLS = st.lists(
    st.tuples(TOPICS, st.integers(0, 5), st.dictionaries(st.sampled_from("ab"), st.integers(1, 3)))
)


@given(POLLS, POLLS)
def test_the_accounts_of_several_workers_add_up_and_balance(
    one: list[tuple[str, int, dict[str, int]]], two: list[tuple[str, int, dict[str, int]]]
) -> None:
    accounts = []
    consumed: Counter[str] = Counter()
    for polls in (one, two):
        ledger = Ledger()
        for topic, documents, dropped in polls:
            ledger.consumed(topic, documents, dropped)
            ledger.settled({(topic, "indexed"): documents // 2})
            consumed[topic] += documents + sum(dropped.values())
        accounts.append(ledger.publish())

    summed = total(accounts)

    assert imbalance(summed) == {}
    assert {topic: n for (topic, fate), n in summed.items() if fate == CONSUMED} == consumed


def test_a_document_that_goes_to_another_index_than_was_meant_has_its_fate_besides() -> None:
    ledger = Ledger()
    ledger.consumed("orders", 5, {})

    ledger.displaced("orders", {"undated": 1})
    ledger.displaced("orders", {"undated": 1})
    ledger.settled({("orders", "indexed"): 5, ("orders", "displaced:overflow"): 1})

    account = ledger.publish()
    assert account["orders", IN_FLIGHT] == 0
    assert account["orders", "displaced:undated"] == 2
    assert account["orders", "displaced:overflow"] == 1
    assert imbalance(account) == {}
