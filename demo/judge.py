"""
The judge: looks for every produced record in Elasticsearch and in the dead letters.

It reads the topics back and asks neither the sink nor its code. A document is known by its id,
`<topic id>-<partition>-<leader epoch>-<offset>`, with `-<position>` where its record holds several.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from confluent_kafka import Message
from elasticsearch import Elasticsearch

from demo import broker, samples

_PAGE = 10_000  # index.max_result_window
_MISSING_SHOWN = 5


class Produced(NamedTuple):
    """
    A record that has to be accounted for.
    """

    topic: str
    partition: int
    offset: int
    id: str  # of its document, or what the ids of its documents begin with
    value: bytes | None


@dataclass
class Fates:
    """
    What became of the records of a topic: documents, where it does not say records.
    """

    produced: int = 0  # records
    indexed: int = 0
    duplicate: int = 0  # in Elasticsearch more than once
    dead: int = 0
    dropped: int = 0  # records without a value
    unaccounted: int = 0  # records of which at least one document is nowhere

    def add(self, other: "Fates") -> None:
        """
        Add those of another topic.
        """
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class Letter(NamedTuple):
    """
    A dead letter's cause.
    """

    error_type: str
    reason: str


@dataclass
class Verdict:
    """
    All that the judge has found.
    """

    topics: dict[str, Fates]
    indices: Counter[tuple[str, str]]  # (topic, index) → documents
    values: Counter[tuple[str, bytes | None]]  # (topic, value) → records
    letters: dict[str, Letter]  # id → cause
    missing: list[str] = field(default_factory=list)  # where the first few unaccounted ones are
    unexplained: int = 0  # documents that no produced record explains

    def total(self) -> Fates:
        """
        Add up the topics.
        """
        summed = Fates()
        for fates in self.topics.values():
            summed.add(fates)
        return summed


class Judge:
    """
    Judges once, when the sink has ended.

    Args:
        servers: Kafka, host:port.
        elasticsearch: Its client.
        topics: The demo's.
        dead_letters: Their topic.
    """

    def __init__(
        self, servers: str, elasticsearch: Elasticsearch, topics: list[str], dead_letters: str
    ) -> None:
        self._servers = servers
        self._elasticsearch = elasticsearch
        self._ids = broker.topic_ids(servers, topics)
        self._dead_letters = dead_letters
        self._documents = samples.documents_by_value()

    def judge(self) -> Verdict:
        """
        Look for every record.
        """
        found: defaultdict[str, list[str]] = defaultdict(list)  # id → the indices that hold it
        for index, document_id in _documents(self._elasticsearch):
            found[document_id].append(index)
        letters = dict(self._letters())
        verdict = Verdict({topic: Fates() for topic in self._ids}, Counter(), Counter(), letters)
        for record in self._produced():
            self._account(record, found, verdict)
        verdict.unexplained = len(found)
        return verdict

    def _account(self, record: Produced, found: dict[str, list[str]], verdict: Verdict) -> None:
        """
        Account for a record, and take its documents out of what was found.
        """
        fates = verdict.topics[record.topic]
        fates.produced += 1
        verdict.values[record.topic, record.value] += 1
        documents = self._documents.get(record.value, 1)
        if not documents:
            fates.dropped += 1
            return
        several = [f"{record.id}-{position}" for position in range(documents)]
        missing = False
        for name in several if documents > 1 else [record.id]:
            indices = found.pop(name, [])
            verdict.indices.update((record.topic, index) for index in indices)
            dead = name in verdict.letters or record.id in verdict.letters
            fates.indexed += bool(indices)
            fates.duplicate += max(0, len(indices) - 1)
            fates.dead += dead
            missing = missing or not (indices or dead)
        if missing:
            fates.unaccounted += 1
            place = f"{record.topic} partition {record.partition} offset {record.offset}"
            verdict.missing = [*verdict.missing, place][:_MISSING_SHOWN]

    def _produced(self) -> Iterator[Produced]:
        for message in broker.read(self._servers, list(self._ids)):
            topic, partition = message.topic() or "", message.partition() or 0
            offset, epoch = message.offset() or 0, message.leader_epoch()
            record_id = f"{self._ids[topic]}-{partition}-{epoch}-{offset}"
            yield Produced(topic, partition, offset, record_id, _bytes(message.value()))

    def _letters(self) -> Iterator[tuple[str, Letter]]:
        for message in broker.read(self._servers, [self._dead_letters]):
            told = _headers(message)
            letter = Letter(told["sink.error_type"], told["sink.reason"])
            keys = ("sink.partition", "sink.leader_epoch", "sink.offset")
            record = "-".join([self._ids[told["sink.topic"]], *(told[key] for key in keys)])
            # What Elasticsearch refused has its id; what was never sent has only its places.
            if "sink.id" in told:
                yield told["sink.id"], letter
            elif "sink.positions" in told:
                for position in told["sink.positions"].split(","):
                    yield f"{record}-{position}", letter
            else:
                yield record, letter


def _documents(elasticsearch: Elasticsearch) -> Iterator[tuple[str, str]]:
    """
    Give index and id of every document.
    """
    elasticsearch.indices.refresh(index="*")
    pit = elasticsearch.open_point_in_time(index="*", keep_alive="1m")["id"]
    after: dict[str, Any] = {}
    while hits := elasticsearch.search(
        size=_PAGE,
        pit={"id": pit, "keep_alive": "1m"},
        sort=["_shard_doc"],
        source=False,
        track_total_hits=False,
        **after,
    )["hits"]["hits"]:
        yield from ((hit["_index"], hit["_id"]) for hit in hits)
        after = {"search_after": hits[-1]["sort"]}
    elasticsearch.close_point_in_time(id=pit)


def _headers(message: Message) -> Mapping[str, str]:
    headers = cast("list[tuple[str, bytes]]", message.headers() or [])
    return {name: value.decode(errors="replace") for name, value in headers}


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
