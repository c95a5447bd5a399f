"""
Bulks that are too large, and the one document that spoils them.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

import sink.writing.sender
from sink.core.body import Body
from sink.core.bulk import Bulk
from sink.core.outcome import Answer, Reply, Request
from sink.edge.readiness import Readiness
from sink.edge.retry import Backoff
from sink.testing import BUSY, operations
from sink.writing.sender import NEVER_TOO_LARGE_BYTES, Sender
from sink.writing.slots import Slots
from tests.core.placing import bulk_of, ticket_of
from tests.flow.pipeline import (
    ORDERS,
    TOPIC,
    Pipeline,
    everything_is_accounted_for,
    running,
    values,
)
from tests.making import stamped
from tests.waiting import wait_until

TOO_LARGE = Reply(413)
SPOILED = Reply(400, b"", "illegal_argument_exception", "id is too long")


def _large(count: int, begin: int = 0, size_bytes: int = 10_000) -> list[bytes]:
    """
    Documents of some size that can be told apart.
    """
    return [b'{"n":%d,"x":"%b"}' % (n, b"x" * size_bytes) for n in range(begin, begin + count)]


def _refused(pipeline: Pipeline, bytes_max: int) -> list[int]:
    return [len(body) for body in pipeline.elastic.bodies if len(body) > bytes_max]


def test_once_a_bulk_was_too_large_none_as_large_is_sent_again() -> None:
    pipeline = Pipeline(docs_max=40)
    pipeline.elastic.bytes_max = 250_000
    pipeline.broker.produce(TOPIC, *_large(40))

    with running(pipeline):
        pipeline.until_all_is_committed()
        assert len(_refused(pipeline, 250_000)) == 1
        for begin in (40, 80, 120):
            pipeline.broker.produce(TOPIC, *_large(40, begin))
            pipeline.until_all_is_committed()

    assert len(_refused(pipeline, 250_000)) == 1, "refused again for nothing"
    assert pipeline.dead_letters.letters == []
    everything_is_accounted_for(pipeline)


def test_a_bulk_that_waited_for_its_slot_when_the_limit_was_learned_is_cut_as_well() -> None:
    pipeline = Pipeline(docs_max=40, in_flight=1, places=4)
    pipeline.elastic.bytes_max = 250_000
    pipeline.elastic.hold()
    pipeline.broker.produce(TOPIC, *_large(160))

    with running(pipeline):
        wait_until(lambda: pipeline.elastic.held() == 1, 10, "the first to be sent")
        wait_until(lambda: pipeline.handoff.outstanding()[0] == 4, 10, "the others to wait")
        pipeline.elastic.release()
        pipeline.until_all_is_committed()

    assert len(_refused(pipeline, 250_000)) == 1
    everything_is_accounted_for(pipeline)


def test_after_a_time_a_large_bulk_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An operator may have raised the limit.
    """
    monkeypatch.setattr(sink.writing.sender, "_CEILING_S", 0.0)
    pipeline = Pipeline(docs_max=40)
    pipeline.elastic.bytes_max = 250_000
    pipeline.broker.produce(TOPIC, *_large(40))

    with running(pipeline):
        pipeline.until_all_is_committed()
        pipeline.elastic.bytes_max = None
        pipeline.broker.produce(TOPIC, *_large(40, 40))
        pipeline.until_all_is_committed()

    assert operations(pipeline.elastic.bodies[-1]).total() == 40
    everything_is_accounted_for(pipeline)


def test_no_answer_makes_bulks_smaller_than_any_server_takes() -> None:
    """
    A proxy that answers 413 to all for a minute would have single documents sent for ten.
    """
    pipeline = Pipeline(docs_max=40)
    pipeline.elastic.bytes_max = 2_000
    pipeline.broker.produce(TOPIC, *_large(40, size_bytes=1_500))

    with running(pipeline):
        pipeline.until_all_is_committed()
        pipeline.elastic.bytes_max = None
        pipeline.broker.produce(TOPIC, *_large(40, 40, size_bytes=1_500))
        pipeline.until_all_is_committed()

    last = pipeline.elastic.bodies[-1]
    assert operations(last).total() == 40
    assert len(last) <= NEVER_TOO_LARGE_BYTES
    everything_is_accounted_for(pipeline)


def test_only_the_element_that_is_too_large_is_dead_and_not_its_array() -> None:
    pipeline = Pipeline()
    pipeline.elastic.bytes_max = 100_000
    giant = b'{"giant":"' + b"x" * 200_000 + b'"}'
    pipeline.broker.produce(TOPIC, *values(5), b'[{"a":0},%b,{"a":2}]' % giant, *values(5, 5))

    with running(pipeline):
        pipeline.until_all_is_committed()

    (letter,) = pipeline.dead_letters.letters
    assert (letter.positions, [letter.record.value()]) == ((1,), stamped(giant))
    assert pipeline.fates() == {"consumed": 13, "indexed": 12, "dead": 1}
    everything_is_accounted_for(pipeline)


def _spoilt_by(pipeline: Pipeline, marker: bytes) -> None:
    """
    Refuse each request, as a whole, that a marked document is in.
    """
    answer = pipeline.elastic.bulk

    async def spoilt(body: Body | bytes) -> Reply:
        reply = SPOILED if marker in bytes(body) else None
        if reply is not None:
            pipeline.elastic.bodies.append(bytes(body))
        return reply or await answer(body)

    pipeline.elastic.bulk = spoilt  # type: ignore[method-assign]


def test_a_document_that_spoils_its_request_is_found_wherever_it_stands() -> None:
    pipeline = Pipeline(docs_max=64)
    _spoilt_by(pipeline, b'"n":42}')
    records = pipeline.broker.produce(TOPIC, *values(64))

    with running(pipeline):
        pipeline.until_all_is_committed()

    (letter,) = pipeline.dead_letters.letters
    assert letter.record is records[42]
    assert (letter.error_type, letter.reason) == ("illegal_argument_exception", "id is too long")
    assert len(pipeline.elastic.bodies) == 1 + 2 * 6, "halved six times: 64 are 2 to the sixth"
    assert pipeline.fates() == {"consumed": 64, "indexed": 63, "dead": 1}
    everything_is_accounted_for(pipeline)


def test_two_documents_that_spoil_one_request_are_both_found() -> None:
    pipeline = Pipeline(docs_max=64)
    _spoilt_by(pipeline, b"3}")
    pipeline.broker.produce(TOPIC, *values(32))

    with running(pipeline):
        pipeline.until_all_is_committed()

    dead = sorted(letter.record.offset() or 0 for letter in pipeline.dead_letters.letters)
    assert dead == [3, 13, 23]
    everything_is_accounted_for(pipeline)


def test_one_document_refused_as_too_much_waits_for_its_index_and_not_in_its_place() -> None:
    pipeline = Pipeline(park={"ms_max": 86_400_000})
    pipeline.elastic.down(BUSY)
    pipeline.broker.produce(TOPIC, *values(1), timestamp_ms=1)

    with running(pipeline):
        index = frozenset({"sag-order_1970-01-01"})
        wait_until(lambda: pipeline.handoff.parked == index, 10, "its index to be parked")
        wait_until(lambda: pipeline.handoff.outstanding() == (0, 0), 10, "its place to be free")
        assert pipeline.handoff.aside()[0] == 1
        assert pipeline.broker.committed().get(ORDERS, 0) == 0
        pipeline.elastic.up()
        pipeline.until_all_is_committed()

    assert pipeline.dead_letters.letters == pipeline.parked.letters == []
    assert pipeline.fates() == {"consumed": 1, "indexed": 1}
    everything_is_accounted_for(pipeline)


class _Gate:
    """
    Answers requests in the order in which a test says so.
    """

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self._waiting: dict[int, asyncio.Future[Reply]] = {}  # number of the request → its answer
        self._came = asyncio.Condition()

    async def bulk(self, body: Body) -> Reply:
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[len(self.sizes)] = answer
        async with self._came:
            self.sizes.append(len(body))
            self._came.notify_all()
        return await answer

    async def refresh_credentials(self) -> None:
        raise AssertionError("nothing failed")

    async def came(self, requests: int) -> None:
        async with self._came:
            await self._came.wait_for(lambda: len(self.sizes) == requests)

    def answer(self, request: int, reply: Reply) -> None:
        self._waiting[request - 1].set_result(reply)


def _bulk(documents: int, line_bytes: int = 50_000) -> Bulk:
    bulk = bulk_of(("may", ticket_of("orders"), documents))
    bulk.lines[1::2] = [b"x" * line_bytes] * documents
    return bulk.part(range(documents))


def _run(act: Callable[[Sender, _Gate], Coroutine[Any, Any, None]]) -> None:
    async def acting() -> None:
        gate = _Gate()
        await asyncio.wait_for(act(Sender(gate, Readiness(), Slots(2), Backoff(1, 2)), gate), 10)

    asyncio.run(acting())


def test_a_late_refusal_of_a_larger_bulk_does_not_forget_the_smaller_limit() -> None:
    async def act(sender: Sender, gate: _Gate) -> None:
        late = asyncio.create_task(sender.send(_bulk(16)))
        await gate.came(1)
        early = asyncio.create_task(sender.send(_bulk(8)))
        await gate.came(2)
        gate.answer(2, TOO_LARGE)
        assert (await early).request is Request.HALVE
        gate.answer(1, TOO_LARGE)
        assert (await late).request is Request.HALVE

        answer: Answer = await sender.send(_bulk(7))
        assert answer.request is Request.HALVE

        assert len(gate.sizes) == 2, "one larger than half of what was refused was sent"

    _run(act)


def test_a_bulk_refused_for_another_reason_sets_no_limit() -> None:
    async def act(sender: Sender, gate: _Gate) -> None:
        first = asyncio.create_task(sender.send(_bulk(8)))
        await gate.came(1)
        gate.answer(1, SPOILED)
        assert (await first).request is Request.HALVE
        second = asyncio.create_task(sender.send(_bulk(8)))
        await gate.came(2)
        second.cancel()

    _run(act)


def test_one_document_is_always_sent_whatever_was_refused_before() -> None:
    """
    Only its own refusal may tell that it is too large.
    """

    async def act(sender: Sender, gate: _Gate) -> None:
        first = asyncio.create_task(sender.send(_bulk(2)))
        await gate.came(1)
        gate.answer(1, TOO_LARGE)
        await first
        alone = asyncio.create_task(sender.send(_bulk(1, 200_000)))
        await gate.came(2)
        gate.answer(2, TOO_LARGE)
        assert (await alone).reply.status == 413

    _run(act)


def test_what_exceeds_the_node_is_learned_by_one_bulk_for_all() -> None:
    """
    Each bulk would be refused, and waited for, otherwise; and those of other topics with it.
    """
    refusal = Reply(
        429,
        b"",
        "es_rejected_execution_exception",
        "rejected execution of coordinating operation [all_bytes=0, "
        "coordinating_operation_bytes=900000, max_coordinating_bytes=500000]",
    )

    async def act(sender: Sender, gate: _Gate) -> None:
        first = asyncio.create_task(sender.send(_bulk(16)))
        await gate.came(1)
        gate.answer(1, refusal)
        assert (await first).request is Request.HALVE

        assert (await sender.send(_bulk(16))).request is Request.HALVE
        assert len(gate.sizes) == 1

    _run(act)
