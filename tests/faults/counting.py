"""
The judge of millions of records: a byte each, where the others keep an object each.

Record n goes to partition n % P, so that n // P is its offset: the topics need not be read back.
It shares no code with sink/.
"""

from collections.abc import Iterator
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from tests.engines.oracle import ask, committed, dead_places, waiting_places
from tests.engines.running import Setup

_PAGE = 10_000  # index.max_result_window
_FULL = 255
_SHOWN = 3


class Counted(NamedTuple):
    """
    What the judge found, by the records' numbers.
    """

    produced: int
    missing: list[int]  # E: nowhere
    twice: list[int]  # D: there more than once
    too_far: list[int]  # O: nowhere, and committed past

    def said(self) -> list[str]:
        """
        Say which of O, E and D does not hold, with the first numbers; empty when all do.
        """
        told = {
            "O: committed past": self.too_far,
            f"E: nowhere, of {self.produced},": self.missing,
            "D: there twice": self.twice,
        }
        return [f"{what} {len(n)}, first {n[:_SHOWN]}" for what, n in told.items() if n]


def produce_many(setup: Setup, user_topic: str, value: bytes, count: int, partitions: int) -> None:
    """
    Produce a value so many times, each with its number in place of `%d`.

    Raises:
        AssertionError: A record is not where its number says.
    """
    producer = Producer(
        {
            "bootstrap.servers": setup.kafka.bootstrap_servers,
            "enable.idempotence": True,  # one after the other in its partition, and none twice
            "linger.ms": 100,
            "batch.size": 500_000,
            "compression.type": "none",
            "queue.buffering.max.messages": 500_000,
        }
    )
    failures: list[str] = []

    def done(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(str(error))

    topic = setup.topic(user_topic)
    for number in range(count):
        while True:
            try:
                producer.produce(
                    topic, value % number, partition=number % partitions, on_delivery=done
                )
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(300) == 0, "the broker did not take all records within 300 s"
    assert not failures, failures[:_SHOWN]
    held = {n: _end(setup, topic, n) for n in range(partitions)}
    assert held == {n: len(range(n, count, partitions)) for n in range(partitions)}, held


def _end(setup: Setup, topic: str, partition: int) -> int:
    consumer = Consumer(
        {"bootstrap.servers": setup.kafka.bootstrap_servers, "group.id": f"counting-{setup.name}"}
    )
    _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), 20)
    consumer.close()
    return end


def count(setup: Setup, user_topic: str, produced: int, partitions: int) -> Counted:
    """
    Look for every record that `produce_many` produced.
    """
    topic = setup.topic(user_topic)
    seen = bytearray(produced)
    for number in _numbers(setup, user_topic):
        seen[number] = min(_FULL, seen[number] + 1)
    twice = [number for number, times in enumerate(seen) if times > 1]
    for origin, partition, offset in dead_places(setup) | waiting_places(setup):
        if origin != topic:
            continue
        number = offset * partitions + partition
        seen[number] = min(_FULL, seen[number] + 1)
    missing = [number for number, times in enumerate(seen) if not times]
    ends = committed(setup, [topic])
    too_far = [n for n in missing if n // partitions < ends[topic, n % partitions]]
    return Counted(produced, missing, twice, too_far)


def _numbers(setup: Setup, user_topic: str) -> Iterator[int]:
    """
    Give the number of each document, without its source.
    """
    pattern = f"/{setup.name}-{user_topic}_*"
    ask(setup, "POST", f"{pattern}/_refresh")
    pit = ask(setup, "POST", f"{pattern}/_pit?keep_alive=5m")["id"]
    body = {"size": _PAGE, "pit": {"id": pit}, "sort": ["_shard_doc"], "track_total_hits": False}
    body |= {"_source": False, "docvalue_fields": ["n"]}
    path = "/_search?filter_path=hits.hits.fields.n,hits.hits.sort"
    while hits := ask(setup, "POST", path, body).get("hits", {}).get("hits"):
        for hit in hits:
            yield hit["fields"]["n"][0]
        body["search_after"] = hits[-1]["sort"]
