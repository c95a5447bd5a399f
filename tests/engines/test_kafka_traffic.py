"""
What is read from the brokers while Elasticsearch is the slower side.
"""

import json
from types import SimpleNamespace
from typing import Any, cast

from sink.config import KafkaSettings
from sink.edge.kafka.admin import Brokers
from sink.edge.kafka.properties import Renewal, consumer
from sink.edge.kafka.source import Listener, Source
from sink.testing import FakeBroker, FakeElastic, FakeSource
from tests.engines.brokering import until_committed
from tests.engines.producing import create_topics, produce
from tests.engines.running import Setup
from tests.flow.pipeline import Pipeline, running
from tests.waiting import wait_until

_RECORDS = 5_000
_VALUE = b'{"a":"' + b"x" * 990 + b'"}'


class _OnKafka(Pipeline):
    """
    Reads from the real brokers, by way of a client that counts; Elasticsearch is in memory.
    """

    def __init__(self, setup: Setup, latency_s: float) -> None:
        self._settings = KafkaSettings(
            bootstrap_servers=setup.kafka.bootstrap_servers, group_id=setup.group
        )
        self._topic = setup.topic("a")
        self.statistics: list[dict[str, Any]] = []
        broker = FakeBroker()
        broker.topic_ids = Brokers(self._settings).topic_ids  # type: ignore[method-assign]
        before = SimpleNamespace(broker=broker, elastic=FakeElastic(latency_s))
        super().__init__(before=cast("Pipeline", before), places=2, in_flight=2, docs_max=500)

    def bytes_read(self) -> int:
        partitions = self.statistics[-1]["topics"][self._topic]["partitions"]
        return sum(partition["rxbytes"] for partition in partitions.values())

    def _open(self, listener: Listener) -> FakeSource:
        counting = {"statistics.interval.ms": 200, "stats_cb": self._count}
        source = Source(
            consumer(self._settings, 0) | counting,
            Renewal(self._settings),
            [self._topic],
            listener,
        )
        return cast("FakeSource", source)

    def _count(self, statistics: str) -> None:
        self.statistics.append(json.loads(statistics))


def test_steady_back_pressure_reads_nothing_twice_from_the_brokers(setup: Setup) -> None:
    """
    Each bulk waits some four seconds for its turn and its answer. A consumer that is paused
    meanwhile throws away what it has fetched, each time.
    """
    setup.name = f"ekk-{setup.name}"  # the route of the pipeline
    create_topics(setup, {"a": 4})
    for partition in range(4):
        produce(setup, "a", [_VALUE] * (_RECORDS // 4), partition=partition)
    pipeline = _OnKafka(setup, latency_s=2.0)
    with running(pipeline):
        wait_until(lambda: len(pipeline.elastic.documents()) == _RECORDS, 60, "all documents")
        until_committed(setup, "a", _RECORDS)
        seen = len(pipeline.statistics)
        wait_until(lambda: len(pipeline.statistics) > seen + 1, 10, "the last count")
        assert pipeline.bytes_read() <= 1.1 * _RECORDS * len(_VALUE)
    assert pipeline.elastic.created == _RECORDS
