"""
Reads the dead-letter topic, for list, show and replay. In no group; writes nothing.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import islice
from typing import NamedTuple

from sink.config import Config
from sink.core.envelope import Envelope, open_envelope
from sink.core.record import Partition, Record
from sink.edge.kafka.reader import Reader, Span
from sink.errors import ConfigError, Reject
from sink.operations import trail
from sink.operations.report import Origin

_OPERATIONS_MAX = 10
_SHOWN_MAX = 100


class Place(NamedTuple):
    """
    Where a dead letter stands in the dead-letter topic.
    """

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


class Letter(NamedTuple):
    """
    A dead letter, read back.
    """

    place: Place
    seen_ms: int  # Kafka's time of the dead letter: when it was written
    envelope: Envelope

    @property
    def origin(self) -> Origin:
        """
        Where its record was consumed from.
        """
        record = self.envelope.record
        return Origin(record.topic() or "", record.partition() or 0, record.offset() or 0)


@dataclass(frozen=True, slots=True)
class Choice:
    """
    Which dead letters are meant; None means all.

    Args:
        error: Type of the error. It, topic and index may hold * for any characters.
        since: Written at or after.
        until: Written before.
    """

    error: str | None = None
    topic: str | None = None
    index: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.since and self.until and self.until < self.since:
            raise ConfigError(f"--to {self.until} lies before --from {self.since}")

    @property
    def names_nothing(self) -> bool:
        """
        Tell whether letters of every error, topic and index are meant.
        """
        return self.error is self.topic is self.index is None

    def takes(self, letter: Letter) -> bool:
        """
        Tell whether a letter is meant.
        """
        envelope = letter.envelope
        named = (
            (self.error, envelope.error_type),
            (self.topic, letter.origin.topic),
            (self.index, envelope.index or ""),
        )
        return (
            all(form is None or fnmatchcase(name, form) for form, name in named)
            and (self.since is None or letter.seen_ms >= self.since.timestamp() * 1000)
            and (self.until is None or letter.seen_ms < self.until.timestamp() * 1000)
        )


class Page(NamedTuple):
    """
    What one read of the dead-letter topic gave.

    Args:
        records: How many were read.
        letters: The chosen ones, each document once.
        foreign: Records that are not of the sink.
    """

    records: int
    letters: list[Letter]
    operations: list[trail.Entry]
    foreign: int


def spans(reader: Reader, config: Config, choice: Choice) -> list[Span]:
    """
    Say what of the dead-letter topic has to be read: nothing when there is no such topic.

    Only its begin follows the times: a letter may stand behind a later one of another process.

    Raises:
        Unauthorized, Unavailable: With the reason.
    """
    return reader.spans(reader.partitions(config.dead_letter_topic), choice.since)


def pages(reader: Reader, wanted: Sequence[Span], choice: Choice) -> Iterator[Page]:
    """
    Read dead letters page by page, each document once: a crash may have written its letter twice.

    Remembers 16 bytes of each chosen letter, some 100 bytes with Python's own: a million letters
    take 100 MB, a hundred thousand 10.

    Raises:
        Unauthorized, Unavailable: With the reason.
    """
    known: set[bytes] = set()
    for batch in reader.batches(wanted):
        page = Page(len(batch), [], [], 0)
        for message in batch:
            try:
                letter = _letter(message)
            except Reject:
                page = page._replace(foreign=page.foreign + 1)
                continue
            if letter.envelope.stage == trail.STAGE:
                page.operations.append(trail.entry_of(letter.envelope))
            elif choice.takes(letter) and (identity := letter.envelope.identity) not in known:
                known.add(identity)
                page.letters.append(letter)
        yield page


@dataclass(slots=True)
class Group:
    """
    Dead letters of one error type, index and topic.
    """

    error_type: str
    index: str | None
    topic: str
    documents: int = 0
    first_ms: int = 0
    last_ms: int = 0
    newest: Place = field(default=Place(0, 0))  # a letter to look at

    def add(self, letter: Letter) -> None:
        """
        Count a letter.
        """
        self.first_ms = min(self.first_ms, letter.seen_ms) if self.documents else letter.seen_ms
        if letter.seen_ms >= self.last_ms:
            self.last_ms, self.newest = letter.seen_ms, letter.place
        self.documents += letter.envelope.documents


@dataclass(slots=True)
class Listing:
    """
    The dead letters in groups, and the last operations on them.
    """

    groups: dict[tuple[str, str | None, str], Group] = field(default_factory=dict)
    operations: deque[trail.Entry] = field(default_factory=lambda: deque(maxlen=_OPERATIONS_MAX))
    foreign: int = 0

    def add(self, page: Page) -> None:
        """
        Count what was read.
        """
        self.foreign += page.foreign
        for letter in page.letters:
            key = (letter.envelope.error_type, letter.envelope.index, letter.origin.topic)
            self.groups.setdefault(key, Group(*key)).add(letter)
        newest = sorted([*self.operations, *page.operations], key=lambda entry: entry.at)
        self.operations.clear()
        self.operations.extend(newest)

    def by_size(self) -> list[Group]:
        """
        List the groups, the largest first.
        """
        return sorted(self.groups.values(), key=lambda group: -group.documents)


def at(reader: Reader, config: Config, place: Place) -> Letter:
    """
    Read the dead letter at a place.

    Raises:
        ConfigError: There is none.
        Unauthorized, Unavailable: With the reason.
    """
    topic = config.dead_letter_topic
    there = reader.spans(reader.partitions(topic))
    for span in there:
        if span.partition.number == place.partition and span.begin <= place.offset < span.end:
            only = Span(Partition(topic, place.partition), place.offset, place.offset + 1)
            for message in (each for batch in reader.batches([only]) for each in batch):
                return _letter_or_error(message, topic, place)
    held = ", ".join(f"{s.partition.number}:{s.begin} to {s.end - 1}" for s in there if s.offsets)
    raise ConfigError(
        f"dead-letter topic {topic} has no record at {place}; it has {held or 'none'}"
    )


def of_record(reader: Reader, config: Config, origin: Origin) -> list[Letter]:
    """
    Find the dead letters of a record, reading the whole topic. At most the first hundred.

    Raises:
        ConfigError: There is none.
        Unauthorized, Unavailable: With the reason.
    """
    everything = Choice(topic=origin.topic)
    read = pages(reader, spans(reader, config, everything), everything)
    letters = (letter for page in read for letter in page.letters if letter.origin == origin)
    found = list(islice(letters, _SHOWN_MAX))
    if not found:
        raise ConfigError(f"no dead letter of {origin} is in {config.dead_letter_topic}")
    return found


def _letter(message: Record) -> Letter:
    place = Place(message.partition() or 0, message.offset() or 0)
    return Letter(place, message.timestamp()[1], open_envelope(message))


def _letter_or_error(message: Record, topic: str, place: Place) -> Letter:
    try:
        return _letter(message)
    except Reject as reject:
        raise ConfigError(f"{topic} {place} is no dead letter of the sink: {reject}") from reject
