"""
Reads what waits in the parked topic, for list and before a decision. In no group; writes nothing.

What waits is what the group has not committed. Documents behind the first one that waits may be
indexed already, and are read again with it: their ids make that harmless. So it is at most so many.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sink.config import Config
from sink.core.command import Command, Decision, decision_of, is_command
from sink.core.envelope import Envelope, open_envelope
from sink.core.record import Partition, Record
from sink.edge.kafka.reader import Reader, Span
from sink.errors import Reject

Takes = Callable[[Envelope], bool]


@dataclass(frozen=True, slots=True)
class Key:
    """
    What groups of parked documents are told apart by.
    """

    index: str
    topic: str
    error_type: str


@dataclass(slots=True)
class Group:
    """
    Parked documents of one index and topic that were refused with one type of error.

    Args:
        newest: The one that was parked last.
        oldest_ms: When the first was parked: Kafka's time of the parked record.
        in_partition: Documents by partition of the parked topic.
        decided: Of them those that an operator's decision is about.
    """

    newest: Envelope
    oldest_ms: int
    newest_ms: int
    documents: int = 0
    size_bytes: int = 0
    in_partition: Counter[Partition] = field(default_factory=Counter)
    decided: Counter[Partition] = field(default_factory=Counter)

    def add(self, place: Partition, seen_ms: int, envelope: Envelope) -> None:
        """
        Count a document.
        """
        self.oldest_ms = min(self.oldest_ms, seen_ms)
        if seen_ms >= self.newest_ms:
            self.newest_ms, self.newest = seen_ms, envelope
        self.documents += 1
        self.size_bytes += len(envelope.record.value() or b"")
        self.in_partition[place] += 1


@dataclass(slots=True)
class Listing:
    """
    What waits in the parked topic, in groups, and what operators decided about it.

    Remembers 16 bytes of each chosen document, some 100 bytes with Python's own.

    Args:
        takes: Tells which documents are meant.
        last: Offset of the last record that is meant, by partition.
        heads: Whether the first document that waits in a partition is meant.
        foreign: Records that are nothing of the sink's.
    """

    takes: Takes
    groups: dict[Key, Group] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    last: dict[Partition, int] = field(default_factory=dict)
    heads: dict[Partition, bool] = field(default_factory=dict)
    foreign: int = 0
    _known: set[bytes] = field(default_factory=set)

    @property
    def documents(self) -> int:
        """
        Count the documents that are meant.
        """
        return sum(group.documents for group in self.groups.values())

    @property
    def behind(self) -> int:
        """
        Count those behind a document that is not meant: the committed offset tells nothing of them.
        """
        places = {place for place, meant in self.heads.items() if not meant}
        return sum(
            documents
            for group in self.groups.values()
            for place, documents in group.in_partition.items()
            if place in places
        )

    def add(self, record: Record) -> None:
        """
        Enter a record. Those of one partition come in the order of their offsets.
        """
        place = Partition(record.topic() or "", record.partition() or 0)
        if is_command(record):
            self._decide(place, record)
            return
        try:
            envelope = open_envelope(record)
        except Reject:
            self.foreign += 1
            return
        meant = self.takes(envelope)
        self.heads.setdefault(place, meant)
        if not meant:
            return
        self.last[place] = record.offset() or 0
        identity = envelope.identity
        if identity not in self._known:
            self._known.add(identity)
            self._count(place, record.timestamp()[1], envelope)

    def by_size(self) -> list[tuple[Key, Group]]:
        """
        List the groups, the largest first.
        """
        return sorted(self.groups.items(), key=lambda each: -each[1].documents)

    def _count(self, place: Partition, seen_ms: int, envelope: Envelope) -> None:
        key = Key(envelope.index or "", envelope.record.topic() or "", envelope.error_type)
        group = self.groups.setdefault(key, Group(envelope, seen_ms, seen_ms))
        group.add(place, seen_ms, envelope)

    def _decide(self, place: Partition, record: Record) -> None:
        """
        Enter a decision: it is about what stands before it in its partition.
        """
        decision = decision_of(record)
        if decision is None:
            return
        for group in self.groups.values():
            if decision.is_about(group.newest):
                group.decided[place] = group.in_partition[place]
        if all(_same(decision) != _same(known) for known in self.decisions):
            self.decisions.append(decision)


def choice(index: str | None, topic: str | None) -> Takes:
    """
    Give the rule by which the sinks tell whether a document is meant, for patterns of a shell.
    """
    return Decision(Command.RELEASE, index or "*", topic or "*").is_about


def spans(reader: Reader, config: Config, committed: Mapping[Partition, int]) -> list[Span]:
    """
    Say what waits: from the committed offsets on. Nothing where there is no parked topic.

    Raises:
        Unauthorized, Unavailable: With the reason.
    """
    return [
        span
        for partition in reader.partitions(config.parked_topic)
        for span in reader.spans([partition], committed.get(partition))
    ]


def fill(listing: Listing, reader: Reader, wanted: list[Span]) -> Iterator[int]:
    """
    Read into a listing.

    Yields:
        Records read, batch by batch.
    Raises:
        Unauthorized, Unavailable: With the reason.
    """
    for batch in reader.batches(wanted):
        for record in batch:
            listing.add(record)
        yield len(batch)


def _same(decision: Decision) -> tuple[str, ...]:
    """
    Give what the records of one decision, one in each partition, have in common.
    """
    return decision.command, decision.index, decision.topic, decision.by
