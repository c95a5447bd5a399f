"""
A thread that waits for a place polls meanwhile, and keeps what it gets.
"""

import pytest

import sink.reading.worker
from tests.flow.pipeline import (
    ORDERS,
    TOPIC,
    Pipeline,
    everything_is_accounted_for,
    running,
    values,
)
from tests.waiting import wait_until


@pytest.fixture
def full() -> Pipeline:
    """Every place is taken by a bulk of one document, and Elasticsearch does not answer yet."""
    pipeline = Pipeline(docs_max=1, places=3)
    pipeline.elastic.hold()
    pipeline.broker.produce(TOPIC, *values(20))
    return pipeline


@pytest.fixture
def a_revocation_is_soon_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink.reading.worker, "_REVOKE_S", 0.02)


@pytest.fixture
def it_polls_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink.reading.worker, "_KEEP_ALIVE_S", 0.01)
    monkeypatch.setattr(sink.reading.worker, "_TICK_S", 0.01)


@pytest.mark.usefixtures("it_polls_at_once")
def test_a_wait_polls_without_a_pause_and_keeps_what_it_gets(full: Pipeline) -> None:
    """
    A pause would throw away what librdkafka has fetched, and have it sent again.
    """
    paused: list[object] = []
    with running(full):
        full.source.pause = paused.append  # type: ignore[assignment]
        wait_until(lambda: full.handoff.outstanding()[0] == 4, 10, "the queue to be full")
        polled = full.source.polls
        wait_until(lambda: full.source.polls > polled + 5, 10, "more polls")
        full.elastic.release()
        full.until_all_is_committed()

    assert paused == []
    assert full.elastic.created == len(full.elastic.bodies), "something was sent twice"
    everything_is_accounted_for(full)


@pytest.mark.usefixtures("it_polls_at_once", "a_revocation_is_soon_over")
@pytest.mark.parametrize("back", [False, True])
def test_what_it_kept_is_let_go_when_the_partition_is_given_away(
    full: Pipeline, *, back: bool
) -> None:
    with running(full):
        source = full.source
        wait_until(lambda: full.handoff.outstanding()[0] == 4, 10, "the queue to be full")
        polled = source.polls
        wait_until(lambda: source.polls > polled + 5, 10, "records to be kept")
        source.revoke(ORDERS)
        wait_until(lambda: source.assignment() == [], 10, "the revocation")
        if back:
            source.assign(ORDERS)
            wait_until(lambda: source.assignment() == [ORDERS], 10, "the assignment")
        full.elastic.release()
        if not back:
            wait_until(lambda: full.handoff.outstanding() == (0, 0), 10, "all to be settled")
            assert full.broker.committed() == {}
            source.assign(ORDERS)
        full.until_all_is_committed()

    assert len(full.broker.sources) == 1
    everything_is_accounted_for(full)


@pytest.mark.usefixtures("it_polls_at_once")
def test_the_end_of_a_log_polled_while_it_waits_passes_nothing_that_it_still_has(
    full: Pipeline,
) -> None:
    """
    The end lies behind records that were polled and not handed over yet.
    """
    full.broker.skip(ORDERS, 1)
    end = full.broker.ends()[ORDERS]
    with running(full):
        wait_until(lambda: full.handoff.outstanding()[0] == 4, 10, "the queue to be full")
        polled = full.source.polls
        wait_until(lambda: full.source.polls > polled + 30, 10, "the end to be polled")
        full.elastic.release(1)
        wait_until(lambda: full.broker.committed() == {ORDERS: 1}, 10, "the first commit")

        full.elastic.release()
        wait_until(lambda: full.broker.committed() == {ORDERS: end}, 10, "the log's end")

    everything_is_accounted_for(full)


@pytest.mark.usefixtures("it_polls_at_once")
def test_what_was_kept_one_by_one_is_sent_together() -> None:
    """
    Bulks of one document each would make it wait for each of them, and keep the next ones so.
    """
    pipeline = Pipeline(docs_max=10, places=1, in_flight=1)
    pipeline.elastic.hold()
    pipeline.broker.produce(TOPIC, *values(200))
    with running(pipeline):
        wait_until(lambda: pipeline.handoff.outstanding()[0] == 2, 10, "the queue to be full")
        polled = pipeline.source.polls
        wait_until(lambda: pipeline.source.polls > polled + 20, 10, "records to be kept")
        pipeline.elastic.release()
        pipeline.until_all_is_committed()

    assert len(pipeline.elastic.bodies) < 40
    everything_is_accounted_for(pipeline)
