"""
The judge of every engine test: it reads Kafka, Elasticsearch and the dead letters by itself.

It shares no code with sink/. The three letters:

    E  every produced document is indexed, dead-lettered, waits parked, or dropped by a named rule
    D  no document is in Elasticsearch twice
    O  no committed offset passes a record that is neither
"""

import base64
import json
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Set
from typing import Any, NamedTuple, cast

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from tests.engines.running import Setup
from tests.waiting import wait_until

_LOADING = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError._TIMED_OUT,  # it was frozen, or has just moved
}
Place = tuple[str, int, int]  # topic, partition, offset


def read_topic(setup: Setup, topics: list[str]) -> list[Message]:
    """
    Read topics from begin to end, in no group.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": setup.kafka.bootstrap_servers,
            "group.id": f"oracle-{uuid.uuid4()}",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,  # behind a transaction's marker, nothing else tells
            "fetch.wait.max.ms": 10,  # an end is told by a fetch that waited so long in vain
        }
    )
    known = consumer.list_topics(timeout=20).topics
    places = [
        TopicPartition(topic, number, OFFSET_BEGINNING)
        for topic in topics
        if topic in known
        for number in known[topic].partitions
    ]
    ends = {(p.topic, p.partition): consumer.get_watermark_offsets(p)[1] for p in places}
    consumer.assign(places)
    messages: list[Message] = []
    through = {place for place, end in ends.items() if not end}

    def all_read() -> bool:
        for message in consumer.consume(5000, 0.05):
            error = message.error()
            if error is None:
                messages.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                through.add((message.topic() or "", message.partition() or 0))
        return through == ends.keys()

    wait_until(all_read, 60, f"the end of {topics}")
    consumer.close()
    return messages


def committed(setup: Setup, topics: list[str]) -> dict[tuple[str, int], int]:
    """
    Read the committed offsets of the sink's group.
    """
    consumer = Consumer(
        {"bootstrap.servers": setup.kafka.bootstrap_servers, "group.id": setup.group}
    )
    known = consumer.list_topics(timeout=20).topics
    places = [TopicPartition(t, n) for t in topics for n in known[t].partitions]

    def told() -> list[TopicPartition] | None:
        try:
            return consumer.committed(places, timeout=20)
        except KafkaException as failure:
            # A broker that was restarted has to load the group first.
            if failure.args[0].code() not in _LOADING:
                raise
            return None

    answer = wait_until(told, 30, "the committed offsets")
    consumer.close()
    return {(p.topic, p.partition): max(p.offset, 0) for p in answer}


def ask(setup: Setup, method: str, path: str, body: object = None) -> Any:
    """
    Ask Elasticsearch, without a client.
    """
    request = urllib.request.Request(
        setup.elasticsearch.url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json", **_authorization(setup)},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


def _authorization(setup: Setup) -> dict[str, str]:
    node = setup.elasticsearch
    if not node.security:
        return {}
    token = base64.b64encode(f"elastic:{node.password}".encode()).decode()
    return {"authorization": f"Basic {token}"}


def documents(setup: Setup) -> list[dict[str, Any]]:
    """
    Read all documents of the sink's indices: hits with _index, _id, _source.
    """
    (found,) = wait_until(lambda: _readable(setup), 30, "all shards to be readable")
    return found


def _readable(setup: Setup) -> list[list[dict[str, Any]]]:
    """
    Read all documents; nothing while Elasticsearch still opens an index, created just now.
    """
    try:
        return [_documents(setup)]
    except urllib.error.HTTPError as error:
        if error.code != 503:
            raise
        return []


def _documents(setup: Setup) -> list[dict[str, Any]]:
    pattern = f"/{setup.name}-*"
    ask(setup, "POST", f"{pattern}/_refresh?ignore_unavailable=true")
    pit = ask(setup, "POST", f"{pattern}/_pit?keep_alive=1m&ignore_unavailable=true")["id"]
    found: list[dict[str, Any]] = []
    after: dict[str, Any] = {}
    while True:
        body = {"size": 10_000, "pit": {"id": pit}, "sort": ["_shard_doc"], **after}
        hits = ask(setup, "POST", "/_search", body)["hits"]["hits"]
        if not hits:
            return found
        found += hits
        after = {"search_after": hits[-1]["sort"]}


def indexed_numbers(setup: Setup) -> Counter[int]:
    """
    Count each record's number in Elasticsearch.
    """
    return Counter(hit["_source"]["n"] for hit in documents(setup) if "n" in hit["_source"])


def headers_of(message: Message) -> dict[str, str]:
    """
    Read a message's headers.
    """
    headers = cast("list[tuple[str, bytes]]", message.headers() or [])
    return {name: value.decode() for name, value in headers}


def dead_places(setup: Setup) -> set[Place]:
    """
    Tell where the dead-lettered records came from.
    """
    return _origins(setup, setup.dead_letter_topic)


def parked_places(setup: Setup) -> set[Place]:
    """
    Tell where the records in the parked topic came from, whether they were indexed since or not.
    """
    return _origins(setup, setup.parked_topic)


def waiting_places(setup: Setup) -> set[Place]:
    """
    Tell where the records came from that wait in the parked topic.

    What its committed offset passed must be somewhere else by now.
    """
    return {_origin(message) for message in waiting_letters(setup)}


def waiting_letters(setup: Setup) -> list[Message]:
    """
    Read the letters of the parked topic that its committed offset has not passed.
    """
    letters = [m for m in read_topic(setup, [setup.parked_topic]) if _is_letter(m)]
    ends = committed(setup, [setup.parked_topic]) if letters else {}
    return [m for m in letters if (m.offset() or 0) >= ends[m.topic() or "", m.partition() or 0]]


def _origins(setup: Setup, topic: str) -> set[Place]:
    return {_origin(message) for message in read_topic(setup, [topic]) if _is_letter(message)}


def _is_letter(message: Message) -> bool:
    return "sink.topic" in headers_of(message)  # else it is an operator's command


def _origin(message: Message) -> Place:
    told = headers_of(message)
    return told["sink.topic"], int(told["sink.partition"]), int(told["sink.offset"])


class Findings(NamedTuple):
    """
    What the judge found.
    """

    produced: int  # records
    missing: list[Place]  # E: nowhere
    twice: dict[int, int]  # D: number → documents of it
    too_far: list[Place]  # O: nowhere, and committed past

    def said(self) -> list[str]:
        """
        Say which of O, E and D does not hold, with the first records; empty when all do.
        """
        told = {
            "O: committed past": (len(self.too_far), sorted(self.too_far)[:3]),
            f"E: nowhere, of {self.produced},": (len(self.missing), sorted(self.missing)[:3]),
            "D: there twice": (len(self.twice), sorted(self.twice.items())[:3]),
        }
        return [f"{what} {n}, first {first}" for what, (n, first) in told.items() if n]


def examine(
    setup: Setup,
    user_topics: list[str],
    dropped: Callable[[Message], bool] = lambda _: False,
    doubled: Set[int] = frozenset(),
) -> Findings:
    """
    Look for every numbered record. Each is looked at, not a count.

    Args:
        dropped: Tells of a produced record whether a named rule drops it.
        doubled: Numbers of records that may be there twice; the test says why.
    """
    topics = [setup.topic(name) for name in user_topics]
    produced = read_topic(setup, topics)
    assert produced, f"the judge found no record in {topics}"
    found, dead = indexed_numbers(setup), dead_places(setup) | waiting_places(setup)
    ends = committed(setup, topics)
    missing, too_far = [], []
    for message in produced:
        place = (message.topic() or "", message.partition() or 0, message.offset() or 0)
        if dropped(message) or place in dead or found[_number(message)]:
            continue
        missing.append(place)
        if place[2] < ends[place[0], place[1]]:
            too_far.append(place)
    twice = {n: count for n, count in found.items() if count > 1 and n not in doubled}
    return Findings(len(produced), missing, twice, too_far)


def check(
    setup: Setup,
    user_topics: list[str],
    dropped: Callable[[Message], bool] = lambda _: False,
    doubled: Set[int] = frozenset(),
) -> int:
    """
    Hold E, D and O over numbered records, as `examine` finds them.

    Returns:
        How many records were produced.
    """
    found = examine(setup, user_topics, dropped, doubled)
    assert not found.said(), "; ".join(found.said())
    return found.produced


def _number(message: Message) -> int:
    try:
        number = json.loads(message.value() or b"null")["n"]
    except (ValueError, TypeError, KeyError):
        return -1
    return int(number)
