"""
The number of bulks under way follows how Elasticsearch answers.
"""

from sink.core.body import Body
from sink.core.outcome import Reply
from sink.testing import FakeElastic
from tests.flow.pipeline import TOPIC, Pipeline, everything_is_accounted_for, running, values

_BUSY = Reply(429, b"", "es_rejected_execution_exception", "too many bulks")


class _Busy(FakeElastic):
    """Refuses what would be more than so many at a time."""

    def __init__(self, room: int) -> None:
        super().__init__(latency_s=0.005)
        self.room = room
        self.refused = self.asked = 0

    async def bulk(self, body: Body | bytes) -> Reply:
        self.asked += 1
        if self.concurrent >= self.room:
            self.refused += 1
            return _BUSY
        return await super().bulk(body)


def _read(elastic: FakeElastic, *, in_flight: int) -> Pipeline:
    pipeline = Pipeline(docs_max=10, in_flight=in_flight, places=20)
    pipeline.elastic = elastic
    pipeline.broker.produce(TOPIC, *values(2000), timestamp_ms=1)
    with running(pipeline):
        pipeline.until_all_is_committed()
    everything_is_accounted_for(pipeline)
    return pipeline


def test_a_far_cluster_gets_all_the_bulks_at_a_time_that_are_allowed() -> None:
    pipeline = _read(FakeElastic(latency_s=0.1), in_flight=8)

    assert pipeline.elastic.concurrent_max == 8


def test_a_cluster_that_refuses_gets_as_few_as_it_takes() -> None:
    busy = _Busy(room=2)

    _read(busy, in_flight=12)

    assert busy.refused < busy.asked / 5
