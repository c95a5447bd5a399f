"""
The judge of values that hold no number: it knows a document by its id.

`<topic id>-<partition>-<leader epoch>-<offset>`, with `-<position>` where the value holds several
documents. It shares no code with sink/.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from confluent_kafka import Message, TopicCollection

from tests.engines.brokering import admin_of
from tests.engines.oracle import (
    Place,
    committed,
    documents,
    headers_of,
    read_topic,
    waiting_letters,
)
from tests.engines.running import Setup

# How many documents a record holds: None is one that has no position in its id, 0 is dropped.
Parts = Callable[[Message], int | None]
_SHOWN = 3


class Accounts(NamedTuple):
    """
    What the judge found.
    """

    produced: int  # records
    missing: list[Place]  # E: one of its documents is nowhere
    twice: dict[str, int]  # D: id → documents of it
    too_far: list[Place]  # O: one of its documents is nowhere, and it was committed past
    unexplained: list[str]  # ids in Elasticsearch that no produced record explains
    indexed: dict[str, str]  # id → index
    letters: dict[str, Message]  # id → its dead letter

    def said(self) -> list[str]:
        """
        Say which of O, E and D does not hold, with the first records; empty when all do.
        """
        told: dict[str, list[Any]] = {
            "O: committed past": sorted(self.too_far),
            f"E: nowhere, of {self.produced},": sorted(self.missing),
            "D: there twice": sorted(self.twice.items()),
            "D: of no record": sorted(self.unexplained),
        }
        return [f"{what} {len(n)}, first {n[:_SHOWN]}" for what, n in told.items() if n]


def account(setup: Setup, user_topics: list[str], parts: Parts = lambda _: None) -> Accounts:
    """
    Look for every document of every record.

    Args:
        parts: Tells of a produced record how many documents it holds.
    """
    topics = [setup.topic(name) for name in user_topics]
    topic_ids = _topic_ids(setup, topics)
    produced = read_topic(setup, topics)
    assert produced, f"the judge found no record in {topics}"
    indices: defaultdict[str, list[str]] = defaultdict(list)
    for hit in documents(setup):
        indices[hit["_id"]].append(hit["_index"])
    letters = {
        name: letter for letter in _letters(setup, topics) for name in _names(letter, topic_ids)
    }
    ends = committed(setup, topics)
    accounted = indices.keys() | letters.keys()
    missing, too_far, explained = [], [], set[str]()
    for message in produced:
        topic, partition, offset = place = _place(message)
        record = record_id(message, topic_ids[topic])
        wanted = set(_expected(record, parts(message)))
        explained |= wanted
        if record not in letters and not wanted <= accounted:
            missing.append(place)
            if offset < ends[topic, partition]:
                too_far.append(place)
    twice = {name: len(where) for name, where in indices.items() if len(where) > 1}
    unexplained = sorted(indices.keys() - explained)
    indexed = {name: where[0] for name, where in indices.items()}
    return Accounts(len(produced), missing, twice, too_far, unexplained, indexed, letters)


def record_id(message: Message, topic_id: str) -> str:
    """
    Give the id of a record's document, or what the ids of its documents begin with.
    """
    return f"{topic_id}-{message.partition()}-{message.leader_epoch()}-{message.offset()}"


def records_by_id(setup: Setup, user_topics: list[str]) -> dict[str, Message]:
    """
    Read topics: the id of each record → the record.
    """
    topics = [setup.topic(name) for name in user_topics]
    topic_ids = _topic_ids(setup, topics)
    return {record_id(m, topic_ids[m.topic() or ""]): m for m in read_topic(setup, topics)}


def _expected(record: str, documents: int | None) -> list[str]:
    if documents is None:
        return [record]
    return [f"{record}-{position}" for position in range(documents)]


def _letters(setup: Setup, topics: list[str]) -> Iterator[Message]:
    for message in read_topic(setup, [setup.dead_letter_topic]) + waiting_letters(setup):
        if headers_of(message).get("sink.topic") in topics:  # commands of operators have none
            yield message


def _names(letter: Message, topic_ids: dict[str, str]) -> list[str]:
    """
    Name the documents that a dead letter is for.
    """
    told = headers_of(letter)
    if "sink.id" in told:  # Elasticsearch refused it
        return [told["sink.id"]]
    places = ("sink.partition", "sink.leader_epoch", "sink.offset")
    record = "-".join([topic_ids[told["sink.topic"]], *(told[place] for place in places)])
    if "sink.positions" in told:
        return [f"{record}-{position}" for position in told["sink.positions"].split(",")]
    return [record]


def _place(message: Message) -> Place:
    return message.topic() or "", message.partition() or 0, message.offset() or 0


def _topic_ids(setup: Setup, topics: list[str]) -> dict[str, str]:
    admin = admin_of(setup)
    asked = admin.describe_topics(TopicCollection(topics))
    told = {name: str(answer.result(20).topic_id) for name, answer in asked.items()}
    # Kafka's own tools print them so.
    return {name: text.replace("+", "-").replace("/", "_") for name, text in told.items()}
