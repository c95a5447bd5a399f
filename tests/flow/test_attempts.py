"""
How the waits between attempts grow, and when they begin anew.
"""

from types import SimpleNamespace

import pytest

import sink.reading.worker
import sink.writing.writer
from sink.core.body import Body
from sink.core.outcome import Reply
from sink.edge.kafka.source import Listener
from sink.edge.retry import Backoff
from sink.testing import FakeSource
from tests.flow.pipeline import TOPIC, Pipeline, everything_is_accounted_for, running, values
from tests.waiting import wait_until

BUSY = (
    b'{"errors":true,"items":[{"create":{"status":429,'
    b'"error":{"type":"es_rejected_execution_exception","reason":"busy"}}}]}'
)


class Asked(Backoff):
    """
    Notes what it is asked for: (attempt, Retry-After).
    """

    def __init__(self, initial_ms: int = 1, longest_ms: int = 10) -> None:
        super().__init__(initial_ms, longest_ms)
        self.asked: list[tuple[int, float | None]] = []

    def seconds(self, attempt: int, retry_after_s: float | None = None) -> float:
        self.asked.append((attempt, retry_after_s))
        return min(0.005, super().seconds(attempt, retry_after_s))


@pytest.fixture
def retry(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """
    The waits of the writer for what was refused for the time being.
    """
    asked = Asked()

    def made(initial_ms: int, longest_ms: int) -> Backoff:
        return asked if longest_ms == 10 else Backoff(initial_ms, longest_ms)

    monkeypatch.setattr(sink.writing.writer, "Backoff", made)
    return asked


def _pipeline() -> Pipeline:
    return Pipeline(docs_max=1, probe_max_ms=11)


def test_a_document_that_is_refused_again_waits_longer(retry: Asked) -> None:
    pipeline = _pipeline()
    pipeline.elastic.refuse(b'"n":0}', 429, "es_rejected_execution_exception", times=2)
    pipeline.broker.produce(TOPIC, *values(1))

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert retry.asked == [(1, None), (2, None)]
    everything_is_accounted_for(pipeline)


def test_a_document_that_is_refused_three_times_holds_up_its_bulk_no_longer(retry: Asked) -> None:
    pipeline = _pipeline()
    pipeline.elastic.refuse(b'"n":0}', 429, "es_rejected_execution_exception", times=6)
    pipeline.broker.produce(TOPIC, *values(1))

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert [attempt for attempt, _ in retry.asked][:3] != [1, 2, 3]
    everything_is_accounted_for(pipeline)


def test_a_document_is_sent_again_when_elasticsearch_says_so(retry: Asked) -> None:
    pipeline = _pipeline()
    pipeline.elastic.answer(Reply(200, BUSY, retry_after_s=7.0))
    pipeline.broker.produce(TOPIC, *values(1))

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert retry.asked == [(1, 7.0)]
    everything_is_accounted_for(pipeline)


def test_after_an_unforeseen_error_each_attempt_waits_longer(retry: Asked) -> None:
    pipeline = _pipeline()
    answer = pipeline.elastic.bulk
    errors = [RuntimeError("unforeseen") for _ in range(3)]

    async def faulty(body: Body | bytes) -> Reply:
        if errors:
            raise errors.pop()
        return await answer(body)

    pipeline.elastic.bulk = faulty  # type: ignore[method-assign]
    pipeline.broker.produce(TOPIC, *values(1))

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert retry.asked == [(1, None), (2, None), (3, None)]
    everything_is_accounted_for(pipeline)


@pytest.mark.parametrize(("ran_s", "attempts"), [(61.0, [1, 2, 1, 2]), (59.0, [1, 2, 3, 4])])
def test_a_consumer_that_ran_for_a_minute_begins_its_waits_anew(
    monkeypatch: pytest.MonkeyPatch, ran_s: float, attempts: list[int]
) -> None:
    clock = SimpleNamespace(now_s=1000.0)
    monkeypatch.setattr(sink.reading.worker, "time", SimpleNamespace(monotonic=lambda: clock.now_s))
    pipeline = Pipeline()
    asked = Asked()
    pipeline.workers[0]._rebuild = asked
    opened = pipeline.broker.open
    broken = [RuntimeError("no broker"), RuntimeError("no broker")]

    def opens(listener: Listener) -> FakeSource:
        if broken:
            raise broken.pop()
        return opened(listener)

    pipeline.broker.open = opens  # type: ignore[method-assign]
    with running(pipeline):
        wait_until(lambda: len(pipeline.broker.sources) == 1, 10, "the first consumer")
        wait_until(lambda: pipeline.readiness.reasons() == {}, 10, "it to be ready")
        clock.now_s += ran_s
        broken.append(RuntimeError("no broker"))
        pipeline.source.fail(RuntimeError("fenced"))
        wait_until(lambda: len(pipeline.broker.sources) == 2, 10, "a new consumer")

    assert [attempt for attempt, _ in asked.asked] == attempts
    everything_is_accounted_for(pipeline)
