"""
The dead-letter topic takes nothing: the offsets wait, and in the end the reading.
"""

from tests.flow.pipeline import (
    ORDERS,
    TOPIC,
    Pipeline,
    everything_is_accounted_for,
    passed,
    running,
    values,
)
from tests.waiting import wait_until


def test_a_dead_letter_that_cannot_be_written_holds_its_offset_and_in_the_end_the_reading() -> None:
    """
    Otherwise the record would be gone: not indexed, not in the dead letters, and committed.
    """
    pipeline = Pipeline(docs_max=1, places=3)
    pipeline.elastic.refuse(b'"n":2}', 400, "document_parsing_exception")
    pipeline.dead_letters.down()
    pipeline.broker.produce(TOPIC, *values(40))

    with running(pipeline):
        wait_until(lambda: pipeline.dead_letters.attempts > 3, 10, "some attempts")
        assert "dead_letters" in pipeline.readiness.reasons()
        wait_until(lambda: pipeline.broker.committed() == {ORDERS: 2}, 10, "the first to commit")
        everything_is_accounted_for(pipeline, through=False)

        pipeline.dead_letters.up()
        pipeline.until_all_is_committed()
        assert pipeline.readiness.reasons() == {}

    assert [letter.record.offset() for letter in pipeline.dead_letters.letters] == [2]
    everything_is_accounted_for(pipeline)


def test_while_all_documents_are_dead_and_cannot_be_written_reading_stops() -> None:
    pipeline = Pipeline(docs_max=1, places=3)
    pipeline.elastic.refuse(b'"n"', 400, "document_parsing_exception")
    pipeline.dead_letters.down()
    pipeline.broker.produce(TOPIC, *values(40))

    with running(pipeline):
        wait_until(lambda: pipeline.handoff.outstanding()[0] == 4, 10, "all places to be taken")
        wait_until(lambda: pipeline.dead_letters.attempts > 6, 10, "some attempts")
        assert len(pipeline.elastic.bodies) == 4
        assert passed(pipeline.broker) == {}

        pipeline.dead_letters.up()
        pipeline.until_all_is_committed()

    assert len(pipeline.dead_letters.letters) == 40
    everything_is_accounted_for(pipeline)
