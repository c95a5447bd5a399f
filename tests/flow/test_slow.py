"""
An index that gives no answer in time holds up its own documents, and no others.
"""

from sink.core.outcome import Reply
from sink.testing import operations
from tests.flow.pipeline import TOPIC, Pipeline, everything_is_accounted_for, running, values
from tests.flow.test_parking import INDEX, OTHER, _both, _indexed, _pipeline
from tests.waiting import wait_until

OTHER_INDEX = "sag-bill_1970-01-01"


def test_an_index_that_does_not_answer_holds_up_its_own_documents_alone() -> None:
    pipeline = _pipeline()
    with running(pipeline):
        _both(pipeline, 20)
        wait_until(lambda: pipeline.consumed() == 40 and not pipeline.in_flight(), 10, "the first")
        pipeline.elastic.silence(INDEX)
        for begin in range(20, 200, 20):
            _both(pipeline, 20, begin)
        wait_until(lambda: _indexed(pipeline, OTHER) == 200, 20, "the other topic to flow")
        wait_until(lambda: len(pipeline.lanes.published) == 1, 10, "one index to be parked")
        (parked,) = pipeline.lanes.published
        assert (parked.index, parked.error_type) == (INDEX, "ConnectionTimeout")
        assert pipeline.readiness.reasons() == {}

        pipeline.elastic.speak()
        pipeline.until_all_is_committed()
    assert pipeline.fates() == {"consumed": 200, "indexed": 200}
    assert pipeline.parked.letters == pipeline.dead_letters.letters == []
    everything_is_accounted_for(pipeline)


def test_where_nothing_answers_there_is_one_probe_at_a_time_and_nothing_is_parked() -> None:
    pipeline = _pipeline()
    for index in (INDEX, OTHER_INDEX):
        pipeline.elastic.silence(index)
    with running(pipeline):
        _both(pipeline, 100)
        wait_until(lambda: "elasticsearch" in pipeline.readiness.reasons(), 10, "an outage")
        begun = len(pipeline.elastic.bodies)
        wait_until(lambda: len(pipeline.elastic.bodies) > begun + 5, 10, "all under way to end")
        pipeline.elastic.concurrent_max = 0
        wait_until(lambda: len(pipeline.elastic.bodies) > begun + 12, 10, "some probes")
        assert pipeline.elastic.concurrent_max == 1
        assert pipeline.lanes.published == ()
        pipeline.elastic.speak()
        pipeline.until_all_is_committed()
    assert pipeline.parked.letters == []
    everything_is_accounted_for(pipeline)


def test_a_bulk_that_was_not_answered_in_time_but_done_makes_no_second_document() -> None:
    pipeline = Pipeline(docs_max=10)
    late = Reply(0, b"", "ConnectionTimeout", "Connection timed out")
    pipeline.elastic.answer(late, applied=True)
    pipeline.broker.produce(TOPIC, *values(10), timestamp_ms=1)
    with running(pipeline):
        pipeline.until_all_is_committed()
    assert pipeline.elastic.created == 10
    assert sum(operations(body).total() for body in pipeline.elastic.bodies) >= 20
    everything_is_accounted_for(pipeline)
