"""
Partitions come and go while their work is in flight.
"""

import threading

import pytest

import sink.reading.worker
from sink.core.record import Partition
from sink.reading.worker import Worker
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

OTHER = Partition(TOPIC, 1)


@pytest.fixture
def a_revocation_is_soon_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink.reading.worker, "_REVOKE_S", 0.02)


@pytest.fixture
def a_wait_is_soon_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink.reading.worker, "_PAUSE_AFTER_S", 0.02)
    monkeypatch.setattr(sink.reading.worker, "_TICK_S", 0.01)


@pytest.fixture
def holding() -> Pipeline:
    """Elasticsearch keeps every bulk, of one document each, waiting for its answer."""
    pipeline = Pipeline(docs_max=1)
    pipeline.elastic.hold()
    pipeline.broker.produce(TOPIC, *values(3))
    return pipeline


def _until_held(pipeline: Pipeline, bulks: int) -> None:
    wait_until(lambda: pipeline.elastic.held() == bulks, 10, f"{bulks} bulks to be sent")


def test_a_revocation_waits_for_work_in_flight_and_commits_it(holding: Pipeline) -> None:
    """
    Then the next owner reads nothing twice.
    """
    with running(holding):
        _until_held(holding, 3)
        begun = _watch_revocation(holding.workers[0])
        holding.source.revoke(ORDERS)
        assert begun.wait(10)
        holding.elastic.release()
        wait_until(lambda: holding.source.assignment() == [], 10, "the revocation")
        assert holding.broker.committed() == {ORDERS: 3}

    everything_is_accounted_for(holding)


def _watch_revocation(worker: Worker) -> threading.Event:
    begun = threading.Event()
    on_revoke = worker._owned.on_revoke

    def watched(partitions: list[Partition]) -> None:
        begun.set()
        on_revoke(partitions)

    worker._owned.on_revoke = watched  # type: ignore[method-assign]
    return begun


@pytest.mark.usefixtures("a_revocation_is_soon_over")
def test_a_revocation_waits_only_so_long_and_commits_no_more_than_is_done(
    holding: Pipeline,
) -> None:
    with running(holding):
        _until_held(holding, 3)
        holding.elastic.release(1)
        holding.source.revoke(ORDERS)
        wait_until(lambda: holding.source.assignment() == [], 10, "the revocation")
        assert holding.broker.committed() in ({}, {ORDERS: 1})
        everything_is_accounted_for(holding, through=False)

        holding.elastic.release()
        holding.source.assign(ORDERS)
        holding.until_all_is_committed()

    everything_is_accounted_for(holding)


@pytest.mark.usefixtures("a_revocation_is_soon_over")
def test_what_was_in_flight_before_a_rebalance_commits_nothing_after_it(holding: Pipeline) -> None:
    """
    The partition came back and is read again: the old answers do not tell of the new work.
    """
    with running(holding):
        _until_held(holding, 3)
        holding.source.revoke(ORDERS)
        holding.source.assign(ORDERS)
        wait_until(lambda: holding.consumed() == 6, 10, "the records to be read again")

        holding.elastic.release(3)
        wait_until(lambda: holding.handoff.outstanding()[0] == 3, 10, "the old to be settled")
        wait_until(lambda: sum(holding.in_flight().values()) == 3, 10, "the ledger to know")
        assert len(holding.elastic.documents()) == 3
        assert passed(holding.broker) == {}

        holding.elastic.release()
        holding.until_all_is_committed()

    assert holding.fates() == {"consumed": 6, "indexed": 3, "duplicate": 3}
    everything_is_accounted_for(holding)


def test_a_lost_partition_is_never_committed(holding: Pipeline) -> None:
    """
    Another member owns it already, and may be behind what this one has done.
    """
    with running(holding):
        _until_held(holding, 3)
        holding.source.lose(ORDERS)
        wait_until(lambda: holding.source.assignment() == [], 10, "the loss")
        holding.elastic.release()
        wait_until(lambda: holding.handoff.outstanding() == (0, 0), 10, "all to be settled")

    assert passed(holding.broker) == {}
    everything_is_accounted_for(holding)


def test_what_was_done_but_not_committed_is_not_committed_after_the_loss_either() -> None:
    pipeline = Pipeline(kafka={"commit_interval_ms": 600_000})
    pipeline.broker.create_topic(TOPIC)
    with running(pipeline):
        wait_until(lambda: pipeline.source.polls > 1, 10, "the first turn")
        pipeline.broker.produce(TOPIC, *values(3))
        wait_until(lambda: len(pipeline.elastic.documents()) == 3, 10, "the documents")
        polled = pipeline.source.polls
        wait_until(lambda: pipeline.source.polls > polled + 2, 10, "the turn that settles")
        pipeline.source.lose(ORDERS)
        wait_until(lambda: pipeline.source.assignment() == [], 10, "the loss")

    assert pipeline.broker.commits == []
    everything_is_accounted_for(pipeline)


def test_only_what_is_taken_away_is_given_up() -> None:
    pipeline = Pipeline(docs_max=1)
    pipeline.broker.create_topic(TOPIC, 2)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *values(5))
        pipeline.broker.produce(TOPIC, *values(5), partition=1)
        pipeline.until_all_is_committed()
        pipeline.source.revoke(ORDERS)
        wait_until(lambda: pipeline.source.assignment() == [OTHER], 10, "the revocation")

        pipeline.broker.produce(TOPIC, *values(5), partition=1)
        wait_until(lambda: pipeline.broker.committed()[OTHER] == 10, 10, "the rest to go on")

    everything_is_accounted_for(pipeline)


def test_records_polled_before_a_revocation_in_the_same_poll_are_not_sent() -> None:
    """
    Their owner is another by the time they would arrive; their offset could not be committed.
    """
    pipeline = Pipeline()
    pipeline.broker.create_topic(TOPIC)
    with running(pipeline):
        wait_until(lambda: pipeline.source.assignment() == [ORDERS], 10, "the assignment")
        with pipeline.broker.changed:  # both in one poll
            pipeline.broker.produce(TOPIC, *values(5))
            pipeline.source.revoke(ORDERS, after_records=True)
        wait_until(lambda: pipeline.source.assignment() == [], 10, "the revocation")
        polled = pipeline.source.polls
        wait_until(lambda: pipeline.source.polls > polled + 2, 10, "two more turns")
        assert pipeline.elastic.bodies == []
        assert pipeline.consumed() == 0

        pipeline.source.assign(ORDERS)
        pipeline.until_all_is_committed()

    assert pipeline.fates() == {"consumed": 5, "indexed": 5}
    everything_is_accounted_for(pipeline)


@pytest.mark.usefixtures("a_revocation_is_soon_over")
def test_a_partition_given_away_and_back_within_one_poll_is_read_from_what_is_committed() -> None:
    """
    The records of that poll are from before: committed by themselves they would pass what was in
    flight then, which no longer counts.
    """
    pipeline = Pipeline(docs_max=1, places=1)
    pipeline.elastic.refuse(b'"n":0}', 503, "unavailable_shards_exception")
    pipeline.broker.produce(TOPIC, *values(3))
    with running(pipeline):
        wait_until(lambda: len(pipeline.elastic.documents()) == 2, 10, "the others")
        first = pipeline.source
        with pipeline.broker.changed:  # all in one poll
            pipeline.broker.produce(TOPIC, *values(1, 3))
            first.revoke(ORDERS, after_records=True)
            first.assign(ORDERS, after_records=True)
        wait_until(lambda: pipeline.consumed() > 3, 10, "it to be read")
        everything_is_accounted_for(pipeline, through=False)
        assert passed(pipeline.broker) == {}

        pipeline.elastic.accept()
        pipeline.until_all_is_committed()

    everything_is_accounted_for(pipeline)


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.usefixtures("a_revocation_is_soon_over", "a_wait_is_soon_long")
def test_what_is_left_of_a_poll_is_let_go_when_its_partition_is_given_away_meanwhile(
    *, back: bool
) -> None:
    """
    A poll of arrays is handed over piece by piece, and a rebalance may come in between.
    """
    pipeline = Pipeline(docs_max=3, places=1)
    pipeline.elastic.hold()
    pipeline.broker.produce(TOPIC, *[b'[{"n":0},{"n":1},{"n":2}]'] * 3)
    with running(pipeline):
        wait_until(lambda: pipeline.source.paused == {ORDERS}, 10, "the second piece to wait")
        assert pipeline.elastic.held() == 2
        pipeline.source.revoke(ORDERS)
        if back:
            pipeline.source.assign(ORDERS)
        else:
            wait_until(lambda: pipeline.source.assignment() == [], 10, "the revocation")
        polled = pipeline.source.polls
        wait_until(lambda: pipeline.source.polls > polled + 2, 10, "further polls")
        assert passed(pipeline.broker) == {}

        pipeline.elastic.release()
        if not back:
            wait_until(lambda: pipeline.handoff.outstanding() == (0, 0), 10, "the two pieces")
            assert len(pipeline.elastic.bodies) == 2
            pipeline.source.assign(ORDERS)
        pipeline.until_all_is_committed()

    assert len(pipeline.broker.sources) == 1, "the consumer broke"
    everything_is_accounted_for(pipeline)


def test_two_workers_pass_a_partition_between_them_and_nothing_is_done_twice_or_left() -> None:
    pipeline = Pipeline(threads=2, docs_max=3)
    pipeline.broker.assigns = False
    pipeline.broker.create_topic(TOPIC)
    with running(pipeline):
        wait_until(lambda: len(pipeline.broker.sources) == 2, 10, "both consumers")
        one, two = pipeline.broker.sources
        for turn in range(6):
            owner, other = (one, two) if turn % 2 else (two, one)
            owner.assign(ORDERS)
            wait_until(lambda: owner.assignment() == [ORDERS], 10, "the assignment")  # noqa: B023
            pipeline.broker.produce(TOPIC, *values(20, turn * 20))
            owner.revoke(ORDERS)
            wait_until(lambda: owner.assignment() == [], 10, "the revocation")  # noqa: B023
        other.assign(ORDERS)
        pipeline.until_all_is_committed()

    assert pipeline.elastic.created == 120
    everything_is_accounted_for(pipeline)


def test_a_topic_whose_id_is_not_told_at_once_is_read_all_the_same() -> None:
    """
    Without its id no document id can be made. Taken for assigned and left at that, the partition
    would stand still for ever, and nobody would know.
    """
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    pipeline.broker.refuse_topic_ids(2)

    with running(pipeline):
        pipeline.until_all_is_committed()
        assert pipeline.readiness.reasons() == {}

    everything_is_accounted_for(pipeline)


def test_a_partition_that_comes_without_its_topics_id_does_not_stop_the_others() -> None:
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    with running(pipeline):
        pipeline.until_all_is_committed()
        pipeline.broker.produce("ekk-bill", *values(5))
        pipeline.broker.refuse_topic_ids(1)
        pipeline.source.assign(Partition("ekk-bill", 0))
        pipeline.broker.produce(TOPIC, *values(5))
        pipeline.until_all_is_committed()

    everything_is_accounted_for(pipeline)
