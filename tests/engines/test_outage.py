"""
Elasticsearch or Kafka away for a while: nothing is lost, nobody is evicted, memory stays flat.
"""

import time

from tests.engines.oracle import check, committed
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

# Without polling, a member of this group would be evicted after ten seconds.
_IMPATIENT = (
    "client = { 'max.poll.interval.ms' = 10000, 'session.timeout.ms' = 6000, "
    "'heartbeat.interval.ms' = 1000 }"
)
_OUTAGE_S = 15


def _with_partitions(sink: SinkProcess) -> set[int]:
    return {event["worker"] for event in sink.events("assigned") if event["partitions"]}


def _settled(setup: Setup, topic: str, records: int) -> bool:
    return sum(committed(setup, [setup.topic(topic)]).values()) == records


def test_an_outage_under_load_loses_nothing_and_evicts_nobody(setup: Setup) -> None:
    """
    The outage is longer than max.poll.interval.ms, so a sink that only waits is thrown out.
    """
    setup.settings["kafka"] = f"commit_interval_ms = 200\n{_IMPATIENT}"
    setup.settings["bulk"] = "docs_max = 500\nqueue_slots = 4"
    create_topics(setup, {"a": 4})
    produce(setup, "a", numbered(0, 30_000))
    with SinkProcess(setup) as sink:
        wait_until(sink.ledger, 40, "the first documents")
        wait_until(lambda: {0, 1} == _with_partitions(sink), 40, "both threads to have joined")
        setup.elasticsearch.stop()
        try:
            produce(setup, "a", numbered(30_000, 30_000))
            wait_until(lambda: "elasticsearch" in sink.reasons(), 20, "not ready, with the reason")
            assert sink.get("/health/live")[0] == 200
            before = sink.rss_mib()
            given = len(sink.events("revoked"))  # the second thread may have joined after the first
            end = time.monotonic() + _OUTAGE_S
            wait_until(lambda: time.monotonic() > end, 2 * _OUTAGE_S, "the outage to be over")
            grown = sink.rss_mib() - before
        finally:
            setup.elasticsearch.start()
        wait_until(lambda: _settled(setup, "a", 60_000), 90, "the backlog to be settled")
        assert sink.reasons() == {}
        assert len(sink.events("revoked")) == given
        assert not sink.events("lost, what was in flight is read again")
        assert grown < 60
        (starting,) = sink.events("starting")
        assert sink.rss_mib("VmHWM") < starting["memory_bound_mib"]
        assert sink.terminate() == 0
    assert check(setup, ["a"]) == 60_000


def test_sigterm_with_elasticsearch_frozen_ends_by_the_deadline_and_commits_nothing_unsettled(
    setup: Setup,
) -> None:
    setup.settings["shutdown_ms"] = "3000"
    setup.settings["kafka"] = "commit_interval_ms = 200"
    create_topics(setup, {"a": 2})
    produce(setup, "a", numbered(0, 1_000))
    with SinkProcess(setup) as sink:
        wait_until(lambda: _settled(setup, "a", 1_000), 40, "the first documents")
        setup.elasticsearch.freeze()
        try:
            produce(setup, "a", numbered(1_000, 5_000))
            wait_until(lambda: _in_flight(sink) > 0, 20, "documents on their way")
            began = time.monotonic()
            assert sink.terminate() == 0
            assert time.monotonic() - began < 3 + 1
            assert sink.events("revoked"), sink.log()[-3000:]  # it left the group in order
        finally:
            setup.elasticsearch.thaw()
    with SinkProcess(setup, 1) as sink:
        wait_until(lambda: _settled(setup, "a", 6_000), 60, "the rest")
        assert sink.terminate() == 0
    assert check(setup, ["a"]) == 6_000


def test_a_broker_that_is_killed_and_comes_back_loses_nothing(setup: Setup) -> None:
    setup.settings["kafka"] = "commit_interval_ms = 200"
    create_topics(setup, {"a": 4})
    produce(setup, "a", numbered(0, 20_000))
    with SinkProcess(setup) as sink:
        wait_until(sink.ledger, 40, "the first documents")
        setup.kafka.kill()
        wait_until(lambda: "kafka" in sink.reasons(), 30, "not ready, with the reason")
        setup.kafka.start()
        produce(setup, "a", numbered(20_000, 1_000))
        wait_until(lambda: _settled(setup, "a", 21_000), 90, "the rest")
        wait_until(lambda: sink.reasons() == {}, 20, "ready again")
        assert sink.terminate() == 0
    assert check(setup, ["a"]) == 21_000


def _in_flight(sink: SinkProcess) -> int:
    return sum(topic["in_flight"] for topic in sink.ledger().values())
