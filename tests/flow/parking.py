"""
A pipeline whose indices may be parked, and what holds when all is well again.
"""

from tests.flow.pipeline import TOPIC, Pipeline, everything_is_accounted_for
from tests.waiting import wait_until

OTHER = "ekk-bill"
PARKED = "sink-parked.log-sink"
FOREVER_MS = 86_400_000
FEBRUARY_MS = 31 * 86_400_000
JANUARY, FEBRUARY = "sag-order_1970-01-01", "sag-order_1970-02-01"


def parking(*, threads: int = 1, docs_max: int = 10, **park: int) -> Pipeline:
    pipeline = Pipeline(threads=threads, docs_max=docs_max, park={"ms_max": FOREVER_MS, **park})
    for topic in (TOPIC, OTHER, PARKED):
        pipeline.broker.create_topic(topic)
    return pipeline


def until_aside(pipeline: Pipeline, index: str = JANUARY) -> None:
    wait_until(lambda: index in pipeline.handoff.parked, 10, f"{index} to be parked")
    wait_until(lambda: pipeline.handoff.aside()[0], 10, "documents to be set aside")
    wait_until(lambda: pipeline.handoff.outstanding() == (0, 0), 10, "the places to be free")


def all_is_well(pipeline: Pipeline, consumers: int) -> None:
    everything_is_accounted_for(pipeline)
    assert pipeline.handoff.aside() == (0, 0)
    assert pipeline.handoff.parked == frozenset()
    assert len(pipeline.broker.sources) == consumers, "a consumer broke"
