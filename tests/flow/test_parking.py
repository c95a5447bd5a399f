"""
An index that takes none makes its own documents wait, and no others.
"""

from sink.core.command import Command, Decision
from sink.core.ledger import imbalance
from sink.core.record import Partition
from sink.testing import operations
from tests.accounting import document_id
from tests.flow.pipeline import (
    TOPIC,
    Pipeline,
    everything_is_accounted_for,
    passed,
    running,
    values,
)
from tests.making import stamped
from tests.waiting import wait_until

OTHER = "ekk-bill"
INDEX = "sag-order_1970-01-01"
PARKED = "sink-parked.log-sink"
FOREVER_MS = 86_400_000


def _pipeline(**park: int) -> Pipeline:
    pipeline = Pipeline(docs_max=10, park={"ms_max": FOREVER_MS, **park})
    for topic in (TOPIC, OTHER, PARKED):
        pipeline.broker.create_topic(topic)
    return pipeline


def _both(pipeline: Pipeline, count: int, begin: int = 0) -> None:
    for topic in (TOPIC, OTHER):
        pipeline.broker.produce(topic, *values(count, begin), timestamp_ms=1)


def _indexed(pipeline: Pipeline, topic: str) -> int:
    return pipeline.fates(topic).get("indexed", 0)


def test_a_blocked_index_lets_all_others_flow_and_resumes_by_itself() -> None:
    pipeline = _pipeline()
    pipeline.elastic.block(INDEX)
    with running(pipeline):
        for begin in range(0, 200, 20):
            _both(pipeline, 20, begin)
        wait_until(lambda: _indexed(pipeline, OTHER) == 200, 10, "the other topic to flow")
        wait_until(lambda: pipeline.broker.committed().get(Partition(OTHER, 0)) == 200, 10, "it")
        assert pipeline.broker.committed().get(Partition(TOPIC, 0), 0) == 0
        (parked,) = pipeline.lanes.published
        assert (parked.index, parked.error_type) == (INDEX, "cluster_block_exception")
        wait_until(lambda: pipeline.lanes.published[0].documents == 200, 10, "all to be aside")
        assert pipeline.handoff.outstanding() == (0, 0)
        everything_is_accounted_for(pipeline, through=False)

        pipeline.elastic.unblock(INDEX)
        pipeline.until_all_is_committed()
        assert pipeline.lanes.published == ()
        assert pipeline.handoff.aside() == (0, 0)
    assert pipeline.fates() == {"consumed": 200, "indexed": 200}
    assert pipeline.dead_letters.letters == pipeline.parked.letters == []
    everything_is_accounted_for(pipeline)


def test_a_parked_index_is_asked_with_one_document_at_a_time() -> None:
    pipeline = _pipeline()
    pipeline.elastic.block(INDEX)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *values(100), timestamp_ms=1)
        wait_until(lambda: pipeline.lanes.published, 10, "the index to be parked")
        wait_until(lambda: pipeline.lanes.published[0].documents == 100, 10, "all to be aside")
        begun = len(pipeline.elastic.bodies)
        wait_until(lambda: len(pipeline.elastic.bodies) > begun + 10, 10, "some probes")
        sizes = [operations(body).total() for body in pipeline.elastic.bodies[begun:]]
        assert set(sizes) == {1}
        pipeline.elastic.unblock(INDEX)
        pipeline.until_all_is_committed()
    everything_is_accounted_for(pipeline)


def test_what_waits_too_long_goes_to_the_parked_topic_and_comes_back_when_the_index_is_well() -> (
    None
):
    pipeline = _pipeline(ms_max=50)
    pipeline.elastic.block(INDEX)
    with running(pipeline):
        sent = pipeline.broker.produce(TOPIC, *values(30), key=b"its key", timestamp_ms=1)
        wait_until(
            lambda: pipeline.broker.committed().get(Partition(TOPIC, 0)) == 30, 10, "the offset"
        )
        wait_until(lambda: pipeline.fates().get("parked") == 30, 10, "the ledger")
        assert pipeline.broker.committed().get(Partition(PARKED, 0), 0) == 0
        everything_is_accounted_for(pipeline, through=False)
        assert pipeline.elastic.documents() == {}

        pipeline.elastic.unblock(INDEX)
        pipeline.until_all_is_committed()
    assert set(pipeline.elastic.documents()) == {document_id(record) for record in sent}
    assert set(pipeline.elastic.indices[INDEX].values()) == set(stamped(*values(30), time_ms=1))
    back = pipeline.fates(PARKED)
    assert back["indexed"] + back.get("duplicate", 0) + back["parked"] == back["consumed"]
    everything_is_accounted_for(pipeline)


def test_what_finds_no_room_goes_to_the_parked_topic_at_once() -> None:
    pipeline = _pipeline(bytes_max=0)
    pipeline.elastic.block(INDEX)
    with running(pipeline):
        _both(pipeline, 50)
        wait_until(lambda: pipeline.fates().get("parked") == 50, 10, "all to be parked")
        wait_until(lambda: _indexed(pipeline, OTHER) == 50, 10, "the other topic to flow")
        pipeline.elastic.unblock(INDEX)
        pipeline.until_all_is_committed()
    assert len(pipeline.elastic.documents()) == 100
    everything_is_accounted_for(pipeline)


def test_a_parked_topic_that_cannot_be_written_holds_the_offset_and_loses_nothing() -> None:
    pipeline = _pipeline(bytes_max=0)
    pipeline.parked.down()
    pipeline.elastic.block(INDEX)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *values(30), timestamp_ms=1)
        wait_until(lambda: pipeline.parked.attempts > 3, 10, "some attempts")
        assert passed(pipeline.broker) == {}
        assert "parked" in pipeline.readiness.reasons()
        pipeline.parked.up()
        wait_until(lambda: pipeline.fates().get("parked") == 30, 10, "all to be parked")
        assert "parked" not in pipeline.readiness.reasons()
        pipeline.elastic.unblock(INDEX)
        pipeline.until_all_is_committed()
    everything_is_accounted_for(pipeline)


def test_parked_documents_survive_a_restart() -> None:
    first = _pipeline(bytes_max=0)
    first.elastic.block(INDEX)
    with running(first):
        _both(first, 30)
        wait_until(lambda: first.fates().get("parked") == 30, 10, "all to be parked")
        wait_until(
            lambda: first.broker.committed().get(Partition(TOPIC, 0)) == 30, 10, "the offset"
        )
    second = Pipeline(docs_max=10, before=first)
    with running(second):
        wait_until(lambda: second.lanes.published, 10, "the index to be parked again")
        wait_until(lambda: second.fates(PARKED).get("parked") == 30, 10, "all to be left there")
        begun = len(second.elastic.bodies)
        wait_until(lambda: len(second.elastic.bodies) > begun + 10, 10, "some probes")
        assert second.fates(PARKED)["parked"] == 30, "read again before their index is well"
        second.elastic.unblock(INDEX)
        second.until_all_is_committed()
    assert len(second.elastic.documents()) == 60
    everything_is_accounted_for(second)


def test_an_index_that_is_refused_again_and_again_for_overload_waits_by_itself() -> None:
    pipeline = _pipeline()
    pipeline.elastic.block(INDEX, 429, "es_rejected_execution_exception", "queue is full")
    with running(pipeline):
        _both(pipeline, 10)
        wait_until(lambda: pipeline.lanes.published, 10, "the index to be parked")
        _both(pipeline, 50, 10)
        wait_until(lambda: _indexed(pipeline, OTHER) == 60, 10, "the other topic to flow")
        pipeline.elastic.unblock(INDEX)
        pipeline.until_all_is_committed()
    everything_is_accounted_for(pipeline)


def test_an_unclear_refusal_parks_an_index_that_takes_none() -> None:
    pipeline = _pipeline()
    reason = "no write index is defined for alias [x]"
    pipeline.elastic.block(INDEX, 400, "illegal_argument_exception", reason)
    with running(pipeline):
        _both(pipeline, 30)
        wait_until(lambda: pipeline.lanes.published, 10, "the index to be parked")
        assert pipeline.dead_letters.letters == []
        pipeline.elastic.unblock(INDEX)
        pipeline.until_all_is_committed()
    assert len(pipeline.elastic.documents()) == 60
    everything_is_accounted_for(pipeline)


def test_an_unclear_refusal_by_an_index_that_takes_others_is_the_documents() -> None:
    pipeline = _pipeline()
    pipeline.elastic.refuse(b'"n":3', 400, "illegal_argument_exception", "malformed")
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *values(8), timestamp_ms=1)
        pipeline.until_all_is_committed()
    assert [letter.record.offset() for letter in pipeline.dead_letters.letters] == [3]
    assert pipeline.fates() == {"consumed": 8, "indexed": 7, "dead": 1}
    everything_is_accounted_for(pipeline)


def test_a_document_alone_refused_for_its_index_holds_up_no_other() -> None:
    """
    A role that may add no field: documents with a new one are refused, the index takes the others.
    """
    pipeline = _pipeline()
    pipeline.elastic.refuse(b'"n":3}', 403, "security_exception", "auto_put is unauthorized")
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *values(30), timestamp_ms=1)
        wait_until(lambda: _indexed(pipeline, TOPIC) == 29, 10, "the others to be indexed")
        pipeline.broker.produce(TOPIC, *values(30, 100), timestamp_ms=1)
        wait_until(lambda: _indexed(pipeline, TOPIC) == 59, 10, "the next to be indexed")
        pipeline.elastic.accept()
        pipeline.until_all_is_committed()
    assert pipeline.dead_letters.letters == []
    everything_is_accounted_for(pipeline)


def test_a_stop_does_not_wait_for_parked_documents() -> None:
    pipeline = _pipeline()
    pipeline.elastic.block(INDEX)
    with running(pipeline):
        _both(pipeline, 20)
        wait_until(lambda: pipeline.lanes.published, 10, "the index to be parked")
        wait_until(lambda: _indexed(pipeline, OTHER) == 20, 10, "the other topic to flow")
        assert pipeline.stop()
    assert pipeline.broker.committed().get(Partition(OTHER, 0)) == 20
    assert pipeline.broker.committed().get(Partition(TOPIC, 0), 0) == 0
    everything_is_accounted_for(pipeline, through=False)


def _parked(pipeline: Pipeline, count: int) -> None:
    """
    Bring documents of the blocked index to the parked topic.
    """
    pipeline.elastic.block(INDEX)
    pipeline.broker.produce(TOPIC, *values(count), timestamp_ms=1)
    wait_until(lambda: pipeline.fates().get("parked") == count, 10, "all to be parked")


def _command(pipeline: Pipeline, command: Command, index: str = "*") -> None:
    headers = Decision(command, index).headers()
    pipeline.broker.produce(PARKED, None, headers=headers, timestamp_ms=1)


def test_an_operator_drops_parked_documents_of_an_index_that_stays_blocked() -> None:
    pipeline = _pipeline(bytes_max=0)
    with running(pipeline):
        _parked(pipeline, 20)
        _command(pipeline, Command.DROP, "sag-other*")
        _command(pipeline, Command.DROP, "sag-order*")
        pipeline.until_all_is_committed()
        wait_until(lambda: pipeline.fates(PARKED).get("dropped:operator"), 10, "the drop")
    assert pipeline.elastic.documents() == {}
    fates = pipeline.fates(PARKED)
    assert fates["dropped:operator"] == 20
    assert imbalance(pipeline.account()) == {}


def test_an_operator_moves_parked_documents_to_the_dead_letters() -> None:
    pipeline = _pipeline(bytes_max=0)
    with running(pipeline):
        _parked(pipeline, 20)
        _command(pipeline, Command.TO_DLQ)
        pipeline.until_all_is_committed()
    letters = pipeline.dead_letters.letters
    assert sorted(letter.record.offset() or 0 for letter in letters) == list(range(20))
    assert {(letter.index, letter.error_type) for letter in letters} == {
        (INDEX, "cluster_block_exception")
    }
    assert all(letter.record.topic() == TOPIC and letter.id for letter in letters)
    everything_is_accounted_for(pipeline)


def test_an_operator_releases_documents_that_are_tried_though_their_index_is_parked() -> None:
    pipeline = _pipeline(bytes_max=0)
    with running(pipeline):
        _parked(pipeline, 20)
        begun = len(pipeline.elastic.bodies)
        _command(pipeline, Command.RELEASE)
        wait_until(
            lambda: any(operations(b).total() > 1 for b in pipeline.elastic.bodies[begun:]),
            10,
            "the documents to be tried",
        )
        pipeline.elastic.unblock(INDEX)
        pipeline.until_all_is_committed()
    everything_is_accounted_for(pipeline)


def test_a_command_is_about_the_documents_before_it_alone() -> None:
    pipeline = _pipeline(bytes_max=0)
    with running(pipeline):
        _parked(pipeline, 5)
        _command(pipeline, Command.DROP)
        wait_until(lambda: pipeline.fates(PARKED).get("dropped:operator") == 5, 10, "the drop")
        pipeline.broker.produce(TOPIC, *values(5, 100), timestamp_ms=1)
        wait_until(lambda: pipeline.fates().get("parked") == 10, 10, "the next to be parked")
        pipeline.elastic.unblock(INDEX)
        pipeline.until_all_is_committed()
    assert sorted(pipeline.elastic.documents().values()) == sorted(
        stamped(*values(5, 100), time_ms=1)
    )


def test_documents_of_an_index_that_resumes_and_is_refused_in_turns_wait_no_longer_for_it() -> None:
    pipeline = _pipeline(ms_max=300)
    pipeline.elastic.refuse(b'"n":7}', 403, "security_exception", "auto_put is unauthorized")
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *values(10), timestamp_ms=1)

        def has_resumed_and_been_refused_again() -> bool:
            good = len(pipeline.elastic.documents())
            pipeline.elastic.block(INDEX)
            pipeline.broker.produce(TOPIC, *values(1, 100), timestamp_ms=1)
            wait_until(lambda: any(each.blocks for each in pipeline.lanes.published), 10, "a block")
            pipeline.elastic.unblock(INDEX)
            wait_until(lambda: len(pipeline.elastic.documents()) > good, 10, "the good one")
            return pipeline.fates().get("parked", 0) >= 1

        wait_until(has_resumed_and_been_refused_again, 10, "the refused one to be parked for long")
        pipeline.elastic.accept()
        pipeline.until_all_is_committed()
    everything_is_accounted_for(pipeline)
