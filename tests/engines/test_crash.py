"""
kill -9 at any moment: after a restart each produced record is in Elasticsearch exactly once.
"""

import random

import pytest

from tests.engines.oracle import check, committed
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

_RECORDS = 40_000
# A dead member keeps its partitions until its session ends; a static one is replaced at once.
_MEMBERSHIP = {
    "dynamic": "client = { 'session.timeout.ms' = 6000, 'heartbeat.interval.ms' = 1000 }",
    "static": 'group_instance_id = "sink"',
}


@pytest.mark.parametrize(("seed", "membership"), [(1, "static"), (2, "dynamic"), (3, "static")])
def test_each_record_is_there_once_after_kill_9_under_load(
    setup: Setup, seed: int, membership: str
) -> None:
    """
    The moments are chosen by how far the sink is, so that each kill hits work in flight.
    """
    rng = random.Random(seed)
    setup.settings["kafka"] = f"commit_interval_ms = 100\n{_MEMBERSHIP[membership]}"
    setup.settings["bulk"] = "docs_max = 500\nqueue_slots = 4"
    create_topics(setup, {"a": 3, "b": 2})
    for number in range(3):
        # More for each than the moment: the one before may have been through with all there was.
        _produce_share(setup, number)
        moment = rng.randint(1, 6_000)
        with SinkProcess(setup, number) as sink:
            wait_until(lambda: _far(sink) >= moment, 60, f"{moment} documents")  # noqa: B023
            sink.kill()

    _produce_share(setup, 3)
    with SinkProcess(setup, 9) as sink:
        wait_until(lambda: _all_settled(setup, sink), 90, "the backlog to be settled")
        assert sink.terminate() == 0
    assert check(setup, ["a", "b"]) == _RECORDS


def _produce_share(setup: Setup, number: int) -> None:
    """
    Produce a quarter of the records, one half of it to each topic.
    """
    half = _RECORDS // 8
    for n, user_topic in enumerate(("a", "b")):
        produce(setup, user_topic, numbered((2 * number + n) * half, half))


def _far(sink: SinkProcess) -> int:
    return sum(topic["consumed"] - topic["in_flight"] for topic in sink.ledger().values())


def _all_settled(setup: Setup, sink: SinkProcess) -> bool:
    if sum(topic["in_flight"] for topic in sink.ledger().values()):
        return False
    return sum(committed(setup, [setup.topic("a"), setup.topic("b")]).values()) == _RECORDS
