"""
The clock of the sink's machine jumps.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from tests.engines.brokering import until_committed
from tests.engines.oracle import documents
from tests.engines.producing import create_topics
from tests.engines.running import SinkProcess
from tests.faults.false_clock import set_clock, under_a_false_clock
from tests.faults.scenario import scenario
from tests.faults.stage import Stage
from tests.faults.steady import Steady
from tests.waiting import wait_until

_JUMPS_S = [3_600, -3_600, 0, 86_400 * 40, 0]  # away from the true time; 40 days: another month
_BETWEEN_S = 5
_SHORT_SESSION = "client = { 'session.timeout.ms' = 6000, 'heartbeat.interval.ms' = 1000 }"


@scenario(
    "39",
    "the sink's clock jumps by an hour to and fro, and by forty days, under load; "
    "Elasticsearch is frozen for a while in between",
    "timeouts go by the monotonic clock: no rebalance, commits go on, SIGTERM is obeyed by its "
    "deadline; indices go by the time of the records",
    size="in the sink's process only, by tests/faults/clock.c: the machine's clock is everybody's",
)
def the_clock_jumps(stage: Stage) -> None:
    setup = stage.setup(bulk="docs_max = 500", shutdown_ms="4000")
    setup.settings["kafka"] = _SHORT_SESSION
    create_topics(setup, {"a": 4})
    clock = stage.folder / "ahead_s"
    set_clock(clock, 0)
    with patch.dict(os.environ, under_a_false_clock(clock)):
        sink = stage.sink(setup)
    wait_until(lambda: _workers(sink) == {0, 1}, 40, "both threads to have joined")
    given = len(sink.events("revoked"))
    jumps_s = stage.random.sample(_JUMPS_S, len(_JUMPS_S))
    stage.note("jumps: " + ", ".join(f"{jump:+d} s" for jump in jumps_s))
    frozen = stage.random.randrange(len(jumps_s))
    with Steady(setup, "a", 500, random=stage.random) as steady:
        for number, jump_s in enumerate(jumps_s):
            if number == frozen:
                stage.elasticsearch.freeze()
            set_clock(clock, jump_s)
            _lets_pass(sink, _BETWEEN_S)
            stage.elasticsearch.thaw()
            done = steady.acknowledged
            wait_until(lambda: _settled(sink) >= done, 20, "what was there to be settled")  # noqa: B023
        records = steady.end()
    until_committed(setup, "a", records)
    assert len(sink.events("revoked")) == given, "partitions were taken away"
    set_clock(clock, -3_600)
    began_s = time.monotonic()
    assert sink.terminate() == 0
    took_s = time.monotonic() - began_s
    stage.note(f"exit after {took_s:.1f} s of 4")
    assert took_s < 4 + 1
    (stopped,) = sink.events("stopped")
    said = datetime.fromisoformat(stopped["timestamp"])
    assert timedelta(minutes=59) < datetime.now(UTC) - said < timedelta(minutes=61)
    assert len({hit["_index"] for hit in documents(setup)}) == 1
    assert stage.judge(setup, ["a"]) == records


def _lets_pass(sink: SinkProcess, seconds: float) -> None:
    wait_until(_later(time.monotonic() + seconds), 2 * seconds, "some time to pass")
    assert sink.get("/health/live")[0] == 200


def _later(moment_s: float) -> Callable[[], bool]:
    return lambda: time.monotonic() >= moment_s


def _workers(sink: SinkProcess) -> set[int]:
    return {event["worker"] for event in sink.events("assigned") if event["partitions"]}


def _settled(sink: SinkProcess) -> int:
    return sum(topic["consumed"] - topic["in_flight"] for topic in sink.ledger().values())
