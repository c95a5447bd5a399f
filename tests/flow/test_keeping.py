"""
A thread that waits for a place polls meanwhile, and keeps what it gets.
"""

import time
from types import SimpleNamespace

import pytest

import sink.reading.worker
from sink.core.record import Partition
from sink.reading.intake import Intake
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

BILLS = Partition("ekk-bill", 0)


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
        full.source.pause = paused.extend  # type: ignore[assignment]
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
            assert passed(full.broker) == {}
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


@pytest.mark.usefixtures("it_polls_at_once", "a_revocation_is_soon_over")
def test_a_partition_given_away_in_the_midst_of_a_poll_takes_no_other_with_it() -> None:
    """
    The others' records would be read, never sent, and passed by the next commit.
    """
    pipeline = Pipeline(docs_max=4, places=1)
    pipeline.elastic.hold()
    array = b"[" + b",".join(values(4)) + b"]"
    pipeline.broker.produce(TOPIC, array, array, array)
    pipeline.broker.produce(BILLS.topic, *values(1))
    with running(pipeline):
        source = pipeline.source
        wait_until(lambda: pipeline.elastic.held() == 2, 10, "it to wait for the second bulk")
        assert source._positions == {ORDERS: 3, BILLS: 1}, "all of it is in its hand"
        source.revoke(ORDERS)
        wait_until(lambda: source.assignment() == [BILLS], 10, "the revocation")
        pipeline.elastic.release()
        wait_until(lambda: pipeline.fates(BILLS.topic).get("indexed") == 1, 10, "the other's")
        source.assign(ORDERS)
        pipeline.until_all_is_committed()

    assert len(pipeline.broker.sources) == 1
    everything_is_accounted_for(pipeline)


def test_the_next_poll_is_sized_by_all_that_the_last_one_gave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    It may give many bulks. Sized by one of them, polls would outgrow the memory.
    """
    took: list[tuple[int, int]] = []
    monkeypatch.setattr(Intake, "took", lambda _, records, size: took.append((len(records), size)))
    pipeline = Pipeline(docs_max=2)
    array = b"[" + b",".join(values(5)) + b"]"
    pipeline.broker.produce(TOPIC, array, array)
    with running(pipeline):
        pipeline.until_all_is_committed()

    assert took == [(2, sum(map(len, pipeline.elastic.bodies)))]
    everything_is_accounted_for(pipeline)


def test_while_it_waits_it_polls_one_record_a_second_and_pauses_after_thirty(
    full: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Polled at every look at the settlements it would soon hold all that it is to hold.
    """
    clock = Clock()
    monkeypatch.setattr(sink.reading.worker, "time", SimpleNamespace(monotonic=clock))
    monkeypatch.setattr(sink.reading.worker, "_TICK_S", 0.005)
    waits = waits_for_settlements(full)

    def polls_at(now_s: float) -> int:
        clock.now_s, waited, polled = now_s, len(waits), full.source.polls
        wait_until(lambda: len(waits) > waited + 10, 10, "it to wait on")
        return full.source.polls - polled

    with running(full):
        wait_until(lambda: full.handoff.outstanding()[0] == 4, 10, "the queue to be full")
        assert [polls_at(now_s) for now_s in (0.0, 0.9, 1.1, 1.9, 2.2, 29.9)] == [0, 0, 1, 0, 1, 1]
        assert full.source.paused == set()
        polls_at(30.1)
        assert full.source.paused == {ORDERS}

        clock.now_s = None
        full.elastic.release()
        full.until_all_is_committed()

    everything_is_accounted_for(full)


class Clock:
    """
    A clock that stands at a time, and goes where that is None.
    """

    def __init__(self) -> None:
        self.now_s: float | None = 0.0

    def __call__(self) -> float:
        return 100.0 + time.monotonic() if self.now_s is None else self.now_s


@pytest.mark.usefixtures("it_polls_at_once")
def test_it_pauses_once_it_has_kept_much(full: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink.reading.worker, "_PAUSE_AFTER_S", 3600.0)
    monkeypatch.setattr(sink.reading.worker, "_KEPT_BYTES_MAX", 3 * len(values(1)[0]))
    with running(full):
        wait_until(lambda: full.source.paused == {ORDERS}, 10, "the pause")

        full.elastic.release()
        full.until_all_is_committed()

    assert full.source.paused == set()
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
