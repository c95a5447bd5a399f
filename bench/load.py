"""
The records of the bench: log lines as services write them, each of exactly 501 bytes.

Produces them once; every run of every candidate reads the same ones.
"""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from sink.core.record import Headers

RECORD_BYTES = 501
TOPICS = {"bench-orders": 12, "bench-gateway": 12}  # name: number of partitions
SIX_TOPICS = dict.fromkeys(
    [f"bench-{name}" for name in ("orders", "gateway", "billing", "search", "users", "audit")], 4
)
STRIDE = 500  # records in a row to one partition, so that the producer fills its batches

_VARIETY = 10_000  # different bodies; with the time in front of each, every record differs
_FLUSH_S = 120
_CREATE_S = 180  # thousands of partitions
_SEED = 20
_LEVELS = ["INFO"] * 7 + ["DEBUG", "WARN", "ERROR"]
_APPS = [
    ("orders", "com.example.orders.OrderService"),
    ("gateway", "com.example.gateway.RouteFilter"),
    ("billing", "com.example.billing.invoice.InvoiceJob"),
]
_MESSAGES = [
    "order {n} accepted for customer {m} in {k} ms",
    "route {n} failed: java.net.ConnectException: Connection refused\n"
    "\tat java.base/sun.nio.ch.Net.connect0(Native Method)\n\tat com.example.Run.run(Run.java:{k})",
    'request "GET /api/v1/items/{n}?page={k}" answered with status 200 for user {m}',
    "cache miss for key item:{n}:{m}, loading from C:\\data\\items\\{k}.bin",
]
# Log lines are not only ASCII, and validating the others takes another path.
_NOT_ASCII = "订单 {n} 已提交, 客户 {m}, 用时 {k} 毫秒"
_NOT_ASCII_EVERY = 10
_FILLER = "trace span parent sampled baggage tenant region zone cluster node pod container"
_NUMBER = b'{"number":"%d",'
_FIRST = b'"logtime":%d,'  # milliseconds since the epoch: 13 digits until the year 2286


def bodies(count: int) -> list[bytes]:
    """
    Make record values without their first field, the time.

    Args:
        count: How many; the same ones at each call.
    Returns:
        Of equal length, so that with a time of 13 digits each comes to `RECORD_BYTES`.
    """
    rng = random.Random(_SEED)  # noqa: S311 - varied text, nothing secret
    return [_body(rng, number) for number in range(count)]


def _body(rng: random.Random, number: int) -> bytes:
    app, logger = rng.choice(_APPS)
    form = _NOT_ASCII if number % _NOT_ASCII_EVERY == 0 else rng.choice(_MESSAGES)
    text = form.format(n=rng.randrange(10**6), m=rng.randrange(10**5), k=rng.randrange(900))
    words = " ".join(rng.choices(_FILLER.split(), k=80))
    fields = {
        "level": rng.choice(_LEVELS),
        "threadname": f"http-nio-8080-exec-{rng.randrange(200)}",
        "loggername": logger,
        "msg": text + " ",
        "appname": app,
        "instanceid": f"10.0.{rng.randrange(16)}.{rng.randrange(250)}:8080",
    }
    missing = RECORD_BYTES - len(_FIRST % 10**12) - len(_encoded(fields))
    fields["msg"] += words[:missing]
    return _encoded(fields)[1:]


def _encoded(fields: dict[str, str]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def values(records: int) -> Iterator[bytes]:
    """
    Give the values of some records, JSON objects of `RECORD_BYTES` bytes each.
    """
    tails = bodies(min(_VARIETY, records))
    now_ms = time.time_ns() // 1_000_000
    for number in range(records):
        yield b"{" + _FIRST % (now_ms + number // 1000) + tails[number % len(tails)]


def numbered(records: int) -> Iterator[bytes]:
    """
    Give the values of some records that carry a number, from 1, in place of the time.

    As text: some programs turn 200 into 200.0.
    """
    tails = bodies(min(_VARIETY, records))
    for number in range(records):
        yield _NUMBER % (number + 1) + tails[number % len(tails)]


def produce(
    bootstrap_servers: str,
    topics: Mapping[str, int],
    records: int,
    progress: Callable[[int], object],
    source: Iterator[bytes] | None = None,
    stride: int = STRIDE,
) -> None:
    """
    Create topics and fill them, and make sure that the broker holds every record.

    Args:
        bootstrap_servers: Of a broker without these topics.
        topics: Name → number of partitions.
        records: How many, spread evenly over the partitions.
        progress: Called with the number of records handed over since the last call.
        source: As many values; without it those of `values`.
        stride: Records in a row to one partition.
    Raises:
        RuntimeError: The broker holds another number of records.
    """
    create_topics(bootstrap_servers, topics)
    producer = Producer(
        {
            "bootstrap.servers": bootstrap_servers,
            "linger.ms": 50,
            "compression.type": "none",
            "queue.buffering.max.messages": 200_000,
        }
    )
    source = source or values(records)
    turn = 0
    partitions = [(topic, number) for topic, count in topics.items() for number in range(count)]
    while chunk := list(islice(source, stride)):
        topic, number = partitions[turn % len(partitions)]
        for value in chunk:
            hand_over(producer, topic, number, value)
        progress(len(chunk))
        turn += 1
    producer.flush(_FLUSH_S)
    held = ends(bootstrap_servers, topics)
    if held != records:
        raise RuntimeError(
            f"the broker at {bootstrap_servers} holds {held} of {records} bench records; "
            "its log tells why; is the disk full?"
        )


def create_topics(bootstrap_servers: str, topics: Mapping[str, int]) -> None:
    """
    Create topics, name → number of partitions, without records.
    """
    # The client needs a name: a nameless one is destroyed before the answers have come.
    # Level 4: at its end it would tell of an event that nobody waits for any more.
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 4})
    wanted = [NewTopic(name, count, 1) for name, count in topics.items()]
    for created in admin.create_topics(wanted).values():
        created.result(_CREATE_S)


def hand_over(
    producer: Producer, topic: str, number: int, value: bytes, headers: Headers | None = None
) -> None:
    """
    Produce a record to a partition, waiting where the producer's queue is full.
    """
    deadline = time.monotonic() + _FLUSH_S
    while True:
        try:
            producer.produce(topic, value, partition=number, headers=headers or None)
        except BufferError:
            # The producer's queue is full: wait until the broker has taken some of it.
            if time.monotonic() > deadline:
                raise
            producer.poll(0.1)
        else:
            return


def ends(bootstrap_servers: str, topics: Mapping[str, int]) -> int:
    """
    Count the records that a broker holds in some topics.
    """
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "bench-count"})
    try:
        marks = [
            consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=30)
            for topic, count in topics.items()
            for number in range(count)
        ]
    finally:
        consumer.close()
    return sum(high - low for low, high in marks)
