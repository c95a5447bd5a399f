"""
A partition that gives nothing but documents of a closed lane waits in Kafka when there is no room.
"""

import pytest

import sink.writing.lanes
from sink.core.record import Partition
from tests.flow.pipeline import TOPIC, Pipeline, everything_is_accounted_for, running, values
from tests.flow.test_parking import FOREVER_MS, INDEX, OTHER, PARKED, _indexed
from tests.waiting import wait_until

_MANY = 2000


def _pipeline(ms_max: int) -> Pipeline:
    pipeline = Pipeline(docs_max=10, park={"ms_max": ms_max, "bytes_max": 200_000})
    for topic in (TOPIC, OTHER, PARKED):
        pipeline.broker.create_topic(topic)
    pipeline.elastic.block(INDEX)
    return pipeline


def test_it_is_read_no_further_and_all_others_are() -> None:
    pipeline = _pipeline(FOREVER_MS)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *values(10), timestamp_ms=1)
        wait_until(lambda: pipeline.lanes.published, 10, "the index to be parked")
        pipeline.broker.produce(TOPIC, *values(_MANY), timestamp_ms=1)
        wait_until(lambda: pipeline.source.paused == {Partition(TOPIC, 0)}, 10, "it to wait")
        pipeline.broker.produce(OTHER, *values(_MANY), timestamp_ms=1)
        wait_until(lambda: _indexed(pipeline, OTHER) == _MANY, 10, "the other topic to flow")
        assert pipeline.source.paused == {Partition(TOPIC, 0)}
        assert pipeline.fates()["consumed"] < _MANY / 4
        assert pipeline.parked.letters == []
        everything_is_accounted_for(pipeline, through=False)

        pipeline.elastic.unblock(INDEX)
        pipeline.until_all_is_committed()
        assert pipeline.source.paused == set()
    assert pipeline.fates()["indexed"] == _MANY + 10
    everything_is_accounted_for(pipeline)


def test_when_the_wait_is_long_its_documents_go_to_the_parked_topic_in_turn() -> None:
    pipeline = _pipeline(ms_max=30)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *values(_MANY), timestamp_ms=1)
        wait_until(lambda: pipeline.fates().get("parked") == _MANY, 20, "all to be parked")
        wait_until(
            lambda: pipeline.broker.committed().get(Partition(TOPIC, 0)) == _MANY, 10, "the offset"
        )
        pipeline.elastic.unblock(INDEX)
        pipeline.until_all_is_committed()
    assert len(pipeline.elastic.indices[INDEX]) == _MANY
    everything_is_accounted_for(pipeline)


def test_beside_other_work_the_parked_topic_is_written_to_for_a_small_share_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Each part waits for many times as long as the one before took, while others are in flight.
    """
    monkeypatch.setattr(sink.writing.lanes, "_OTHER_WORK", 10**9)
    pipeline = _pipeline(ms_max=30)
    with running(pipeline):
        outstanding = pipeline.handoff.outstanding
        monkeypatch.setattr(pipeline.handoff, "outstanding", lambda: (8, 0))
        pipeline.broker.produce(TOPIC, *values(100), timestamp_ms=1)
        wait_until(lambda: pipeline.parked.letters, 10, "one part to be written")
        polls, probes = pipeline.source.polls, len(pipeline.elastic.bodies)
        wait_until(lambda: len(pipeline.elastic.bodies) > probes + 20, 20, "some probes")
        wait_until(lambda: pipeline.source.polls > polls + 20, 20, "some time to pass")
        assert pipeline.parked.attempts == 1
        monkeypatch.setattr(pipeline.handoff, "outstanding", outstanding)
        pipeline.elastic.unblock(INDEX)
        pipeline.until_all_is_committed()
    everything_is_accounted_for(pipeline)
