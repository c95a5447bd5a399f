"""
One index takes no document: the others do, and it resumes by itself. And months that change.
"""

import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.engines.brokering import committed_of, until_committed
from tests.engines.oracle import dead_places
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.engines.sick import AT_MS, INDEX_IN_USE, NEW_INDEX, Fault, index_of, parked
from tests.faults.scenario import scenario
from tests.faults.stage import PATIENCE_S, Stage
from tests.waiting import wait_until

_WELL = 2_000  # records a round for the topic whose index is well
_SICK = 1_500


@contextmanager
def _sick(stage: Stage, faults: dict[str, Fault]) -> Iterator[tuple[Setup, SinkProcess]]:
    """
    Make the indices of the topics `sick0`, `sick1`, … refuse all documents while `well` flows.

    Inside the context all of them are parked; after it each is well again and nothing is open.
    """
    setup = stage.setup()
    topics = {f"sick{n}": fault for n, fault in enumerate(faults.values())}
    create_topics(setup, dict.fromkeys([*topics, "well"], 2))
    first = _start_of(stage, setup, topics)
    sink = stage.sink(setup)
    for topic, count in first.items():
        until_committed(setup, topic, count, PATIENCE_S)
    with ExitStack() as healing:
        for topic, fault in topics.items():
            index = index_of(setup, topic)
            fault.provoke(setup, index)
            healing.callback(fault.heal, setup, index)
        for number, topic in enumerate(topics, 1):
            produce(setup, topic, numbered(100_000 * number + 50_000, _SICK), timestamp=AT_MS)
        expected = {index_of(setup, topic): fault.error_type for topic, fault in topics.items()}
        for turn in (1, 2):  # the second when all are parked
            produce(setup, "well", numbered(turn * _WELL, _WELL), timestamp=AT_MS)
            until_committed(setup, "well", (turn + 1) * _WELL, PATIENCE_S)
            wait_until(lambda: parked(sink) == expected, 40, "each to be parked for its reason")
        yield setup, sink
        for topic in topics:  # O: what waits is not committed
            assert sum(committed_of(setup, topic).values()) == first.get(topic, 0)
        assert sink.get("/health/ready")[0] == 200
    stage.healed()
    for topic in topics:
        until_committed(setup, topic, first.get(topic, 0) + _SICK, PATIENCE_S)
    stage.recovered()
    assert parked(sink) == {}
    assert sink.terminate() == 0
    assert dead_places(setup) == set()
    records = sum(first.values()) + 2 * _WELL + _SICK * len(topics)
    assert stage.judge(setup, [*topics, "well"]) == records


def _start_of(stage: Stage, setup: Setup, topics: dict[str, Fault]) -> dict[str, int]:
    """
    Produce what is indexed before the fault: user topic → records.
    """
    first = {"well": _WELL}
    produce(setup, "well", numbered(0, _WELL), timestamp=AT_MS)
    for number, (topic, fault) in enumerate(topics.items(), 1):
        if fault in INDEX_IN_USE.values():
            first[topic] = stage.random.randint(1, 1_000)
            produce(setup, topic, numbered(100_000 * number, first[topic]), timestamp=AT_MS)
    return first


@scenario(
    "9",
    "three indices in use become write-blocked, read-only and closed",
    "each is parked for its reason, the other index flows, each resumes by itself",
    quick=True,
)
def indices_become_blocked(stage: Stage) -> None:
    names = stage.random.sample(["write block", "read only", "closed"], 3)
    with _sick(stage, {name: INDEX_IN_USE[name] for name in names}):
        pass


@scenario(
    "12",
    "an index is missing with auto-create off; an alias has no write index",
    "both are parked, nothing of them is dropped, the other index flows",
)
def no_index_to_write_to(stage: Stage) -> None:
    names = stage.random.sample(["auto-create off", "no write index"], 2)
    with _sick(stage, {name: NEW_INDEX[name] for name in names}):
        pass


@scenario(
    "13",
    "the cluster has no shard left for a new index",
    "it is parked, and log, /parked and metrics say so with the reason; the other index flows",
)
def no_shard_left(stage: Stage) -> None:
    with _sick(stage, {"shard limit": NEW_INDEX["shard limit"]}) as (setup, sink):
        index = index_of(setup, "sick0")
        (said,) = sink.events("parked")
        assert (said["level"], said["index"]) == ("error", index)
        assert "shards" in said["reason"]
        (told,) = sink.get("/parked")[1]
        assert "shards" in told["reason"]
        since = f'sink_parked_since_seconds{{error_type="validation_exception",index="{index}"}}'
        assert since in _metrics(sink)


def _metrics(sink: SinkProcess) -> str:
    with urllib.request.urlopen(sink.url() + "/metrics", timeout=5) as answer:
        return str(answer.read().decode())
