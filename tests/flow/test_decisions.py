"""
An operator's decision about parked documents: obeyed once and for ever, by any sink that reads it.
"""

from sink.core.command import Command
from sink.core.record import Partition
from tests.flow.pipeline import TOPIC, Pipeline, running, values
from tests.flow.test_parking import INDEX, OTHER, PARKED, _command, _parked, _pipeline
from tests.making import stamped
from tests.waiting import wait_until

OTHER_INDEX = "sag-bill_1970-01-01"


def test_a_drop_given_while_no_sink_runs_is_obeyed_though_the_index_is_well_meanwhile() -> None:
    first = _pipeline(bytes_max=0)
    with running(first):
        _parked(first, 25)
    _command(first, Command.DROP)
    first.elastic.unblock(INDEX)
    second = Pipeline(docs_max=10, before=first)
    with running(second):
        second.until_all_is_committed()
    assert second.elastic.documents() == {}


def test_what_was_dropped_stays_dropped_after_a_restart() -> None:
    first = _pipeline(bytes_max=0)
    first.elastic.block(OTHER_INDEX)
    with running(first):
        first.broker.produce(OTHER, *values(5, 100), timestamp_ms=1)
        wait_until(lambda: first.fates(OTHER).get("parked") == 5, 10, "the others to be parked")
        _parked(first, 25)
        _command(first, Command.DROP, INDEX)
        wait_until(lambda: first.fates(PARKED).get("dropped:operator") == 25, 10, "the drop")
    first.elastic.unblock(INDEX)
    second = Pipeline(docs_max=10, before=first)
    with running(second):
        second.elastic.unblock(OTHER_INDEX)
        second.until_all_is_committed()
    assert sorted(second.elastic.documents().values()) == sorted(
        stamped(*values(5, 100), time_ms=1)
    )


def test_each_document_moved_to_the_dead_letters_is_there_and_no_other() -> None:
    pipeline = _pipeline(bytes_max=0)
    pipeline.elastic.block(OTHER_INDEX)
    with running(pipeline):
        pipeline.broker.produce(OTHER, *values(5, 100), timestamp_ms=1)
        wait_until(lambda: pipeline.fates(OTHER).get("parked") == 5, 10, "the others to be parked")
        _parked(pipeline, 20)
        _command(pipeline, Command.TO_DLQ, INDEX)
        wait_until(lambda: pipeline.fates(PARKED).get("dead") == 20, 10, "the move")
        pipeline.elastic.unblock(OTHER_INDEX)
        pipeline.until_all_is_committed()
    moved = {letter.id for letter in pipeline.dead_letters.letters}  # one may be written twice
    assert len(moved) == 20
    assert moved.isdisjoint(pipeline.elastic.documents())


def test_a_decision_is_not_about_documents_of_a_topic_that_was_created_again() -> None:
    pipeline = _pipeline(bytes_max=0)
    with running(pipeline):
        _parked(pipeline, 20)
        _command(pipeline, Command.DROP)
        pipeline.until_all_is_committed()
        pipeline.broker.delete_topic(PARKED)
        pipeline.broker.create_topic(PARKED)
        pipeline.broker.produce(TOPIC, *values(5, 100), timestamp_ms=1)
        wait_until(lambda: pipeline.fates().get("parked") == 25, 10, "the next to be parked")
        wait_until(
            lambda: (
                pipeline.broker.committed().get(Partition(PARKED, 0)) == 5
                or pipeline.fates(PARKED).get("parked", 0) > 20
            ),
            10,
            "them to be read",
        )
        pipeline.elastic.unblock(INDEX)
        pipeline.until_all_is_committed()
    assert sorted(pipeline.elastic.documents().values()) == sorted(
        stamped(*values(5, 100), time_ms=1)
    )
