"""
A consumer breaks: the account is right all the same, and a new one is built after a wait.
"""

import pytest

import sink.reading.worker
from sink.edge.kafka.source import Listener
from sink.reading.intake import RecordSource
from sink.reading.targets import Targets
from sink.reading.worker import Worker
from sink.routes import routes_of
from tests.flow.pipeline import (
    TOPIC,
    Pipeline,
    everything_is_accounted_for,
    running,
)
from tests.waiting import wait_until


def test_what_was_polled_and_never_handed_over_is_not_in_flight_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    An array gives three bulks: one has the only place, one the worker waits for, one is in its hand
    when the consumer breaks. They are read again, and their account begins anew.
    """
    for wait in ("_KEEP_ALIVE_S", "_TICK_S", "_REVOKE_S"):
        monkeypatch.setattr(sink.reading.worker, wait, 0.01)
    pipeline = Pipeline(docs_max=2, places=1)
    pipeline.elastic.hold()
    pipeline.broker.produce(TOPIC, b'[{"n":0},{"n":1},{"n":2},{"n":3},{"n":4}]')
    with running(pipeline):
        wait_until(lambda: pipeline.elastic.held() == 2, 10, "two bulks to be sent")
        pipeline.source.fail(RuntimeError("the consumer broke"))
        wait_until(lambda: pipeline.broker.sources[0].closed, 10, "it to be closed")
        pipeline.elastic.release()
        pipeline.until_all_is_committed()

    assert len(pipeline.elastic.documents()) == 5
    fates = pipeline.fates()
    assert fates["indexed"] + fates.get("duplicate", 0) == fates["consumed"]
    everything_is_accounted_for(pipeline)


def test_a_consumer_that_breaks_again_and_again_is_built_anew_ever_more_seldom() -> None:
    pipeline = Pipeline()
    topics = Targets(routes_of(pipeline.config), pipeline.broker.topic_ids, None, None)
    worker = Worker(
        0,
        pipeline.config,
        _no_broker,
        topics,
        handoff=pipeline.handoff,
        readiness=pipeline.readiness,
        stop=pipeline.stop_wish,
    )
    waits: list[float] = []

    def waited(timeout_s: float) -> bool:
        waits.append(timeout_s)
        return False

    pipeline.stop_wish.wait = waited  # type: ignore[method-assign]
    pipeline.workers = [worker]
    with running(pipeline):
        wait_until(lambda: len(waits) > 60, 10, "many attempts")
        assert "no broker" in pipeline.readiness.reasons()["worker-0"]

    assert waits[0] <= 0.5
    assert 5 < max(waits) <= 10, "the waits grow, up to ten seconds"


def _no_broker(_: Listener) -> RecordSource:
    raise RuntimeError("no broker")
