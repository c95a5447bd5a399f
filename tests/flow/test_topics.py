"""
Topics that are deleted, created again and grown while they are read, or between two runs.
"""

import pytest

import sink.reading.identities
from sink.core.ledger import imbalance
from sink.core.record import Partition
from sink.testing import topic_id
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

BILLS = Partition("ekk-bill", 0)


@pytest.fixture(autouse=True)
def ids_are_compared_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink.reading.identities, "_EVERY_S", 0.01)


@pytest.fixture
def ids_are_never_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink.reading.identities.Identities, "ask", lambda *_: None)


def _create_again(pipeline: Pipeline, records: int) -> None:
    """At once, so that no poll finds the topic missing or short."""
    with pipeline.broker.changed:
        pipeline.broker.delete_topic(TOPIC)
        pipeline.broker.create_topic(TOPIC)
        pipeline.broker.produce(TOPIC, *values(records, 100))


def _under_new_id(pipeline: Pipeline) -> set[int]:
    """The offsets of the new topic's records that are indexed under its id."""
    prefix = topic_id(TOPIC, 1) + "-0-0-"
    ids = pipeline.elastic.documents()
    return {int(id_.removeprefix(prefix)) for id_ in ids if id_.startswith(prefix)}


def _until_the_new_topic_is_committed(pipeline: Pipeline) -> None:
    def committed() -> bool:
        return pipeline.broker.committed_under(ORDERS) == topic_id(TOPIC, 1)

    wait_until(committed, 10, "a commit for the new topic")
    pipeline.until_all_is_committed()


def test_a_topic_created_again_with_a_longer_log_is_read_from_its_beginning() -> None:
    """
    No error tells of it: the old offset lies within the new log.
    """
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    with running(pipeline):
        pipeline.until_all_is_committed()
        _create_again(pipeline, 20)
        _until_the_new_topic_is_committed(pipeline)
        assert _under_new_id(pipeline) == set(range(20))

    assert len(pipeline.broker.sources) == 1
    assert pipeline.broker.violations == []
    assert imbalance(pipeline.account()) == {}


def test_work_of_the_old_topic_commits_nothing_of_the_new_one() -> None:
    pipeline = Pipeline(docs_max=1, queue_slots=4)
    pipeline.elastic.hold()
    pipeline.broker.produce(TOPIC, *values(3))
    with running(pipeline):
        wait_until(lambda: pipeline.elastic.held() == 3, 10, "the old records to be sent")
        pipeline.elastic.hold()
        _create_again(pipeline, 6)
        wait_until(lambda: pipeline.consumed() >= 3 + 6, 10, "the new topic to be read")
        pipeline.elastic.release(3)
        wait_until(lambda: pipeline.fates().get("indexed") == 3, 10, "the old to be settled")
        assert passed(pipeline.broker) == {}

        pipeline.elastic.release()
        pipeline.until_all_is_committed()

    assert _under_new_id(pipeline) == set(range(6))


@pytest.mark.usefixtures("ids_are_never_compared")
def test_an_offset_committed_for_a_topic_that_is_no_more_is_not_taken_for_the_new_one() -> None:
    """
    Before anybody noticed, the new log was read on at the old offset, and that was committed.
    """
    before = Pipeline()
    before.broker.produce(TOPIC, *values(5))
    with running(before):
        before.until_all_is_committed()
        _create_again(before, 20)
        before.until_all_is_committed()
    assert _under_new_id(before) == set()

    pipeline = Pipeline(before=before)
    with running(pipeline):
        wait_until(lambda: len(_under_new_id(pipeline)) == 20, 10, "all records of the new topic")
        pipeline.until_all_is_committed()

    again = Pipeline(before=pipeline)
    with running(again):
        again.broker.produce(TOPIC, *values(1))
        again.until_all_is_committed()
    assert again.consumed() == 1, "the new topic's own offset is not trusted"


def test_an_offset_that_another_tool_committed_is_taken_as_it_is() -> None:
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    pipeline.broker.commit({ORDERS: 3})

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.fates() == {"consumed": 2, "indexed": 2}


def test_a_deleted_topic_does_not_hold_up_the_others() -> None:
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    pipeline.broker.produce(BILLS.topic, *values(5))
    with running(pipeline):
        pipeline.until_all_is_committed()
        pipeline.broker.delete_topic(TOPIC)
        pipeline.broker.produce(BILLS.topic, *values(5))
        wait_until(lambda: pipeline.broker.committed() == {BILLS: 10}, 10, "the other topic")
        pipeline.source.revoke(ORDERS)
        wait_until(lambda: ORDERS not in pipeline.source.assignment(), 10, "the revocation")
        assert pipeline.readiness.reasons() == {}

    assert len(pipeline.broker.sources) == 1
    everything_is_accounted_for(pipeline)


def test_a_topic_that_vanishes_before_its_id_is_known_does_not_hold_up_the_others() -> None:
    pipeline = Pipeline()
    pipeline.broker.assigns = False
    pipeline.broker.produce(TOPIC, *values(5))
    with running(pipeline):
        pipeline.source.assign(Partition("ekk-gone", 0), ORDERS)
        pipeline.until_all_is_committed()
        assert "ekk-gone" in str(pipeline.readiness.reasons())
        pipeline.source.revoke(Partition("ekk-gone", 0))
        wait_until(lambda: not pipeline.readiness.reasons(), 10, "it to be ready")

    assert len(pipeline.broker.sources) == 1
    everything_is_accounted_for(pipeline)


def test_brokers_that_do_not_tell_a_topics_id_after_an_expiry_are_asked_again() -> None:
    """
    A new consumer instead would wait for the old one's session to end.
    """
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    with running(pipeline):
        pipeline.until_all_is_committed()
        with pipeline.broker.changed:
            pipeline.broker.refuse_topic_ids(3)
            pipeline.broker.produce(TOPIC, *values(10, 5))
            pipeline.broker.expire(ORDERS, 9)
        pipeline.until_all_is_committed()
        assert pipeline.readiness.reasons() == {}

    assert len(pipeline.broker.sources) == 1
    assert pipeline.fates() == {"consumed": 15, "expired": 4, "indexed": 11}
    everything_is_accounted_for(pipeline)


def test_a_broker_that_lags_behind_does_not_bring_a_former_id_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    with running(pipeline):
        pipeline.until_all_is_committed()
        _create_again(pipeline, 20)
        _until_the_new_topic_is_committed(pipeline)
        consumed, asked = pipeline.consumed(), []

        def lagging(topics: set[str]) -> dict[str, str]:
            asked.append(topics)
            return dict.fromkeys(topics, topic_id(TOPIC))

        monkeypatch.setattr(pipeline.workers[0]._owned._targets, "_topic_ids", lagging)
        wait_until(lambda: len(asked) > 3, 10, "the stale answers")
        assert pipeline.consumed() == consumed
