"""
Elasticsearch, or what stands beside it, is not there for a while.
"""

import time
from collections.abc import Callable
from pathlib import Path

from engines import Elasticsearch, elasticsearch_cluster
from tests.engines.brokering import until_committed
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import SinkProcess
from tests.faults.scenario import scenario
from tests.faults.stage import Stage
from tests.faults.steady import Steady
from tests.waiting import wait_until

# Without polling, a member of this group would be evicted after ten seconds.
_IMPATIENT = """
client = { 'max.poll.interval.ms' = 10000, 'session.timeout.ms' = 6000, \
'heartbeat.interval.ms' = 1000 }
"""
_LOST = "lost, what was in flight is read again"
_OUTAGE_S = 60
_WARM_S = 10  # of the outage: until then its queues fill
_GROWTH_MIB = 8
_FREEZES = 3
_FROZEN_S, _EVERY_S = 10, 20


@scenario(
    "6",
    "Elasticsearch answers 503 to everything for 60 s: its master was killed (kill -9); "
    "producers go on, and a member that does not poll would be thrown out after 10 s",
    "live, not ready and saying why; memory flat; no rebalance, no exit; all is indexed after it",
    size="60 s instead of 10 minutes: the soak has a longer one",
)
def answers_503_for_a_minute(stage: Stage) -> None:
    data, master = _node_and_its_master(stage.folder / "cluster")
    stage.started(data, master)
    setup = stage.setup(elasticsearch=data, bulk="docs_max = 500")
    setup.settings["kafka"] = _IMPATIENT
    create_topics(setup, {"a": 4})
    produce(setup, "a", _wide(0, 2_000))
    sink = stage.sink(setup)
    until_committed(setup, "a", 2_000)
    wait_until(lambda: _workers(sink) == {0, 1}, 40, "both threads to have joined")
    given = len(sink.events("revoked"))
    with Steady(setup, "a", 500, random=stage.random, first=1_000_000) as steady:
        master.kill()
        produce(setup, "a", _wide(2_000, 40_000))
        wait_until(lambda: "elasticsearch" in sink.reasons(), 30, "not ready, with the reason")
        stage.note(f"reason: {sink.reasons()['elasticsearch'][:80]}")
        assert "503" in sink.reasons()["elasticsearch"]
        _stays_well(stage, sink, _OUTAGE_S)
        master.start()
        stage.healed()
        records = 42_000 + steady.end()
    until_committed(setup, "a", records, 120)
    stage.recovered()
    assert sink.reasons() == {}
    _had_no_rebalance(sink, given)
    assert sink.terminate() == 0
    assert stage.judge(setup, ["a"]) == records


def _node_and_its_master(folder: Path) -> tuple[Elasticsearch, Elasticsearch]:
    """
    Make a node that holds data, and one that is master and nothing else.
    """
    data, master = elasticsearch_cluster(
        folder, 2, fast_start=True, settings={"cluster.initial_master_nodes": "node-2"}
    )
    data.settings = {**data.settings, "node.roles": "data,ingest"}
    master.settings = {**master.settings, "node.roles": "master"}
    return data, master


def _wide(first: int, count: int) -> list[bytes]:
    """
    Make numbered records of a kilobyte: a backlog beyond the memory that the sink may take.
    """
    filler = b"x" * 950
    return [b'{"n":%d,"msg":"%b"}' % (n, filler) for n in range(first, first + count)]


def _workers(sink: SinkProcess) -> set[int]:
    """
    Tell which threads have partitions: the first assignment of one that joins is empty.
    """
    return {event["worker"] for event in sink.events("assigned") if event["partitions"]}


def _stays_well(stage: Stage, sink: SinkProcess, outage_s: float) -> None:
    """
    Look at the sink every second of an outage.
    """
    began_s, warm_mib, peak_mib = time.monotonic(), 0.0, 0.0
    while (passed_s := time.monotonic() - began_s) < outage_s:
        wait_until(_later(began_s + passed_s + 1), 5, "a second to pass")
        assert sink.get("/health/live")[0] == 200
        assert sink.get("/health/ready")[0] == 503
        assert "elasticsearch" in sink.reasons()
        if passed_s < _WARM_S:
            warm_mib = sink.rss_mib()
        peak_mib = max(peak_mib, sink.rss_mib())
    (starting,) = sink.events("starting")
    stage.note(f"{warm_mib:.0f} MiB after {_WARM_S} s, {peak_mib:.0f} at most")
    assert peak_mib < warm_mib + _GROWTH_MIB, f"memory grew from {warm_mib} to {peak_mib} MiB"
    assert sink.rss_mib("VmHWM") < starting["memory_bound_mib"]


def _had_no_rebalance(sink: SinkProcess, given: int) -> None:
    """
    Hold that nothing was taken away since it had given away so many times.
    """
    assert len(sink.events("revoked")) == given, "partitions were taken away"
    assert not sink.events(_LOST), "it was thrown out of the group"


def _later(moment_s: float) -> Callable[[], bool]:
    return lambda: time.monotonic() >= moment_s


@scenario(
    "7",
    "at the start neither Elasticsearch nor the broker is there: connections are refused; "
    "they come one after the other",
    "it waits, live and saying for whom, takes nothing meanwhile, and begins when both are there",
)
def nobody_is_there_at_the_start(stage: Stage) -> None:
    setup = stage.setup()
    create_topics(setup, {"a": 4})
    produce(setup, "a", numbered(0, 10_000))
    stage.elasticsearch.stop()
    stage.kafka.stop()
    sink = stage.sink(setup)
    wait_until(lambda: "elasticsearch" in sink.reasons(), 30, "not ready, for Elasticsearch")
    assert "does not answer" in sink.reasons()["elasticsearch"]
    _is_waiting(sink)
    stage.elasticsearch.start()
    wait_until(lambda: "kafka" in sink.reasons(), 60, "not ready, for the broker")
    assert "elasticsearch" not in sink.reasons()
    _is_waiting(sink)
    stage.kafka.start()
    stage.healed()
    until_committed(setup, "a", 10_000, 60)
    stage.recovered()
    assert sink.reasons() == {}
    assert sink.terminate() == 0
    assert stage.judge(setup, ["a"]) == 10_000


def _is_waiting(sink: SinkProcess) -> None:
    assert sink.get("/health/live")[0] == 200
    assert sink.ledger() == {}


@scenario(
    "18",
    "Elasticsearch is frozen (SIGSTOP) for 10 s of every 20, three times, under load; "
    "a member that does not poll would be thrown out after 10 s",
    "live all the time, no rebalance; what was sent twice stands there once",
    size="10 s of every 20 instead of every 60, three times",
)
def elasticsearch_is_frozen_again_and_again(stage: Stage) -> None:
    setup = stage.setup(bulk="docs_max = 500")
    # Shorter than the freeze, answers are lost and bulks sent twice; longer, they only come late.
    patience_ms = stage.random.choice([3_000, 30_000])
    setup.settings["elasticsearch"] = f"request_timeout_ms = {patience_ms}"
    setup.settings["kafka"] = _IMPATIENT
    stage.note(f"requests time out after {patience_ms // 1000} s")
    create_topics(setup, {"a": 4})
    sink = stage.sink(setup)
    wait_until(lambda: _workers(sink) == {0, 1}, 40, "both threads to have joined")
    given = len(sink.events("revoked"))
    with Steady(setup, "a", 1_000, random=stage.random) as steady:
        for _ in range(_FREEZES):
            _lets_pass(sink, _EVERY_S - _FROZEN_S)
            stage.elasticsearch.freeze()
            _lets_pass(sink, _FROZEN_S)
            stage.elasticsearch.thaw()
        stage.healed()
        records = steady.end()
    until_committed(setup, "a", records, 60)
    stage.recovered()
    _had_no_rebalance(sink, given)
    again = sum(fates.get("duplicate", 0) for fates in sink.ledger().values())
    stage.note(f"{again} were sent twice and found there")
    assert sink.terminate() == 0
    assert stage.judge(setup, ["a"]) == records


def _lets_pass(sink: SinkProcess, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        wait_until(_later(min(until_s, time.monotonic() + 1)), 5, "a second to pass")
        assert sink.get("/health/live")[0] == 200
