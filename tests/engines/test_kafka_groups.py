"""
Both group protocols and static members, on the real broker: who reads what, and what moves.
"""

import pytest

from tests.engines.brokering import until_committed
from tests.engines.oracle import check, indexed_numbers
from tests.engines.producing import create_topics, numbered, produce, recreate_topic
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

_RECORDS = 40_000
_LOST = "lost, what was in flight is read again"


@pytest.fixture(autouse=True)
def small_bulks(setup: Setup) -> None:
    setup.settings["bulk"] = "docs_max = 500\nqueue_slots = 4"


def _held(sink: SinkProcess, topic: str) -> set[str]:
    """The topic's partitions that a sink has now, by what it logged."""
    held: set[str] = set()
    lines = [line for name in ("assigned", "revoked", _LOST) for line in sink.events(name)]
    for line in sorted(lines, key=lambda line: str(line["timestamp"])):
        names = {name for name in line["partitions"] if name.startswith(topic + "/")}
        held = held | names if line["event"] == "assigned" else held - names
    return held


def _given_up(sink: SinkProcess, topic: str) -> list[str]:
    """
    Name the partitions of a topic that it had to give up; the parked topic's may still move.
    """
    revoked = [partition for event in sink.events("revoked") for partition in event["partitions"]]
    return [partition for partition in revoked if partition.startswith(f"{topic}/")]


def _share(one: SinkProcess, other: SinkProcess, topic: str) -> bool:
    """Tell whether two sinks have all six partitions between them, and each some."""
    ones, others = _held(one, topic), _held(other, topic)
    return bool(ones and others) and not ones & others and len(ones | others) == 6


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_sinks_that_join_and_leave_share_the_partitions_and_lose_nothing(
    setup: Setup, protocol: str
) -> None:
    setup.settings["kafka"] = f'commit_interval_ms = 200\ngroup_protocol = "{protocol}"'
    create_topics(setup, {"a": 6})
    topic = setup.topic("a")
    produce(setup, "a", numbered(0, _RECORDS // 2))
    with SinkProcess(setup) as first:
        wait_until(lambda: len(_held(first, topic)) == 6, 40, "all partitions for the first")
        with SinkProcess(setup, 1) as second:
            wait_until(lambda: _share(first, second, topic), 60, "each to have some of them")
            produce(setup, "a", numbered(_RECORDS // 2, _RECORDS // 2))
            assert second.terminate() == 0
        until_committed(setup, "a", _RECORDS, 90)
        assert not first.events("consumer broke, a new one is built; nothing is committed")
        assert first.terminate() == 0
    assert check(setup, ["a"]) == _RECORDS


def test_the_consumer_protocol_tells_of_a_topic_created_again(setup: Setup) -> None:
    """
    At its next heartbeat. By then the new log may have been read on at the old offset: what was
    read so has two ids and stands there twice. Giving the old partition back commits an offset
    that the broker takes for one of the new topic: it carries the old id, and is not believed.
    """
    setup.settings["kafka"] = 'commit_interval_ms = 200\ngroup_protocol = "consumer"'
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 50))
    with SinkProcess(setup) as sink:
        until_committed(setup, "a", 50)
        recreate_topic(setup, "a", 1)
        produce(setup, "a", numbered(50, 80))
        wait_until(lambda: set(indexed_numbers(setup)) == set(range(130)), 60, "every record")
        until_committed(setup, "a", 80)
        assert sink.terminate() == 0
    assert check(setup, ["a"], doubled=set(range(100, 130))) == 80


def test_a_static_member_that_comes_back_within_its_session_moves_nobody_elses_partitions(
    setup: Setup,
) -> None:
    """
    Each thread is a member of its own: one id for both, and they would fence each other.
    """
    create_topics(setup, {"a": 6})
    topic = setup.topic("a")
    setup.settings["kafka"] = 'commit_interval_ms = 200\ngroup_instance_id = "one"'
    with SinkProcess(setup) as first:
        wait_until(lambda: len(_held(first, topic)) == 6, 40, "all partitions for the first")
        setup.settings["kafka"] = 'commit_interval_ms = 200\ngroup_instance_id = "two"'
        with SinkProcess(setup, 1) as second:
            wait_until(lambda: _share(first, second, topic), 60, "each to have some of them")
            kept, its = _held(first, topic), _held(second, topic)
            given = _given_up(first, topic)
            produce(setup, "a", numbered(0, 20_000))
            second.kill()
        with SinkProcess(setup, 1) as again:
            wait_until(lambda: _held(again, topic) == its, 40, "its old partitions")
            until_committed(setup, "a", 20_000, 60)
            assert _held(first, topic) == kept
            assert _given_up(first, topic) == given
            assert not first.events(_LOST)
            assert again.terminate() == 0
        assert first.terminate() == 0
    assert check(setup, ["a"]) == 20_000
