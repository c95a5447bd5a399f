"""
What an audit holds against each other: ids of documents, sets of them, and where each one is.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from os.path import commonprefix
from typing import NamedTuple

from sink.core.envelope import Envelope
from sink.core.ledger import DROPPED
from sink.core.target import Target

# What a target writes behind its topic id: partition, leader epoch, offset, and the position in
# the record where it holds several documents. Decimal numbers, without leading zeros.
_NUMBER = r"(0|[1-9][0-9]*)"
_NAME = re.compile(f"-{_NUMBER}-{_NUMBER}-{_NUMBER}(?:-{_NUMBER})?")
# 2048 places a number: a bit of an offset costs an eighth of a byte, a lone one some 200 bytes.
_BITS = 11
_LOW = (1 << _BITS) - 1
# What the names of a topic at these times have in common is in every name: no directive of strftime
# begins or ends alike at 1970-01-01T00:00Z, 2002-05-17T12:00Z and 2031-12-31T23:00Z, in any zone.
_TIMES_MS = (0, 1_021_636_800_000, 1_956_524_400_000)
_NO_TIME = -1


class Fate(StrEnum):
    """
    Where a document is, or why it is nowhere.
    """

    INDEXED = "indexed"
    DEAD = "dead"
    PARKED = "parked"
    DROPPED = DROPPED + "operator"  # by `sink parked drop`
    NOT_DUE = "not_due"  # not accounted for yet by the group: its offset is not committed
    MISSING = "missing"


class Place(NamedTuple):
    """
    Which document of a topic: its record, and its position where that holds several.
    """

    partition: int
    leader_epoch: int
    offset: int
    position: int | None = None


def place_of(topic_id: str, document_id: str) -> Place | None:
    """
    Read an id that a target of the topic wrote; None for any other.
    """
    if not document_id.startswith(topic_id):
        return None
    found = _NAME.fullmatch(document_id, len(topic_id))
    if found is None:
        return None
    partition, epoch, offset, position = found.groups()
    return Place(
        int(partition), int(epoch), int(offset), None if position is None else int(position)
    )


class Places:
    """
    A set of documents: a bit each for records of one document, some 150 bytes a record of several.
    """

    def __init__(self) -> None:
        self._masks: defaultdict[tuple[int, int], defaultdict[int, int]] = defaultdict(
            lambda: defaultdict(int)
        )

    def add(self, place: Place) -> None:
        """
        Add a document.
        """
        word, bit = _bit(place)
        self._masks[place.partition, place.leader_epoch][word] |= bit

    def update(self, others: "Places") -> None:
        """
        Add all documents of another set.
        """
        for key, words in others._masks.items():  # noqa: SLF001  of the same class
            masks = self._masks[key]
            for word, bits in words.items():
                masks[word] |= bits

    def __contains__(self, place: Place) -> bool:
        word, bit = _bit(place)
        masks = self._masks.get((place.partition, place.leader_epoch))
        return masks is not None and bool(masks.get(word, 0) & bit)

    def holds(self, place: Place) -> bool:
        """
        Tell whether the document is there, by itself or with its whole record.
        """
        return place in self or place._replace(position=None) in self


def _bit(place: Place) -> tuple[int, int]:
    """
    Give the word and the bit of a document: words below zero are of whole records.
    """
    _, _, offset, position = place
    if position is None:
        return ~(offset >> _BITS), 1 << (offset & _LOW)
    # 2^40 positions: more elements than a record has bytes.
    return (offset << 40) + (position >> _BITS), 1 << (position & _LOW)


def places_in(envelope: Envelope, topic: str, topic_id: str) -> list[Place]:
    """
    Tell which documents of a topic a dead letter or a parked document is for.

    Returns:
        Nothing for one of another topic, or of the topic of that name before it was created again.
    """
    record = envelope.record
    if record.topic() != topic or envelope.topic_id != topic_id:
        return []
    whole = Place(record.partition() or 0, record.leader_epoch() or 0, record.offset() or 0)
    return [whole._replace(position=each) for each in envelope.positions] or [whole]


class Accounts(NamedTuple):
    """
    What is known of a topic's documents besides what Elasticsearch says.

    Args:
        committed: partition → the group's offset, as it was before anything else was read.
    """

    committed: Mapping[int, int]
    dead: Places
    parked: Places
    dropped: Places

    def fate(self, place: Place) -> Fate:
        """
        Tell where a document is that is not in Elasticsearch.
        """
        if self.dead.holds(place):
            return Fate.DEAD
        if self.parked.holds(place):
            return Fate.PARKED
        if self.dropped.holds(place):
            return Fate.DROPPED
        due = place.offset < self.committed.get(place.partition, 0)
        return Fate.MISSING if due else Fate.NOT_DUE


class Finding(NamedTuple):
    """
    A document that is not where it should be, or should not be where it is.

    Args:
        kind: `missing`, `surplus` (no record of the range gives it) or `twice` (in two indices).
        in_index: Where it should be or is; None for what the collector refused.
        id: Likewise.
    """

    kind: str
    topic: str
    place: Place
    in_index: str | None = None
    id: str | None = None


class Explained:
    """
    The ids that a range of records explains, against those that a scan finds.

    Args:
        spans: partition → (first offset, offset after the last) of the range.
    """

    def __init__(self, topic_id: str, spans: Mapping[int, tuple[int, int]]) -> None:
        self._topic_id = topic_id
        self._spans = spans
        self._explained = Places()
        self._seen = Places()

    def add(self, document_id: str) -> None:
        """
        Note the id of a document of the range.
        """
        place = place_of(self._topic_id, document_id)
        assert place is not None
        self._explained.add(place)

    def judge(self, document_id: str) -> tuple[str, Place] | None:
        """
        Tell what is wrong with an id that is in Elasticsearch.

        Returns:
            `surplus` (no record of the range explains it) or `twice` (it was seen before, in
            another index), and its place. None when it is right or is not of the range.
        """
        place = place_of(self._topic_id, document_id)
        begin, end = self._spans.get(place.partition, (0, 0)) if place else (0, 0)
        if place is None or not begin <= place.offset < end:
            return None
        if place not in self._explained:
            return "surplus", place
        if place in self._seen:
            return "twice", place
        self._seen.add(place)
        return None


def index_patterns(target: Target) -> list[str]:
    """
    Give patterns that together match every index the documents of a topic can be in.
    """
    form = target.route.names
    held = [(text,) * len(form.fields) for text in ("a", "z")]
    found = {
        _pattern([target.index(time_ms, values) for time_ms in _TIMES_MS for values in held]),
        _pattern([target.index(_NO_TIME, values) for values in held]),
    }
    if target.route.new_per_hour_max is not None:
        found |= {_pattern(list(map(form.overflow, _TIMES_MS))), form.overflow(_NO_TIME)}
    return sorted(found)


def _pattern(names: list[str]) -> str:
    head = _common(names)
    tail = _common([name[len(head) :][::-1] for name in names])[::-1]
    return head if len(set(names)) == 1 else f"{head}*{tail}"


def _common(texts: list[str]) -> str:
    return commonprefix(texts)  # noqa: RUF071  character by character is what is meant
