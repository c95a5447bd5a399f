"""
The floor loop: consume, join, blocking send, and nothing else.

What any Python program that moves records with confluent-kafka spends at least. It checks nothing,
commits nothing and would lose records: a measure, not a program to use. It is run as a script, so
that its process holds nothing else: `python bench/floor.py '{…}'`, the keys are those of `Plan`.
"""

import http.client
import json
import sys
import threading
from collections.abc import Sequence
from typing import TypedDict

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

_ACTION = b'{"create":{"_index":"floor"}}'
_PATH = "/_bulk?filter_path=errors,items.*.status,items.*.error,items.*.failure_store"
_HEADERS = {"Content-Type": "application/x-ndjson"}
# The last, partial batch of a run waits this long: that costs time, not CPU.
_CONSUME_S = 0.1


class Plan(TypedDict):
    """
    What the floor loop is told.
    """

    consumer: dict[str, object]  # librdkafka's settings
    topics: dict[str, int]  # name: number of partitions
    elasticsearch: str  # host:port
    threads: int
    batch: int  # records a consume, and so documents a bulk


def main(plan: Plan) -> None:
    """
    Run until the process is ended from outside.
    """
    partitions = [
        TopicPartition(topic, number, OFFSET_BEGINNING)
        for topic, count in plan["topics"].items()
        for number in range(count)
    ]
    threads = [
        threading.Thread(target=_move, args=(plan, partitions[first :: plan["threads"]]))
        for first in range(plan["threads"])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _move(plan: Plan, partitions: list[TopicPartition]) -> None:
    """
    Move the records of some partitions, for ever.

    The partitions are assigned, not subscribed to: without commits a rebalance would deliver
    records twice, and membership of a group costs something.
    """
    consumer = Consumer(plan["consumer"])
    consumer.assign(partitions)
    elasticsearch = http.client.HTTPConnection(plan["elasticsearch"])
    while True:
        messages = consumer.consume(plan["batch"], _CONSUME_S)
        if messages:
            send(elasticsearch, body_of(messages))


def body_of(messages: Sequence[Message]) -> bytes:
    """
    Join the values of records to the body of one bulk, each under the same action line.
    """
    lines = [_ACTION] * (2 * len(messages))
    lines[1::2] = map(Message.value, messages)  # type: ignore[arg-type]  # none is a tombstone
    lines.append(b"")
    return b"\n".join(lines)


def send(elasticsearch: http.client.HTTPConnection, body: bytes) -> None:
    """
    Send one bulk and read its answer, whatever it says.
    """
    elasticsearch.request("POST", _PATH, body, _HEADERS)
    elasticsearch.getresponse().read()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
