"""
The producer's bounds and counts, with a fake client.
"""

import gc
import io
import json
import re
import sys
import threading
import weakref
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from sink.producer import Counts, Producer
from sink.producer.losses import Losses
from sink.producer.values import encode
from tests.producers.client import FakeClient, too_large
from tests.waiting import wait_until

SERVERS = "127.0.0.1:1"


def test_a_record_goes_to_the_user_topic_with_its_prefix(clients: list[FakeClient]) -> None:
    with Producer(SERVERS, prefix="sag-") as producer:
        assert producer.send("orders", b"as it is")
        assert producer.send("orders", "茶")
        assert producer.send("orders", {"a": 1})

    assert clients[0].delivered == [
        ("sag-orders", b"as it is"),
        ("sag-orders", "茶".encode()),
        ("sag-orders", b'{"a":1}'),
    ]


def test_the_bounds_are_those_of_the_client(clients: list[FakeClient]) -> None:
    Producer(SERVERS, queue_records_max=7, queue_kbytes_max=9, delivery_timeout_ms=11)

    wanted = {
        "bootstrap.servers": SERVERS,
        "queue.buffering.max.messages": 7,
        "queue.buffering.max.kbytes": 9,
        "message.timeout.ms": 11,
    }
    assert wanted.items() <= clients[0].properties.items()


def test_a_full_queue_drops_and_counts(clients: list[FakeClient]) -> None:
    producer = Producer(SERVERS, queue_records_max=3)

    taken = [producer.send("orders", b"x") for _ in range(10)]

    assert taken == [True] * 3 + [False] * 7
    assert producer.counts() == Counts(delivered=0, waiting=3, lost=7)


def test_there_is_room_again_when_records_are_delivered(clients: list[FakeClient]) -> None:
    producer = Producer(SERVERS, queue_records_max=1)
    assert producer.send("orders", b"first")
    assert not producer.send("orders", b"second")

    clients[0].deliver()

    assert producer.send("orders", b"third")
    assert producer.counts() == Counts(delivered=1, waiting=1, lost=1)
    assert producer.flush(1) == 0
    assert producer.counts() == Counts(delivered=2, waiting=0, lost=1)


def test_failures_that_nobody_has_looked_at_yet_do_not_fill_the_queue(
    clients: list[FakeClient],
) -> None:
    producer = Producer(SERVERS, queue_records_max=2)
    producer.send("orders", b"x")
    producer.send("orders", b"x")
    clients[0].fail(KafkaError._MSG_TIMED_OUT)

    assert producer.send("orders", b"x")


def test_what_kafka_does_not_take_is_counted_without_another_call(
    clients: list[FakeClient],
) -> None:
    """A thread of the producer looks: an application may log nothing more for hours."""
    producer = Producer(SERVERS)
    producer.send("orders", b"x")

    clients[0].fail(KafkaError._MSG_TIMED_OUT)

    wait_until(lambda: producer.counts() == Counts(0, 0, 1), 20, "the loss to be counted")


@pytest.mark.parametrize(
    "refusal",
    [too_large(), RuntimeError("Handle has been closed"), KafkaException("odd"), MemoryError()],
    ids=lambda refusal: type(refusal).__name__,
)
def test_no_error_of_the_client_reaches_the_application(
    clients: list[FakeClient], refusal: Exception
) -> None:
    producer = Producer(SERVERS)
    clients[0].refusal = refusal

    assert not producer.send("orders", b"x")
    assert producer.counts().lost == 1


def test_what_is_left_when_it_is_closed_is_lost_and_said(
    clients: list[FakeClient], capfd: pytest.CaptureFixture[str]
) -> None:
    producer = Producer(SERVERS)
    clients[0].reachable = False
    clients[0].complain("127.0.0.1:1: connection refused")
    producer.send("orders", b"x")
    producer.send("orders", b"y")

    producer.close()
    producer.close()

    assert producer.counts() == Counts(0, 0, 2)
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "2 log records lost, 2 since the start (closed before delivery: 2)" in said
    assert "connection refused" in said


def test_a_closed_producer_takes_nothing_and_makes_no_new_client(
    clients: list[FakeClient],
) -> None:
    producer = Producer(SERVERS)
    producer.close()

    assert not producer.send("orders", b"late")
    assert producer.counts().lost == 1
    assert len(clients) == 1


def test_a_record_may_be_sent_while_another_is_sent_by_the_same_thread(
    clients: list[FakeClient],
) -> None:
    """A finalizer that logs may run at any point, within `send` too."""
    producer = Producer(SERVERS)

    def finalizer() -> None:
        clients[0].when_produced = lambda: None
        producer.send("orders", b"of the finalizer")

    clients[0].when_produced = finalizer

    assert producer.send("orders", b"x")
    assert [value for _, value in clients[0].records] == [b"of the finalizer", b"x"]


def test_the_client_of_the_parent_is_never_freed_in_a_forked_child(
    clients: list[FakeClient],
) -> None:
    """Its locks may have been held at the fork, and nobody would give them back."""
    producer = Producer(SERVERS)
    of_the_parent = producer._ending  # its thread stays there
    parents = weakref.ref(clients.pop())

    producer._forked()  # as in the child
    of_the_parent.set()
    producer.send("orders", b"of the child")
    gc.collect()

    assert parents() is not None
    assert [value for _, value in clients[0].records] == [b"of the child"]
    assert producer.counts() == Counts(delivered=0, waiting=1, lost=0)


def test_a_record_may_be_sent_by_a_finalizer_that_interrupts_the_counting(
    clients: list[FakeClient],
) -> None:
    producer = Producer(SERVERS)
    with producer._lock:  # as if within one of its methods
        assert producer.send("orders", b"x")


def test_losses_are_said_while_the_application_goes_on(
    clients: list[FakeClient], capfd: pytest.CaptureFixture[str]
) -> None:
    producer = Producer(SERVERS, queue_records_max=1)
    producer.send("orders", b"x")
    producer.send("orders", b"y")

    said = wait_until(lambda: capfd.readouterr().err, 20, "the line about losses")
    assert "1 log records lost" in said


def test_losses_are_not_said_where_standard_error_was_redirected_to(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where that is logging, as with Celery, each line would be one more record to lose."""
    redirected = io.StringIO()
    monkeypatch.setattr(sys, "stderr", redirected)
    losses = Losses()
    losses.add("queue full")
    losses.say("")

    assert redirected.getvalue() == ""
    assert "1 log records lost" in capfd.readouterr().err


def test_losses_may_be_counted_by_a_finalizer_that_interrupts_their_counting() -> None:
    losses = Losses()
    with losses._lock:  # as if within one of its methods
        losses.add("queue full")
        losses.say("")

    assert losses.total == 1


def test_threads_lose_no_count(clients: list[FakeClient]) -> None:
    producer = Producer(SERVERS, queue_records_max=500)
    threads = [
        threading.Thread(target=lambda: [producer.send("t", b"x") for _ in range(1000)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert producer.counts() == Counts(0, 500, 3500)


def test_losses_are_said_at_most_once_a_minute(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1000.0
    monkeypatch.setattr("sink.producer.losses.time.monotonic", lambda: now_s)
    losses = Losses()
    losses.say("")
    assert capfd.readouterr().err == ""

    losses.add("queue full", 2)
    losses.say("broker down")
    losses.add("queue full")
    now_s += 59
    losses.say("broker down")
    assert re.findall(r": (\d+) log records lost", capfd.readouterr().err) == ["2"]

    now_s += 1
    losses.say("broker down")
    said = capfd.readouterr().err
    assert "1 log records lost, 3 since the start (queue full: 3); broker down" in said


def test_the_reasons_of_losses_are_bounded() -> None:
    losses = Losses()
    for number in range(1000):
        losses.add(f"reason {number}")

    assert losses.total == 1000
    assert len(losses._reasons) <= 101


@pytest.mark.parametrize("name", ["queue.buffering.max.messages", "logger", "on_delivery"])
def test_properties_that_would_break_a_bound_or_a_count_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=re.escape(name)):
        Producer(SERVERS, client={name: 10**9})


def test_a_property_that_librdkafka_does_not_know_is_told_at_once() -> None:
    with pytest.raises(KafkaException, match=r"no\.such\.property"):
        Producer(SERVERS, client={"no.such.property": 1})


class _Rude:
    def __str__(self) -> str:
        raise LookupError("no")


class _Polite:
    def __str__(self) -> str:
        return "polite"


def test_values_that_json_does_not_know_become_text() -> None:
    value = {
        "time": datetime(2026, 11, 21, tzinfo=UTC),
        "set": {1},
        "bytes": b"caf\xc3\xa9",
        "object": _Polite(),
        "中": "文",
    }

    assert json.loads(encode(value)) == {
        "time": "2026-11-21T00:00:00+00:00",
        "set": [1],
        "bytes": "café",
        "object": "polite",
        "中": "文",
    }


def test_half_a_surrogate_pair_spares_the_rest() -> None:
    assert encode({"msg": "a\ud800b"}) == b'{"msg":"a?b"}'
    assert encode("a\ud800b") == b"a?b"


def test_one_field_that_cannot_be_written_spares_the_others() -> None:
    cycle: list[object] = []
    cycle.append(cycle)
    value: dict[Any, Any] = {"n": 1, "ok": True, "none": None, "half": 0.5, ("a", "b"): "key"}
    value |= {"nan": float("nan"), "cycle": cycle, "rude": _Rude()}
    value |= {"huge": 10**5000, "wide": 2**70}

    read = json.loads(encode(value))

    assert {"n": 1, "ok": True, "none": None, "half": 0.5}.items() <= read.items()
    assert read["nan"] == "nan"
    assert read["cycle"] == "[[...]]"
    assert read["rude"] == "<_Rude>"
    assert read["huge"] == "<int>"
    assert read["wide"] == str(2**70)
    assert read["('a', 'b')"] == "key"
