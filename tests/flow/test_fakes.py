"""
The fakes the flow tests stand on: a lenient one would let a broken sink pass.
"""

import asyncio

import orjson
import pytest

from sink.core.record import Partition
from sink.edge.kafka.news import End, Problem
from sink.errors import Unavailable
from sink.testing import NO_ANSWER, FakeBroker, FakeElastic, FakeSource

ORDERS = Partition("orders", 0)
GOOD = b'{"create":{"_index":"i","_id":"1"}}\n{"a":1}\n'


class Listener:
    """Notes what it is told; raises when it is told to."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.error: Exception | None = None

    def on_assign(self, partitions: list[Partition]) -> None:
        self._note("assign")

    def on_revoke(self, partitions: list[Partition]) -> None:
        self._note("revoke")

    def on_lost(self, partitions: list[Partition]) -> None:
        self._note("lost")

    def _note(self, what: str) -> None:
        self.told.append(what)
        if self.error is not None:
            raise self.error


def _consuming(count: int = 5) -> tuple[FakeBroker, FakeSource, Listener]:
    broker, listener = FakeBroker(), Listener()
    broker.produce("orders", *[b"v"] * count)
    return broker, broker.open(listener), listener


def _offsets(source: FakeSource, records_max: int = 10) -> list[int | None]:
    return [record.offset() for record in source.poll(records_max, 0)[0]]


def _statuses(elastic: FakeElastic, *bodies: bytes) -> list[int]:
    async def answers() -> list[int]:
        replies = [await elastic.bulk(body) for body in bodies]
        items = [orjson.loads(reply.body)["items"][0] for reply in replies]
        return [result["status"] for item in items for result in item.values()]

    return asyncio.run(answers())


def test_elasticsearch_creates_a_document_once() -> None:
    elastic = FakeElastic()

    assert _statuses(elastic, GOOD, GOOD, GOOD.replace(b"create", b"index")) == [201, 409, 200]
    assert elastic.indices == {"i": {"1": b'{"a":1}'}}


def test_elasticsearch_refuses_a_document_that_is_no_json_object() -> None:
    assert _statuses(FakeElastic(), GOOD.replace(b'{"a":1}', b'{"a":1')) == [400]


def test_elasticsearch_obeys_an_injected_delete() -> None:
    elastic = FakeElastic()

    _statuses(elastic, GOOD, b'{"delete":{"_index":"i","_id":"1"}}\n')

    assert elastic.documents() == {}


@pytest.mark.parametrize("body", [GOOD[:-1], b"no action\n{}\n", GOOD + b'{"create":{}}\n'])
def test_elasticsearch_refuses_a_body_that_is_no_bulk(body: bytes) -> None:
    assert asyncio.run(FakeElastic().bulk(body)).status == 400


def test_an_answer_may_get_lost_after_the_documents_were_indexed() -> None:
    elastic = FakeElastic()
    elastic.answer(NO_ANSWER, applied=True)

    assert asyncio.run(elastic.bulk(GOOD)) is NO_ANSWER
    assert elastic.documents() == {"1": b'{"a":1}'}


def test_a_consumer_begins_at_what_is_committed() -> None:
    broker, source, _ = _consuming()
    assert _offsets(source, 2) == [0, 1]
    source.commit({ORDERS: 2})
    source.close()

    assert _offsets(broker.open(Listener())) == [2, 3, 4]


def test_a_consumer_takes_nothing_of_a_paused_partition() -> None:
    _, source, _ = _consuming()
    assert _offsets(source, 2) == [0, 1]

    source.pause([ORDERS])
    assert _offsets(source) == []

    source.resume([ORDERS])
    assert _offsets(source) == [2, 3, 4]


def test_a_consumer_cannot_seek_what_it_does_not_own() -> None:
    _, source, listener = _consuming()
    _offsets(source)
    source.revoke(ORDERS)
    _offsets(source)

    with pytest.raises(RuntimeError):
        source.seek(ORDERS, 0)
    assert listener.told == ["assign", "revoke"]


def test_an_error_of_a_callback_is_raised_by_the_next_poll_that_took_nothing() -> None:
    _, source, listener = _consuming()
    listener.error = Unavailable("no ids")

    assert _offsets(source) == [0, 1, 2, 3, 4]
    with pytest.raises(Unavailable):
        _offsets(source)


def test_an_expired_offset_is_told_once_and_must_be_restarted() -> None:
    broker, source, _ = _consuming()
    assert _offsets(source, 1) == [0]
    broker.expire(ORDERS, 3)

    assert source.poll(10, 0)[1] == [Problem(ORDERS, True, "offset out of range")]
    assert source.poll(10, 0) == ([], [])

    source.restart(ORDERS, source.log_start(ORDERS))
    assert _offsets(source) == [3, 4]


def test_a_refused_commit_stores_nothing() -> None:
    broker, source, _ = _consuming()
    _offsets(source)
    broker.refuse_commits(2)

    source.commit({ORDERS: 5})
    assert source.refused() == [ORDERS]
    assert source.refused() == []
    assert set(source.commit_now({ORDERS: 5})) == {ORDERS}
    assert broker.committed() == {}


def test_a_commit_of_what_is_lost_is_noticed() -> None:
    broker, source, listener = _consuming()
    _offsets(source)
    source.lose(ORDERS)
    _offsets(source)

    source.commit({ORDERS: 5})

    assert listener.told == ["assign", "lost"]
    assert broker.violations


def test_the_end_of_a_log_is_told_once_and_lies_behind_what_is_no_record() -> None:
    broker = FakeBroker()
    broker.produce("orders", b"1", b"2")
    broker.skip(ORDERS, 1)
    source = broker.open(Listener())

    assert source.poll(10, 0)[1] == [End(ORDERS, 3)]
    assert source.poll(10, 0)[1] == []

    broker.produce("orders", b"3")
    assert source.poll(10, 0)[1] == [End(ORDERS, 4)]


def test_the_end_of_a_log_is_not_told_before_its_last_record_was_taken() -> None:
    broker = FakeBroker()
    broker.produce("orders", b"1", b"2")
    source = broker.open(Listener())

    assert source.poll(1, 0)[1] == []
    assert source.poll(1, 0)[1] == []
    assert source.poll(1, 0)[1] == [End(ORDERS, 2)]


def test_a_deleted_topic_gives_nothing_takes_its_commits_along_and_comes_back_as_another() -> None:
    broker = FakeBroker()
    broker.produce("orders", b"1", b"2")
    source = broker.open(Listener())
    source.stamp("orders", broker.topic_ids(["orders"])["orders"])
    source.poll(10, 0)
    source.commit({ORDERS: 2})
    assert broker.committed_under(ORDERS) == "id.orders"

    broker.delete_topic("orders")
    assert broker.committed() == {}
    assert broker.topic_ids(["orders"]) == {}
    assert source.poll(10, 0) == ([], [])

    broker.produce("orders", b"3", b"4", b"5")
    assert [record.value() for record in source.poll(10, 0)[0]] == [b"5"]
    assert broker.topic_ids(["orders"]) == {"orders": "id.orders.1"}
