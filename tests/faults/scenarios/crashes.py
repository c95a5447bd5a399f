"""
kill -9 at any moment, among other mishaps.
"""

import os
from unittest.mock import patch

from tests.engines.oracle import ask, committed
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.faults import mishaps
from tests.faults.mishaps import World
from tests.faults.scenario import scenario
from tests.faults.stage import Stage
from tests.faults.steady import Steady
from tests.waiting import wait_until

# A dead member keeps its partitions until its session ends; a static one is replaced at once.
_KAFKA = """
commit_interval_ms = 100
client = { 'session.timeout.ms' = 6000, 'heartbeat.interval.ms' = 500, \
'reconnect.backoff.max.ms' = 500 }
"""
_INSTANCE = "SINK__KAFKA__GROUP_INSTANCE_ID"
_BACKLOG = 3_000
_PER_S = 600
_THROUGH_S = 5.0
_DRAIN_S = 60


@scenario(
    "1",
    "kill -9 of the sink at random moments, while sinks join and leave, Elasticsearch and the "
    "broker are frozen and killed and indices are blocked; two producers go on",
    "after a restart each record is indexed, once; SEEDS=100 plays a hundred schedules",
)
def kill_9_among_other_mishaps(stage: Stage) -> None:
    members = stage.random.choice(["static", "dynamic"])
    park_ms = stage.random.choice([300, 300_000])  # to the parked topic at once, or never
    setup = stage.setup(
        bulk="docs_max = 200\nqueue_slots = 2\nprobe_max_ms = 500\nretry_max_ms = 500",
        more=f"[park]\nms_max = {park_ms}",
        shutdown_ms="3000",
    )
    setup.settings |= {"kafka": _KAFKA, "elasticsearch": "request_timeout_ms = 5000"}
    create_topics(setup, {"a": 4, "b": 2})
    produce(setup, "b", numbered(0, _BACKLOG))

    def begin(number: int) -> SinkProcess:
        name = f"sink-{number}" if members == "static" else ""  # an empty one counts as not set
        with patch.dict(os.environ, {_INSTANCE: name}):
            return stage.sink(setup)

    world = World(setup, begin, [begin(0)], f"{setup.name}-b_*")
    planned = mishaps.schedule(
        stage.random, through_s=_THROUGH_S, gap_s=(0.1, 1.2), hold_s=(0.2, 2.5), sinks=[0]
    )
    stage.note(f"{members}; {', '.join(map(str, planned))}")
    (stage.folder / "schedule.txt").write_text("\n".join(map(str, planned)) + "\n")
    firsts = (_BACKLOG, _BACKLOG + 1_000_000)
    with (
        Steady(setup, "ab", _PER_S, random=stage.random, first=firsts[0]) as one,
        Steady(setup, "ab", _PER_S, random=stage.random, first=firsts[1]) as other,
    ):
        mishaps.play(world, planned)
        stage.healed()
        records = _BACKLOG + one.end() + other.end()
    _until_all_indexed(setup, records)
    stage.recovered()
    assert world.sinks[0].terminate() == 0
    assert stage.judge(setup, ["a", "b"]) == records


def _until_all_indexed(setup: Setup, records: int) -> None:
    """
    Wait until all is committed, and what was parked meanwhile is indexed too.
    """
    topics = [setup.topic("a"), setup.topic("b")]
    wait_until(
        lambda: sum(committed(setup, topics).values()) == records, _DRAIN_S, "all to be committed"
    )
    wait_until(lambda: _count(setup) >= records, _DRAIN_S, f"{records} documents")


def _count(setup: Setup) -> int:
    pattern = f"/{setup.name}-*"
    ask(setup, "POST", f"{pattern}/_refresh")
    return int(ask(setup, "GET", f"{pattern}/_count")["count"])
