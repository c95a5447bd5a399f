"""
Produces records at a steady rate, in a process of its own: an open loop, nothing slows it down.

Each record carries the time at which it was due, not the time at which it was handed over: if this
process or the broker falls behind, that counts as delay too (no coordinated omission). Run as a
script: `python -m bench.latency.paced '{…}'`, the keys are those of `Pace`; it prints `Paced` as
JSON.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import TypedDict

from confluent_kafka import Producer

from bench.load import bodies

_TICK_S = 0.001
_BEGIN_NS = 200_000_000  # from the last preparation to the first record
_FLUSH_S = 60
_VARIETY = 1_000
_ASKED_EVERY = 20  # records; of these it is noted when the broker acknowledged them
_DUE = b'{"due_ns":"%d",'
_PRODUCER = {
    "linger.ms": 5,  # librdkafka's default, said here: it is part of what is measured
    "queue.buffering.max.messages": 2_000_000,  # a broker that falls behind slows nothing down
}


class Pace(TypedDict):
    """
    What the producer is told.
    """

    bootstrap_servers: str
    topics: dict[str, int]  # name: number of partitions
    per_s: int
    seconds: float


class Paced(TypedDict):
    """
    What it did.
    """

    records: int  # with one to each partition beforehand, which carries no time
    late_p99_ms: float  # how late it handed records over itself
    acked_p50_ms: float  # from due until the broker acknowledged it
    acked_p99_ms: float


def main(pace: Pace) -> Paced:
    """
    Produce all records, each when it is due.
    """
    producer = Producer({"bootstrap.servers": pace["bootstrap_servers"]} | _PRODUCER)
    topics = [*pace["topics"]]
    tails = bodies(_VARIETY)
    warm = _connect(producer, pace["topics"], b"{" + tails[0])
    records, step_ns = round(pace["per_s"] * pace["seconds"]), 1_000_000_000 // pace["per_s"]
    begin_ns = time.time_ns() + _BEGIN_NS
    late_ns: list[int] = []
    acked_ns: list[int] = []
    sent = 0
    while sent < records:
        now_ns = time.time_ns()
        due = min(records, (now_ns - begin_ns) // step_ns + 1)
        for number in range(sent, due):
            due_ns = begin_ns + number * step_ns
            late_ns.append(now_ns - due_ns)
            tell = _noting(acked_ns, due_ns) if number % _ASKED_EVERY == 0 else None
            # Without a key the client stays with one partition for 10 ms. A partition for each
            # record would make as many requests, and measure how many of these a broker takes.
            value = _DUE % due_ns + tails[number % _VARIETY]
            producer.produce(topics[number % len(topics)], value, on_delivery=tell)
        sent = max(sent, due)
        producer.poll(_TICK_S)
    producer.flush(_FLUSH_S)
    return Paced(
        records=records + warm,
        late_p99_ms=_percentile_ms(late_ns, 0.99),
        acked_p50_ms=_percentile_ms(acked_ns, 0.5),
        acked_p99_ms=_percentile_ms(acked_ns, 0.99),
    )


def _connect(producer: Producer, topics: Mapping[str, int], value: bytes) -> int:
    """
    Produce a record to each partition: connected, and leaders known, before the first is due.
    """
    partitions = [(topic, n) for topic, count in topics.items() for n in range(count)]
    for topic, partition in partitions:
        producer.produce(topic, value, partition=partition)
    producer.flush(_FLUSH_S)
    return len(partitions)


def _noting(acked_ns: list[int], due_ns: int) -> Callable[[object, object], None]:
    def note(_failure: object, _message: object) -> None:
        acked_ns.append(time.time_ns() - due_ns)

    return note


def _percentile_ms(values_ns: list[int], share: float) -> float:
    return sorted(values_ns)[int(share * (len(values_ns) - 1))] / 1e6


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
