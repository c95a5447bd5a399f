"""
Kinds of records that memory depends on: size, headers, compression, letters that were parked.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

from confluent_kafka import Producer

from bench.load import STRIDE, create_topics, hand_over, values
from sink.core.dead_letter import DeadLetter
from sink.core.envelope import Original
from sink.core.record import Headers

TOPIC = "bench-memory"
_PARTITIONS = 12
_FLUSH_S = 120
_SEED = 20
_INDEX = "bench-memory_2026-11-01"
_TOPIC_ID = "b3nchM3m0ryAAAAAAAAAAA"
_TIME_MS = 1_795_252_441_945
_VARIETY = 1_000
_HEADER_BYTES = 32


class Shape(NamedTuple):
    """
    A row of the table: some records, and how they are produced.
    """

    name: str
    what: str  # for the report
    records: int
    value_bytes: int
    headers: int = 0  # of each record
    compression: str = "none"
    ratio: int = 1  # how much smaller a batch of them is, roughly
    parked: bool = False  # they stand in the parked topic


SHAPES = (
    Shape("200", "200 bytes", 600_000, 200),
    Shape("501", "501 bytes", 400_000, 501),
    Shape("2k", "2 KB", 120_000, 2_000),
    Shape("100k", "100 KB", 3_000, 100_000),
    Shape("1m", "1 MB", 300, 1_000_000),
    Shape("zstd", "501 bytes, twentyfold compressed by zstd", 600_000, 501, 0, "zstd", 20),
    Shape("lz4", "501 bytes, twentyfold compressed by lz4", 600_000, 501, 0, "lz4", 20),
    Shape("gzip", "501 bytes, twentyfold compressed by gzip", 600_000, 501, 0, "gzip", 20),
    Shape("headers", "200 bytes and 30 headers", 200_000, 200, 30),
    Shape("parked", "501 bytes, read again from the parked topic", 200_000, 501, parked=True),
)


def produced(shape: Shape) -> Iterator[tuple[bytes, Headers]]:
    """
    Give values and headers of the records of a shape.
    """
    made = _values(shape)
    if shape.parked:
        return ((value, _letter(n, value)) for n, value in enumerate(made))
    headers: Headers = [(f"x-trace-{n:02}", b"h" * _HEADER_BYTES) for n in range(shape.headers)]
    return ((value, headers) for value in made)


def _values(shape: Shape) -> Iterator[bytes]:
    if shape.value_bytes == len(next(values(1))) and shape.ratio == 1:
        return values(shape.records)
    rng = random.Random(_SEED)  # noqa: S311  varied text, nothing secret
    varied = shape.value_bytes // shape.ratio
    texts = [rng.randbytes(varied // 2 + 1).hex()[:varied] for _ in range(_VARIETY)]
    return (_value(shape.value_bytes, n, texts[n % _VARIETY]) for n in range(shape.records))


def _value(size_bytes: int, number: int, text: str) -> bytes:
    told = b'{"logtime":%d,"n":%d,"msg":"%b' % (_TIME_MS, number, text.encode())
    return told[: size_bytes - 2].ljust(size_bytes - 2, b".") + b'"}'


def _letter(number: int, value: bytes) -> Headers:
    """
    Give the headers that the sink parks a document with.
    """
    record = Original("bench-memory", 0, number, 0, _TIME_MS, None, value, [])
    letter = DeadLetter(
        record,
        "park",
        "cluster_block_exception",
        "index [bench-memory] blocked by: [FORBIDDEN/8/index write (api)];",
        index=_INDEX,
        id=f"{_TOPIC_ID}-0-0-{number}",
        topic_id=_TOPIC_ID,
    )
    return letter.headers({"version": "0.1.0"})


def fill(bootstrap_servers: str, shape: Shape, parked_topic: str) -> None:
    """
    Create a topic and write the records of a shape to it.
    """
    topic, partitions = (parked_topic, 3) if shape.parked else (TOPIC, _PARTITIONS)
    create_topics(bootstrap_servers, {TOPIC: _PARTITIONS, topic: partitions})
    producer = Producer(
        {
            "bootstrap.servers": bootstrap_servers,
            "linger.ms": 50,
            "compression.type": shape.compression,
            "queue.buffering.max.messages": 200_000,
            "message.max.bytes": 2_000_000,  # the topic has the last word
            "log_level": 4,
        }
    )
    for number, (value, headers) in enumerate(produced(shape)):
        place = number // STRIDE % partitions
        hand_over(producer, topic, place, value, headers)
    if producer.flush(_FLUSH_S):
        raise RuntimeError(f"the broker at {bootstrap_servers} does not take the records")
