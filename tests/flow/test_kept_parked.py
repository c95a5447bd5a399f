"""
What was kept of the parked topic before it was given away tells nothing of where to begin.
"""

import pytest

import sink.reading.worker
from sink.core.record import Partition
from tests.flow.parking import JANUARY, PARKED, parking
from tests.flow.pipeline import TOPIC, Pipeline, everything_is_accounted_for, running, values
from tests.waiting import wait_until


def test_parked_documents_are_read_from_the_first_though_a_later_one_was_kept_before_a_rebalance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sink.reading.worker, "_KEEP_ALIVE_S", 0.01)
    monkeypatch.setattr(sink.reading.worker, "_REVOKE_S", 0.01)
    before = parking(docs_max=10, bytes_max=0)
    before.elastic.block(JANUARY)
    with running(before):
        before.broker.produce(TOPIC, *values(6), timestamp_ms=1)
        wait_until(lambda: before.fates().get("parked") == 6, 10, "all to be parked")
    before.elastic.unblock(JANUARY)
    before.elastic.hold()

    pipeline = Pipeline(docs_max=1, places=1, before=before)
    parked = Partition(PARKED, 0)
    with running(pipeline):
        wait_until(lambda: pipeline.elastic.held() == 2, 10, "the worker to wait for a bulk")
        kept = pipeline.workers[0]._kept
        wait_until(lambda: kept.ours, 10, "a later record to be kept")
        pipeline.source.revoke(parked)
        wait_until(lambda: parked not in pipeline.source.promised(), 10, "it to be given away")
        pipeline.source.assign(parked)
        wait_until(lambda: parked in pipeline.source.assignment(), 10, "it to be given back")
        pipeline.elastic.block(JANUARY)
        pipeline.elastic.release()
        wait_until(lambda: JANUARY in pipeline.handoff.parked, 10, "those in flight to be refused")
        pipeline.elastic.unblock(JANUARY)
        pipeline.until_all_is_committed()
    everything_is_accounted_for(pipeline)


def test_parked_documents_that_expire_while_they_wait_are_counted_though_none_was_committed() -> (
    None
):
    parked = Partition(PARKED, 0)
    pipeline = parking(bytes_max=0)
    pipeline.elastic.block(JANUARY)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *values(10), timestamp_ms=1)
        wait_until(lambda: pipeline.fates(PARKED).get("parked") == 10, 10, "all to be left there")
        with pipeline.broker.changed:
            pipeline.broker.expire(parked, 7)
        pipeline.elastic.unblock(JANUARY)
        pipeline.until_all_is_committed()
    assert pipeline.fates(PARKED)["expired"] == 7
    assert len(pipeline.elastic.documents()) == 3
