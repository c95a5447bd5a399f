"""
A full pipeline: the thread that wants to hand a bulk over sees it through itself.
"""

import pytest

import sink.reading.intake
import sink.reading.worker
from sink.core.bulk import Bulk
from sink.core.record import Partition
from sink.reading.intake import Polled
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

OTHER = Partition("ekk-bill", 0)


@pytest.fixture
def full() -> Pipeline:
    """Every place is taken by a bulk of one document, and Elasticsearch does not answer yet."""
    pipeline = Pipeline(docs_max=1, places=3)
    pipeline.elastic.hold()
    pipeline.broker.produce(TOPIC, *values(20))
    return pipeline


def _until_it_holds(pipeline: Pipeline) -> None:
    wait_until(lambda: pipeline.elastic.held() == 4, 10, "the fourth bulk to be sent")


def test_a_full_queue_stops_the_reading_and_everything_arrives(full: Pipeline) -> None:
    with running(full):
        _until_it_holds(full)
        polled = full.source.polls

        full.elastic.release(1)
        wait_until(lambda: full.elastic.held() < 4, 10, "the first answer")
        assert full.source.polls == polled, "it polled although its own bulk was not through"

        full.elastic.release()
        full.until_all_is_committed()

    everything_is_accounted_for(full)


def test_an_idle_thread_waits_for_a_record_and_one_that_awaits_answers_does_not(
    full: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It would turn round and round otherwise, or leave its settlements waiting.
    """
    monkeypatch.setattr(sink.reading.intake, "_IDLE_S", 0.02)
    idle: list[int] = []  # bulks outstanding at each wait for a record
    with running(full):
        poll = full.source.poll

        def watched(records_max: int, timeout_s: float) -> Polled:
            if timeout_s == 0.02:
                idle.append(full.handoff.outstanding()[0])
            return poll(records_max, timeout_s)

        full.source.poll = watched  # type: ignore[method-assign]
        _until_it_holds(full)
        idle.clear()
        full.elastic.release()
        full.until_all_is_committed()
        wait_until(lambda: len(idle) > 3, 10, "it to be idle")

    assert set(idle) == {0}
    everything_is_accounted_for(full)


def test_never_more_is_outstanding_than_the_places_and_one_bulk_a_thread() -> None:
    pipeline = Pipeline(docs_max=1, places=3, threads=2)
    pipeline.elastic.latency_s = 0.001
    seen = _watch_outstanding(pipeline)
    pipeline.broker.assigns = False
    for number in range(2):
        pipeline.broker.produce(TOPIC, *values(60), partition=number)

    with running(pipeline):
        wait_until(lambda: len(pipeline.broker.sources) == 2, 10, "both consumers")
        for number, source in enumerate(pipeline.broker.sources):
            source.assign(Partition(TOPIC, number))
        pipeline.until_all_is_committed()

    assert max(seen) in (4, 5)
    everything_is_accounted_for(pipeline)


def _watch_outstanding(pipeline: Pipeline) -> list[int]:
    """Note how many bulks are outstanding after each that is handed over beyond the places."""
    seen: list[int] = []
    submit = pipeline.handoff.submit

    def watched(bulk: Bulk) -> None:
        submit(bulk)
        seen.append(pipeline.handoff.outstanding()[0])

    pipeline.handoff.submit = watched  # type: ignore[method-assign]
    return seen


def test_a_short_wait_does_not_pause(full: Pipeline) -> None:
    """
    Pausing throws away what librdkafka has fetched ahead.
    """
    with running(full):
        _until_it_holds(full)
        polled = full.source.polls
        full.elastic.release(2)
        wait_until(lambda: full.broker.committed() == {ORDERS: 2}, 10, "the commit while it holds")

        assert full.source.paused == set()
        assert full.source.polls == polled

        full.elastic.release()
        full.until_all_is_committed()

    everything_is_accounted_for(full)


@pytest.fixture
def a_wait_is_soon_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink.reading.worker, "_PAUSE_AFTER_S", 0.02)
    monkeypatch.setattr(sink.reading.worker, "_TICK_S", 0.01)


@pytest.fixture
def a_revocation_is_soon_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink.reading.worker, "_REVOKE_S", 0.02)


@pytest.mark.usefixtures("a_wait_is_soon_long")
def test_a_long_wait_pauses_and_keeps_polling_until_it_is_over(full: Pipeline) -> None:
    """
    A member that does not poll is evicted after max.poll.interval.ms, and its work done twice.
    """
    with running(full):
        wait_until(lambda: full.source.paused == {ORDERS}, 10, "the pause")
        polled = full.source.polls
        wait_until(lambda: full.source.polls > polled + 5, 10, "more polls")
        assert full.handoff.outstanding()[0] == 4
        assert full.consumed() <= 5

        full.elastic.release()
        full.until_all_is_committed()
        assert full.source.paused == set()

    everything_is_accounted_for(full)


@pytest.mark.usefixtures("a_wait_is_soon_long")
def test_partitions_that_arrive_while_it_holds_are_paused_and_read_afterwards(
    full: Pipeline,
) -> None:
    with running(full):
        wait_until(lambda: full.source.paused == {ORDERS}, 10, "the pause")
        full.broker.produce("ekk-bill", *values(10))
        full.source.assign(OTHER)
        wait_until(lambda: full.source.paused == {ORDERS, OTHER}, 10, "the new one to be paused")
        polled = full.source.polls
        wait_until(lambda: full.source.polls > polled + 5, 10, "more polls")
        assert full.handoff.outstanding()[0] == 4

        full.elastic.release()
        full.until_all_is_committed()

    everything_is_accounted_for(full)


@pytest.mark.usefixtures("a_wait_is_soon_long")
def test_what_expires_while_it_holds_is_counted_from_behind_what_it_has(full: Pipeline) -> None:
    """
    What was polled before is still to be handed over, and is not lost with the rest.
    """
    with running(full):
        wait_until(lambda: full.source.paused == {ORDERS}, 10, "the pause")
        with full.broker.changed:  # the error was on its way before the pause
            full.broker.expire(ORDERS, 10)
            full.source.paused.clear()
        polled = full.source.polls
        wait_until(lambda: full.source.polls > polled + 2, 10, "the error to be polled")

        full.elastic.release()
        full.until_all_is_committed()

    assert full.fates()["expired"] == 6
    everything_is_accounted_for(full)


@pytest.mark.usefixtures("a_wait_is_soon_long")
def test_a_partition_given_away_while_it_holds_is_not_missed(full: Pipeline) -> None:
    with running(full):
        wait_until(lambda: full.source.paused == {ORDERS}, 10, "the pause")
        full.source.lose(ORDERS)
        wait_until(lambda: full.source.assignment() == [], 10, "the loss")

        full.elastic.release()
        wait_until(lambda: full.handoff.outstanding() == (0, 0), 10, "all to be settled")
        assert passed(full.broker) == {}
        full.source.assign(ORDERS)
        full.until_all_is_committed()

    everything_is_accounted_for(full)


@pytest.mark.usefixtures("a_wait_is_soon_long")
def test_a_record_polled_before_the_pause_took_hold_is_read_later(full: Pipeline) -> None:
    """
    librdkafka may hand one over that it had ready; taken for read, it would be gone.
    """
    with running(full):
        wait_until(lambda: full.source.paused == {ORDERS}, 10, "the pause")
        full.source.paused.clear()
        polled = full.source.polls
        wait_until(lambda: full.source.polls > polled + 5, 10, "polls that give a record each")

        full.elastic.release()
        full.until_all_is_committed()

    everything_is_accounted_for(full)


@pytest.mark.usefixtures("a_wait_is_soon_long", "a_revocation_is_soon_over")
def test_a_record_polled_while_it_holds_and_given_away_in_that_poll_is_let_go(
    full: Pipeline,
) -> None:
    with running(full):
        wait_until(lambda: full.source.paused == {ORDERS}, 10, "the pause")
        source = full.source
        source.paused.clear()
        source.revoke(ORDERS, after_records=True)
        wait_until(lambda: source.assignment() == [], 10, "the revocation")
        polled = source.polls
        wait_until(lambda: source.polls > polled + 5 or source.closed, 10, "more polls")
        assert not source.closed, "the consumer broke"

        full.elastic.release()
        source.assign(ORDERS)
        full.until_all_is_committed()

    everything_is_accounted_for(full)


def test_a_poll_of_very_many_bulks_overfills_no_queue() -> None:
    """
    One record may be an array of thousands. Each bulk is settled while the thread still hands over
    the next: settlements nobody takes would find no room in the end, and that ends the writer.
    """
    pipeline = Pipeline(docs_max=1, places=2)
    offer = pipeline.handoff.offer

    def settled_at_once(bulk: Bulk) -> bool:
        taken = offer(bulk)
        wait_until(lambda: pipeline.handoff.outstanding() == (0, 0), 10, "the settlement")
        return taken

    pipeline.handoff.offer = settled_at_once  # type: ignore[method-assign]
    pipeline.broker.produce(TOPIC, b"[" + b",".join(values(50)) + b"]")

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert len(pipeline.elastic.documents()) == 50
    everything_is_accounted_for(pipeline)


@pytest.mark.usefixtures("a_wait_is_soon_long", "a_revocation_is_soon_over")
def test_consumers_that_break_while_it_holds_do_not_pile_up_bulks(full: Pipeline) -> None:
    """
    Each new one would hand over one bulk more beyond the places, and in the end a settled one would
    find no room in the queue of settlements: that ends the writer, and with it everything.
    """
    seen = _watch_outstanding(full)
    waits = waits_for_settlements(full)
    with running(full):
        for _ in range(3):
            _until_it_holds(full)
            full.source.fail(RuntimeError("consumer broke"))
            wait_until(lambda: full.broker.sources[0].closed, 10, "the consumer to be closed")
            waited = len(waits)
            wait_until(lambda: len(waits) > waited + 20, 10, "it to go on")  # noqa: B023

        full.elastic.release()
        full.until_all_is_committed()

    assert max(seen) == 4
    everything_is_accounted_for(full)
