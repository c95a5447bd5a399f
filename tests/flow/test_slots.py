"""
What was set aside is seen through beside the slots of all others.
"""

import asyncio
import threading

import pytest

from sink.core.bulk import Body
from sink.core.outcome import Reply
from sink.writing.lanes import Lanes
from tests.flow.parking import JANUARY, OTHER, all_is_well, parking, until_aside
from tests.flow.pipeline import TOPIC, Pipeline, everything_is_accounted_for, running, values
from tests.waiting import wait_until


@pytest.mark.parametrize("bytes_max", [None, 600])
def test_an_index_that_resumes_while_all_slots_are_taken_waits_for_none_of_them(
    bytes_max: int | None,
) -> None:
    """
    Also where its bulk is too large, and sent in two parts.
    """
    pipeline = parking()
    pipeline.elastic.block(JANUARY)
    let_go = _kept_waiting(pipeline, b'"sag-bill')
    pipeline.broker.produce(TOPIC, *values(10), timestamp_ms=1)
    with running(pipeline):
        until_aside(pipeline)
        for number in range(4):
            pipeline.broker.produce(OTHER, *values(1, number), timestamp_ms=1)
            wait_until(lambda: pipeline.handoff.outstanding()[0] == number + 1, 10, "a slot")  # noqa: B023
        pipeline.elastic.bytes_max = bytes_max
        pipeline.elastic.unblock(JANUARY)
        wait_until(lambda: pipeline.fates().get("indexed") == 10, 10, "what was set aside")
        assert OTHER not in {topic for topic, fate in pipeline.account() if fate == "indexed"}

        let_go.set()
        pipeline.until_all_is_committed()
    all_is_well(pipeline, 1)


def test_a_document_that_a_fit_index_refuses_is_dead_at_once_and_parks_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parked: list[object] = []
    monkeypatch.setattr(Lanes, "park", lambda *_: parked.append(1))
    pipeline = Pipeline()
    pipeline.elastic.refuse(b'"n":0}', 400, "illegal_argument_exception")
    pipeline.broker.produce(TOPIC, *values(1))
    with running(pipeline):
        pipeline.until_all_is_committed()
    assert pipeline.fates() == {"consumed": 1, "dead": 1}
    assert parked == []
    everything_is_accounted_for(pipeline)


def _kept_waiting(pipeline: Pipeline, marker: bytes) -> threading.Event:
    """
    Keep requests that hold a marker from being answered until an event is set.
    """
    let_go = threading.Event()
    answer = pipeline.elastic.bulk

    async def bulk(body: Body) -> Reply:
        while marker in bytes(body) and not let_go.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0.005)  # the event is of another thread
        return await answer(body)

    pipeline.elastic.bulk = bulk  # type: ignore[method-assign,assignment]
    return let_go
