"""
The operator stops the sink, at bad moments.
"""

import time

from tests.engines.brokering import until_committed
from tests.engines.oracle import committed
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import SinkProcess
from tests.faults.scenario import scenario
from tests.faults.stage import Stage
from tests.waiting import wait_until

_DEADLINE_MS = 4_000


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
