"""
The judge for millions of records: E, D and O as in `tests.engines.oracle`, a byte a record.
"""

from collections.abc import Iterator
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from tests.engines.oracle import Findings, ask, committed, dead_places, waiting_places
from tests.engines.running import Setup

_PAGE = 10_000
_MANY = 255
_STALLED_POLLS = 60
_POLL_S = 1.0


def count(setup: Setup, user_topics: list[str], records: int) -> Findings:
    """
    Look for every record of the numbers 0 … records - 1. Each is looked at, not a count.
    """
    topics = [setup.topic(name) for name in user_topics]
    indexed = _indexed(setup, records)
    aside = dead_places(setup) | waiting_places(setup)
    ends = committed(setup, topics)
    produced, missing, too_far = 0, [], []
    for message in _each(setup, topics):
        produced += 1
        if indexed[_number(message)]:
            continue
        place = (message.topic() or "", message.partition() or 0, message.offset() or 0)
        if place in aside:
            continue
        missing.append(place)
        if place[2] < ends[place[0], place[1]]:
            too_far.append(place)
    twice = {n: times for n, times in enumerate(indexed) if times > 1}
    return Findings(produced, missing, twice, too_far)


def _indexed(setup: Setup, records: int) -> bytearray:
    """
    Count each number's documents in Elasticsearch, up to 255.
    """
    found = bytearray(records)
    for hit in _hits(setup):
        (number,) = hit["fields"]["n"]
        assert 0 <= number < records, f"there is a document {number}, and nobody made its record"
        found[number] = min(_MANY, found[number] + 1)
    return found


def _hits(setup: Setup) -> Iterator[dict[str, Any]]:
    pattern = f"/{setup.name}-*"
    ask(setup, "POST", f"{pattern}/_refresh")
    pit = ask(setup, "POST", f"{pattern}/_pit?keep_alive=5m")["id"]
    body = {
        "size": _PAGE,
        "pit": {"id": pit, "keep_alive": "5m"},
        "sort": ["_shard_doc"],
        "_source": False,
        "docvalue_fields": ["n"],
        "track_total_hits": False,
    }
    path = "/_search?filter_path=hits.hits.fields,hits.hits.sort"
    while hits := ask(setup, "POST", path, body).get("hits", {}).get("hits"):
        yield from hits
        body["search_after"] = hits[-1]["sort"]


def _each(setup: Setup, topics: list[str]) -> Iterator[Message]:
    """
    Read topics from begin to end, in no group; nobody writes to them any more.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": setup.kafka.bootstrap_servers,
            "group.id": "counting",
            "enable.auto.commit": False,
        }
    )
    known = consumer.list_topics(timeout=20).topics
    places = [
        TopicPartition(topic, number, OFFSET_BEGINNING)
        for topic in topics
        for number in known[topic].partitions
    ]
    left = sum(consumer.get_watermark_offsets(place)[1] for place in places)
    consumer.assign(places)
    stalled = 0
    while left:
        messages = consumer.consume(min(_PAGE, left), _POLL_S)
        stalled = 0 if messages else stalled + 1
        assert stalled < _STALLED_POLLS, f"the broker gives no more, {left} records are left"
        for message in messages:
            assert message.error() is None, message.error()
            yield message
        left -= len(messages)
    consumer.close()


def _number(message: Message) -> int:
    """
    Read the number, which `tests.engines.producing.numbered` puts last.
    """
    value = message.value() or b""
    assert isinstance(value, bytes)
    return int(value[value.rindex(b":") + 1 : -1])
