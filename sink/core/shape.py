"""
What a route does to documents without code: drops some, and drops, renames and adds fields.

The order is fixed: drop documents, keep fields, drop fields, rename, add constants, add metadata.
Nothing of a document is overwritten: where it has a field already, it keeps its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice, repeat
from operator import add, attrgetter

import msgspec
import orjson

from sink.core.collect import Documents, Rejected
from sink.core.collector import Collector
from sink.core.fields import UNSET, loose
from sink.core.json_objects import REFUSED
from sink.core.json_paths import (
    Fields,
    fields_of,
    heads,
    json_of_fields,
    only,
    without,
    without_any,
)
from sink.core.json_paths import field as value_of
from sink.core.metadata import OF_PARTITION, column, constant, copied
from sink.core.record import Element, Record
from sink.core.stamp import TIMESTAMP, stamp

_PIECE_DOCS = 256
_UNREADABLE = "the document cannot be taken to pieces, as the route's shape wants it: "


@dataclass(frozen=True, slots=True)
class Rule:
    """
    Drops documents each of whose named fields holds one of the values, or a list with one.

    Args:
        name: Under which they are counted.
    """

    name: str
    fields: Mapping[str, tuple[object, ...]]

    def is_about(self, fields: Fields) -> bool:
        """
        Tell whether a document is dropped.
        """
        return all(_holds(value_of(fields, name), its) for name, its in self.fields.items())


@dataclass(frozen=True, slots=True)
class Shape:
    """
    What is done to the documents of a route.

    Args:
        add: Constants, as JSON.
        metadata: Field → what is known of the record, as `sink.core.metadata` names it.
    """

    drop_records: tuple[Rule, ...] = ()
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    add: Mapping[str, bytes] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


def shaped(collector: Collector, shape: Shape) -> Collector:
    """
    Give the collector whose documents have a shape.

    Where fields are only added, and the collector can tell that no document of a batch has one of
    them, they are set in front of the others without reading the documents again.
    """
    if shape == Shape():
        return collector
    shaper = Shaper(shape)
    batch = None
    if shaper.only_adds and collector.lacking is not None:
        batch = collector.lacking(shaper.names)
    return replace(
        collector,
        shape=shaper.shape,
        shape_lacking=None if batch is None else (batch, shaper.shape_lacking),
    )


class Shaper:
    """
    Shapes documents.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        constants = {name: _pair(name, value) for name, value in shape.add.items()}
        known = sorted(shape.metadata.items(), key=lambda its: its[1] not in OF_PARTITION)
        self._constants = b"".join(constants.values())
        self._of_partition = [copied(its, to) for to, its in known if its in OF_PARTITION]
        self._columns = [column(its, to) for to, its in known if its not in OF_PARTITION]
        self._added = {name: constant(its) for name, its in constants.items()}
        self._added |= {to: copied(its, to) for to, its in known}
        asked = {name for rule in shape.drop_records for name in rule.fields}
        # With a dot a name is a way to a field as well, which may begin in several.
        self.names = tuple(sorted({head for n in (*self._added, *asked) for head in heads(n)}))
        self._loose = loose(self.names, None)
        self._getters = [(name, attrgetter(f"f{n}")) for n, name in enumerate(self.names)]
        self._takes_apart = bool(shape.keep or shape.drop or shape.rename)
        self.only_adds = not (self._takes_apart or shape.drop_records)

    def shape_lacking(self, documents: Documents) -> None:
        """
        Add fields to documents of one partition that have none of them, and others.

        Cost: 0.2 µs a 541-byte document for what is the same for its partition, 0.1 more for the
        offset, 1 for a key.
        """
        first = documents.records[0]
        head = b"{" + self._constants + b"".join(its(first) for its in self._of_partition)
        fronts: Iterable[bytes] = repeat(head)
        for number, column_of in enumerate(self._columns):
            last = column_of(documents, b"" if number else head)
            fronts = map(add, fronts, last) if number else last
        sources = documents.sources
        added = map(bytes.replace, sources, repeat(b"{"), fronts, repeat(1))
        # Piece by piece: the poll would be there twice more for a moment.
        for begin in range(0, len(sources), _PIECE_DOCS):
            sources[begin : begin + _PIECE_DOCS] = islice(added, _PIECE_DOCS)

    def shape(self, documents: Documents) -> None:
        """
        Shape documents one by one. One that cannot be read is rejected, the others are not.
        """
        out: set[int] = set()
        for position, record in enumerate(documents.records):
            try:
                answer = self._shaped(documents.sources[position], record)
            except REFUSED as failure:
                documents.rejected.append(_rejected(record, str(failure)))
                out.add(position)
                continue
            if isinstance(answer, Rule):
                documents.dropped[answer.name] += 1
                out.add(position)
            else:
                documents.sources[position] = answer
        _renew_elements(documents)
        if out:
            documents.leave_out(out)

    def _shaped(self, source: bytes, record: Record) -> bytes | Rule:
        fields = self._asked(source) if self.names else {}
        for rule in self._shape.drop_records:
            if rule.is_about(fields):
                return rule
        if self._takes_apart:
            fields = self._with_fields(fields_of(source))
            source = json_of_fields(fields)
        head = b"".join(
            pair(record) for name, pair in self._added.items() if value_of(fields, name) is None
        )
        return stamp(source, b"{" + head) if head else source

    def _asked(self, source: bytes) -> Fields:
        """
        Read the fields that rules ask for, and those that may be there already.
        """
        found = self._loose(source)
        each = ((name, its(found)) for name, its in self._getters)
        return {name: value for name, value in each if value is not UNSET}

    def _with_fields(self, fields: Fields) -> Fields:
        """
        Keep, drop and rename fields.
        """
        shape = self._shape
        if shape.keep:
            fields = only(fields, (TIMESTAMP, *shape.keep))
        for name in shape.drop:
            fields = without_any(fields, name)
        for name, new in shape.rename.items():
            rest, value = without(fields, name)
            if value is not None and value_of(rest, new) is None:
                fields = rest | {new: value}
        return fields


def _renew_elements(documents: Documents) -> None:
    """
    Let each document out of a list be what its dead letter holds: that is sent again as it is.
    """
    if any(isinstance(record, Element) for record in documents.records):
        documents.records = [
            Element(record.whole, record.position, source)
            if isinstance(record, Element)
            else record
            for record, source in zip(documents.records, documents.sources, strict=True)
        ]


def _rejected(record: Record, failure: str) -> Rejected:
    if isinstance(record, Element):
        return Rejected(record.whole, (record.position,), "shape", _UNREADABLE + failure)
    return Rejected(record, (), "shape", _UNREADABLE + failure)


def _pair(name: str, value: bytes) -> bytes:
    return orjson.dumps(name) + b":" + value + b","


def _holds(raw: msgspec.Raw | None, wanted: tuple[object, ...]) -> bool:
    """
    Tell whether a field holds a value, or a list with it. 1 is 1.0, and is neither true nor "1".
    """
    if raw is None:
        return False
    try:
        found = msgspec.json.decode(raw)
    except REFUSED:  # a number of no size
        return False
    values = found if isinstance(found, list) else [found]
    return any(_alike(value, each) for value in values for each in wanted)


def _alike(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)
