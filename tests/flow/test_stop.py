"""
The operator wants it to stop: what is in flight is finished, within the deadline.
"""

import pytest

import sink.reading.worker
from sink.edge.kafka.source import Listener
from sink.testing import NO_ANSWER, FakeSource
from tests.flow.pipeline import (
    ORDERS,
    TOPIC,
    Pipeline,
    everything_is_accounted_for,
    passed,
    running,
    values,
    waits_for_settlements,
)
from tests.waiting import wait_until


def test_stopping_finishes_what_is_in_flight_and_commits_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sink.reading.worker, "_REVOKE_S", 0.0)  # a rebalance would not wait so long
    pipeline = Pipeline(docs_max=1)
    pipeline.elastic.hold()
    pipeline.broker.produce(TOPIC, *values(4))
    with running(pipeline):
        wait_until(lambda: pipeline.elastic.held() == 4, 10, "the bulks to be sent")
        waits = waits_for_settlements(pipeline)
        pipeline.stop_wish.request()
        pipeline.broker.produce(TOPIC, *values(4, 4))
        wait_until(lambda: len(waits) > 2 or pipeline.source.closed, 10, "it to wait")
        assert not pipeline.source.closed
        assert passed(pipeline.broker) == {}

        pipeline.elastic.release()
        assert pipeline.stop()
        assert pipeline.broker.sources[0].closed

    done = pipeline.broker.committed()[ORDERS]
    assert 4 <= done <= 5, "no more than the poll under way was begun"
    assert pipeline.in_flight() == {}
    everything_is_accounted_for(pipeline, through=False)


def test_with_elasticsearch_down_it_leaves_by_the_deadline_and_commits_nothing_unsettled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    What is in flight is read again at the next start.
    """
    monkeypatch.setattr(
        sink.reading.worker, "_REVOKE_S", 3600.0
    )  # closing revokes: it may not wait so
    pipeline = Pipeline(docs_max=1, stop_ms=200)
    pipeline.broker.produce(TOPIC, *values(2))
    with running(pipeline):
        pipeline.until_all_is_committed()
        pipeline.elastic.down(NO_ANSWER)
        pipeline.broker.produce(TOPIC, *values(30, 2))
        wait_until(lambda: "elasticsearch" in pipeline.readiness.reasons(), 10, "the outage")

        assert pipeline.stop()
        assert pipeline.source.closed

    assert pipeline.broker.committed() == {ORDERS: 2}
    everything_is_accounted_for(pipeline, through=False)


def test_what_was_left_at_the_stop_is_done_by_the_next_process() -> None:
    before = Pipeline(docs_max=1, stop_ms=100)
    before.elastic.refuse(b'"n":3}', 503, "unavailable_shards_exception")
    before.broker.produce(TOPIC, *values(8))
    with running(before):
        wait_until(lambda: len(before.elastic.documents()) == 7, 10, "the others")
    assert before.broker.committed() == {ORDERS: 3}
    everything_is_accounted_for(before, through=False)

    after = Pipeline(before=before)
    after.elastic.accept()
    with running(after):
        after.until_all_is_committed()

    assert after.fates() == {"consumed": 5, "indexed": 1, "duplicate": 4}
    everything_is_accounted_for(after)


def test_stopping_while_the_queue_is_full_ends_the_wait() -> None:
    pipeline = Pipeline(docs_max=1, places=2, stop_ms=200)
    pipeline.elastic.hold()
    pipeline.broker.produce(TOPIC, *values(20))
    with running(pipeline):
        wait_until(lambda: pipeline.elastic.held() == 3, 10, "the queue to be full")

        assert pipeline.stop()

    assert passed(pipeline.broker) == {}
    everything_is_accounted_for(pipeline, through=False)


def test_stopping_while_dead_letters_cannot_be_written_leaves_their_offsets() -> None:
    pipeline = Pipeline(stop_ms=200)
    pipeline.elastic.refuse(b'"n":1}', 400, "document_parsing_exception")
    pipeline.dead_letters.down()
    pipeline.broker.produce(TOPIC, *values(4))
    with running(pipeline):
        wait_until(lambda: pipeline.dead_letters.attempts > 2, 10, "some attempts")

        assert pipeline.stop()

    assert passed(pipeline.broker) == {}
    everything_is_accounted_for(pipeline, through=False)


def test_stopping_while_the_consumer_is_broken_ends_the_wait_for_a_new_one() -> None:
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(4))
    with running(pipeline):
        pipeline.until_all_is_committed()
        pipeline.broker.open = _never  # type: ignore[assignment, method-assign]
        pipeline.source.fail(RuntimeError("fenced"))
        wait_until(pipeline.readiness.reasons, 10, "the failure to be known")

        assert pipeline.stop()

    everything_is_accounted_for(pipeline)


def _never(_: Listener) -> FakeSource:
    raise RuntimeError("no broker")


def test_a_commit_refused_at_the_stop_passes_nothing() -> None:
    pipeline = Pipeline()
    pipeline.broker.refuse_commits(1000)
    pipeline.broker.produce(TOPIC, *values(4))
    with running(pipeline):
        wait_until(lambda: pipeline.fates().get("indexed") == 4, 10, "the documents")

        assert pipeline.stop()

    assert passed(pipeline.broker) == {}
    everything_is_accounted_for(pipeline, through=False)
