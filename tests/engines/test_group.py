"""
Several sinks in one group: partitions change hands under load, nothing is lost or doubled.
"""

from tests.engines.oracle import check, committed
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

_RECORDS = 60_000


def test_sinks_that_join_and_leave_under_load_lose_and_double_nothing(setup: Setup) -> None:
    setup.settings["kafka"] = "commit_interval_ms = 200"
    setup.settings["bulk"] = "docs_max = 500\nqueue_slots = 4"
    create_topics(setup, {"a": 6})
    produce(setup, "a", numbered(0, _RECORDS // 2))
    with SinkProcess(setup) as first:
        first.until_assigned(6)
        with SinkProcess(setup, 1) as second:
            second.until_assigned(1)
            assert first.events("revoked")
            produce(setup, "a", numbered(_RECORDS // 2, _RECORDS // 2))
            assert second.terminate() == 0
        wait_until(
            lambda: sum(committed(setup, [setup.topic("a")]).values()) == _RECORDS,
            90,
            "all records to be committed",
        )
        assert not first.events("lost, what was in flight is read again")
        assert first.terminate() == 0
    assert check(setup, ["a"]) == _RECORDS
