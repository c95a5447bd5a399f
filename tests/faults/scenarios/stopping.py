"""
The operator stops the sink, at bad moments.
"""

import json
import time

from tests.engines.brokering import until_committed
from tests.engines.oracle import committed, indexed_numbers, read_topic
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.faults.scenario import scenario
from tests.faults.stage import Stage
from tests.waiting import wait_until

_DEADLINE_MS = 4_000
_SHORT_SESSION = "client = { 'session.timeout.ms' = 6000, 'heartbeat.interval.ms' = 1000 }"


@scenario(
    "2",
    "SIGTERM in the middle of a backlog, four times, while bulks are on their way",
    "it exits by its deadline, and its position is exactly what is indexed: no record is indexed "
    "and not committed, none committed and not indexed",
)
def sigterm_in_the_middle_of_a_backlog(stage: Stage) -> None:
    # Slow enough to be met in the midst of it.
    bulk = "docs_max = 100\nqueue_slots = 2\nin_flight = 1"
    setup = stage.setup(bulk=bulk, shutdown_ms=str(_DEADLINE_MS))
    setup.settings["kafka"] = "commit_interval_ms = 20"  # the ledger is published as often
    create_topics(setup, {"a": 4, "b": 2})
    took_s, positions = [], []
    for turn in range(4):
        # More than the moment: the turn before may have been through with all there was.
        produce(setup, "a", numbered(10_000 * turn, 6_000))
        produce(setup, "b", numbered(10_000 * turn + 6_000, 4_000))
        sink = stage.sink(setup)
        moment = stage.random.randint(1, 6_000)
        wait_until(lambda: _far(sink) >= moment, 60, f"{moment} documents")  # noqa: B023
        began_s = time.monotonic()
        assert sink.terminate() == 0
        took_s.append(time.monotonic() - began_s)
        positions.append(_position_of_what_is_indexed(setup, ["a", "b"]))
    stage.note(f"stopped at {positions}; the longest exit took {max(took_s):.1f} s")
    assert max(took_s) < _DEADLINE_MS / 1000 + 1
    behind = [10_000 * turn - position for turn, position in enumerate(positions, 1)]
    assert any(behind), "it was through each time before it was stopped"

    stage.healed()
    sink = stage.sink(setup)
    sink.until_ready()
    until_committed(setup, "a", 24_000, 60)
    until_committed(setup, "b", 16_000, 60)
    stage.recovered()
    assert sink.terminate() == 0
    assert stage.judge(setup, ["a", "b"]) == 40_000


def _far(sink: SinkProcess) -> int:
    return sum(topic["consumed"] - topic["in_flight"] for topic in sink.ledger().values())


def _position_of_what_is_indexed(setup: Setup, user_topics: list[str]) -> int:
    """
    Hold that the records before the committed offsets are indexed, and no others.

    Returns:
        How many there are.
    """
    topics = [setup.topic(name) for name in user_topics]
    ends = committed(setup, topics)
    before = {
        json.loads(record.value() or b"")["n"]
        for record in read_topic(setup, topics)
        if (record.offset() or 0) < ends[record.topic() or "", record.partition() or 0]
    }
    indexed = set(indexed_numbers(setup))
    assert before <= indexed, f"{len(before - indexed)} are committed and not indexed"
    assert before >= indexed, f"{len(indexed - before)} are indexed and not committed"
    return len(before)


@scenario(
    "3",
    "SIGTERM while Elasticsearch is down",
    "it exits by its deadline, and commits nothing that is not accounted for",
    quick=True,
)
def sigterm_while_elasticsearch_is_down(stage: Stage) -> None:
    setup = stage.setup(shutdown_ms=str(_DEADLINE_MS))
    create_topics(setup, {"a": 4})
    produce(setup, "a", numbered(0, 2_000))
    sink = stage.sink(setup)
    until_committed(setup, "a", 2_000)
    stage.elasticsearch.stop()
    produce(setup, "a", numbered(2_000, 5_000))
    wait_until(lambda: _in_flight(sink), 20, "documents on their way")
    began = time.monotonic()
    assert sink.terminate() == 0
    took_s = time.monotonic() - began
    stage.note(f"exit after {took_s:.1f} s of {_DEADLINE_MS / 1000:.0f}")
    assert took_s < _DEADLINE_MS / 1000 + 1
    assert sum(committed(setup, [setup.topic("a")]).values()) == 2_000

    stage.elasticsearch.start()
    stage.healed()
    sink = stage.sink(setup)
    until_committed(setup, "a", 7_000, 90)
    stage.recovered()
    assert sink.terminate() == 0
    assert stage.judge(setup, ["a"]) == 7_000


def _in_flight(sink: SinkProcess) -> int:
    return sum(topic["in_flight"] for topic in sink.ledger().values())


@scenario(
    "s6",
    "SIGTERM while the broker is frozen",
    "it exits by its deadline though nothing can be committed; what is read again is not doubled",
    quick=True,
)
def sigterm_while_the_broker_is_frozen(stage: Stage) -> None:
    setup = stage.setup(shutdown_ms="3000")
    setup.settings["kafka"] = _SHORT_SESSION
    create_topics(setup, {"a": 2})
    produce(setup, "a", numbered(0, 5_000))
    sink = stage.sink(setup)
    wait_until(sink.ledger, 40, "the first documents")
    stage.kafka.freeze()
    began_s = time.monotonic()
    assert sink.terminate() == 0
    took_s = time.monotonic() - began_s
    stage.kafka.thaw()
    stage.note(f"exit after {took_s:.1f} s of 3")
    assert took_s < 3 + 1

    stage.healed()
    sink = stage.sink(setup)
    sink.until_assigned(2)
    until_committed(setup, "a", 5_000, 60)
    stage.recovered()
    assert sink.terminate() == 0
    assert stage.judge(setup, ["a"]) == 5_000
