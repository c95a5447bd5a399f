"""
Documents are set aside while their partitions, their consumer or the sink itself come to an end.
"""

import threading
from collections.abc import Iterable, Sequence

import pytest

import sink.reading.worker
from sink.core.body import Body
from sink.core.dead_letter import DeadLetter
from sink.core.outcome import Reply
from sink.core.record import Partition
from tests.flow.parking import (
    JANUARY,
    OTHER,
    all_is_well,
    parking,
    until_aside,
)
from tests.flow.pipeline import (
    ORDERS,
    TOPIC,
    Pipeline,
    everything_is_accounted_for,
    passed,
    running,
    values,
)
from tests.making import stamped
from tests.waiting import wait_until


@pytest.fixture
def a_revocation_is_soon_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink.reading.worker, "_REVOKE_S", 0.02)


@pytest.mark.usefixtures("a_revocation_is_soon_over")
def test_documents_set_aside_are_the_next_owners_when_their_partition_is_revoked() -> None:
    pipeline = parking(threads=2)
    pipeline.elastic.block(JANUARY)
    pipeline.broker.assigns = False
    with running(pipeline):
        wait_until(lambda: len(pipeline.broker.sources) == 2, 10, "both consumers")
        one, two = pipeline.broker.sources
        one.assign(ORDERS)
        pipeline.broker.produce(TOPIC, *values(30), timestamp_ms=1)
        wait_until(lambda: pipeline.consumed() == 30, 10, "all to be read")
        until_aside(pipeline)
        one.revoke(ORDERS)
        wait_until(lambda: one.assignment() == [], 10, "the revocation")
        two.assign(ORDERS)
        wait_until(lambda: pipeline.consumed() == 60, 10, "all to be read again")
        until_aside(pipeline)
        assert passed(pipeline.broker) == {}
        pipeline.elastic.unblock(JANUARY)
        pipeline.until_all_is_committed()
        wait_until(lambda: pipeline.handoff.aside() == (0, 0), 10, "all to come to its end")

    assert pipeline.elastic.created == 30
    all_is_well(pipeline, 2)


@pytest.mark.usefixtures("a_revocation_is_soon_over")
@pytest.mark.parametrize("back", [False, True])
def test_of_a_lost_partition_nothing_that_was_set_aside_is_committed(*, back: bool) -> None:
    pipeline = parking()
    pipeline.elastic.block(JANUARY)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *values(30), timestamp_ms=1)
        wait_until(lambda: pipeline.consumed() == 30, 10, "all to be read")
        until_aside(pipeline)
        pipeline.source.lose(ORDERS)
        wait_until(lambda: ORDERS not in pipeline.source.assignment(), 10, "the loss")
        if back:
            pipeline.elastic.hold()
            pipeline.source.assign(ORDERS)
            wait_until(lambda: pipeline.consumed() == 60, 10, "all to be read again")
            pipeline.elastic.release()
        pipeline.elastic.unblock(JANUARY)
        wait_until(lambda: pipeline.handoff.aside() == (0, 0), 10, "all to come to its end")
        assert len(pipeline.elastic.documents()) == 30
        if back:
            pipeline.until_all_is_committed()
        else:
            assert ORDERS not in passed(pipeline.broker)
    assert pipeline.broker.violations == []
    everything_is_accounted_for(pipeline, through=back)


def test_a_consumer_that_is_built_anew_reads_again_what_was_set_aside() -> None:
    pipeline = parking()
    pipeline.elastic.block(JANUARY)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *values(30), timestamp_ms=1)
        wait_until(lambda: pipeline.consumed() == 30, 10, "all to be read")
        until_aside(pipeline)
        pipeline.source.fail(RuntimeError("the consumer broke"))
        wait_until(lambda: pipeline.consumed() == 60, 10, "all to be read again")
        assert passed(pipeline.broker) == {}
        pipeline.elastic.unblock(JANUARY)
        pipeline.until_all_is_committed()
        wait_until(lambda: pipeline.handoff.aside() == (0, 0), 10, "all to come to its end")

    assert pipeline.elastic.created == 30
    all_is_well(pipeline, 2)


class _Gate:
    """
    The parked topic takes letters, one by one, as a test lets it.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()
        self._write = pipeline.parked.write
        pipeline.parked.write = self.write  # type: ignore[method-assign]

    def write(self, letters: Sequence[DeadLetter]) -> None:
        self._write(letters[:1])
        self.entered.set()
        assert self.opened.wait(20)
        self._write(letters[1:])


def test_a_stop_in_the_midst_of_parking_loses_nothing() -> None:
    first = parking(ms_max=1)
    first.elastic.block(JANUARY)
    gate = _Gate(first)
    first.broker.produce(TOPIC, *values(30), timestamp_ms=1)
    try:
        with running(first):
            assert gate.entered.wait(10)
            assert first.stop()
        assert first.broker.committed().get(ORDERS, 0) == 0
        everything_is_accounted_for(first, through=False)
    finally:
        gate.opened.set()
    second = Pipeline(docs_max=10, before=first)
    second.elastic.unblock(JANUARY)
    with running(second):
        second.until_all_is_committed()
    assert set(_sources(second.elastic.documents().values())) == set(
        stamped(*values(30), time_ms=1)
    )
    all_is_well(second, 2)


def _sources(documents: Iterable[bytes]) -> list[bytes]:
    found = list(documents)
    assert len(found) == len(set(found)), "one is there twice"
    return found


def test_a_bug_while_a_document_is_set_aside_settles_nothing_twice() -> None:
    """
    A bulk that is begun anew has another tally; what the first set aside counts no more.
    """
    pipeline = parking(docs_max=100)
    pipeline.elastic.block(JANUARY)
    answer = pipeline.elastic.bulk
    errors = [RuntimeError("unforeseen"), RuntimeError("unforeseen")]

    async def faulty(body: Body | bytes) -> Reply:
        reply = await answer(body)
        # The second request for the healthy index: its parked neighbours are set aside by then.
        if errors and b"later" in bytes(body) and pipeline.handoff.aside()[0]:
            raise errors.pop()
        return reply

    pipeline.elastic.bulk = faulty  # type: ignore[method-assign]
    pipeline.elastic.refuse(b"later", 503, "unknown_exception", times=2)
    with pipeline.broker.changed:
        pipeline.broker.produce(TOPIC, *values(5), timestamp_ms=1)
        pipeline.broker.produce(OTHER, b'{"later":1}', timestamp_ms=1)
    with running(pipeline):
        wait_until(lambda: not errors, 10, "the bug")
        wait_until(lambda: pipeline.broker.committed().get(Partition(OTHER, 0)), 10, "the healthy")
        pipeline.elastic.unblock(JANUARY)
        pipeline.until_all_is_committed()
        wait_until(lambda: pipeline.handoff.aside() == (0, 0), 10, "all to come to its end")
    all_is_well(pipeline, 1)
