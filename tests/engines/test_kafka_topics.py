"""
Topics that are deleted, created again and grown, on the real broker.
"""

import pytest

from tests.engines.brokering import add_partitions, delete_topic, until_committed
from tests.engines.oracle import check, indexed_numbers
from tests.engines.producing import create_topics, numbered, produce, recreate_topic
from tests.engines.running import QUICK, Setup, SinkProcess
from tests.waiting import wait_until

_AGAIN = "created again, read from its beginning"


def _settled(sink: SinkProcess, setup: Setup, user_topic: str) -> int:
    told = sink.ledger().get(setup.topic(user_topic), {})
    return told.get("consumed", 0) - told.get("in_flight", 0)


def test_a_topic_created_again_with_a_longer_log_loses_nothing(setup: Setup) -> None:
    """
    By the classic protocol there is no rebalance and no error: the log is read on at the old
    offset. What was read so before it was noticed has two ids, and stands there twice.
    """
    create_topics(setup, {"a": 1, "b": 1})
    produce(setup, "a", numbered(0, 50))
    with SinkProcess(setup) as sink:
        until_committed(setup, "a", 50)
        recreate_topic(setup, "a", 1)
        produce(setup, "a", numbered(50, 80))
        wait_until(lambda: sink.events(_AGAIN), 40, "it to be noticed")
        until_committed(setup, "a", 80)
        wait_until(lambda: set(indexed_numbers(setup)) == set(range(130)), 40, "every record")
        produce(setup, "b", numbered(130, 5))
        until_committed(setup, "b", 5)
        assert not sink.events("consumer broke, a new one is built; nothing is committed")
        assert sink.terminate() == 0
    twice = {number for number, count in indexed_numbers(setup).items() if count > 1}
    assert twice <= set(range(100, 130))
    assert check(setup, ["b"], doubled=twice) == 5


@pytest.mark.parametrize("records", [30, 80])
def test_a_topic_created_again_while_stopped_is_read_from_its_beginning(
    setup: Setup, records: int
) -> None:
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 50))
    with SinkProcess(setup) as sink:
        until_committed(setup, "a", 50)
        assert sink.terminate() == 0
    recreate_topic(setup, "a", 1)
    produce(setup, "a", numbered(50, records))
    with SinkProcess(setup, 1) as sink:
        until_committed(setup, "a", records)
        assert sink.terminate() == 0
    assert set(indexed_numbers(setup)) == set(range(50 + records))
    assert check(setup, ["a"]) == records


def test_a_topic_deleted_while_running_leaves_the_others_and_the_ledger_alone(
    setup: Setup,
) -> None:
    setup.settings["kafka"] = QUICK
    create_topics(setup, {"a": 2, "b": 2})
    produce(setup, "a", numbered(0, 500))
    produce(setup, "b", numbered(500, 500))
    with SinkProcess(setup) as sink:
        until_committed(setup, "a", 500)
        until_committed(setup, "b", 500)
        delete_topic(setup, "a")
        produce(setup, "b", numbered(1_000, 500))
        until_committed(setup, "b", 1_000)
        wait_until(lambda: _gone(sink, setup.topic("a")), 40, "it to be given up")
        assert sink.reasons() == {}
        assert _settled(sink, setup, "a") == 500
        assert not sink.events("the ledger does not add up, please report this")
        assert sink.log().count('"level": "error"') == 0
        assert len(sink.log().splitlines()) < 100
        assert sink.terminate() == 0
    assert set(indexed_numbers(setup)) == set(range(1_500))
    assert check(setup, ["b"]) == 1_000


def _gone(sink: SinkProcess, topic: str) -> bool:
    lines = sink.events("revoked") + sink.events("lost, what was in flight is read again")
    return any(topic in name for line in lines for name in line["partitions"])


def test_added_partitions_are_read_from_their_first_record(setup: Setup) -> None:
    setup.settings["kafka"] = QUICK
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 50))
    with SinkProcess(setup) as sink:
        until_committed(setup, "a", 50)
        add_partitions(setup, "a", 3)
        for partition in (1, 2):
            produce(setup, "a", numbered(50 * partition, 50), partition=partition)
        until_committed(setup, "a", 150)
        assert sink.terminate() == 0
    assert check(setup, ["a"]) == 150
