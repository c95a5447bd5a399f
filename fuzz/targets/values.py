"""
Record values, by every collector and route, from a poll to the bodies of its bulks.

An input: `<route> <collector> <topic> <docs_max> <bytes_max>`, then the records, each behind a
separator: `<time|-> <offsets left out> <leader epochs on|-> <partition> <|-> <headers>`, then its
value; the last `-` is for a tombstone.
"""

import base64
import json
import re

from fuzz.bodies import check_ids, check_index
from fuzz.broken import must
from fuzz.carrying import Carried, carry
from fuzz.inputs import SEPARATOR, Words, headed
from fuzz.letters import check_letter
from fuzz.routing import COLLECTORS, TOPICS, WAYS, targets_of
from sink.core.json_objects import BYTE_ORDER_MARK, is_object
from sink.core.letters import letters_of_rejected
from sink.core.record import Headers, Record
from sink.core.stamp import Heads
from sink.testing import FakeRecord

_INT64_MAX = 2**63 - 1
_RECORDS_MAX = 12
_COMPARED_MAX = 6
_EMPTY = re.compile(rb"\{\s*\}")
_LOG_COLLECTORS = COLLECTORS[:2]


def one(data: bytes) -> None:
    """
    Hold what must be true of any records.
    """
    head, *chunks = data.split(SEPARATOR)
    words = Words(head)
    way, collector, topic = words.pick(0, WAYS), words.pick(1, COLLECTORS), words.pick(2, TOPICS)
    docs_max = words.number(3, 1, 1000, default=1000)
    bytes_max = words.number(4, 1, 10**7, default=10**7)
    records = _records(topic, chunks[:_RECORDS_MAX])
    carried = carry(records, targets_of(way, collector, topic), docs_max, bytes_max)
    _check_accounts(carried, records)
    if way.with_ids:
        check_ids(carried.documents)
    for document in carried.documents:
        check_index(document.index)
        must(document.op_type == way.op_type, f"{document.op_type} is not {way.op_type}")
    for letter in letters_of_rejected(carried.rejected):
        check_letter(letter)
    if collector.checked:
        _check_is_fit(carried)
    if collector in _LOG_COLLECTORS:
        for document, record in zip(carried.documents, carried.records, strict=True):
            _check_nothing_is_lost(document.source, record, records)
    if len(records) <= _COMPARED_MAX:
        one_by_one = [
            document
            for record in records
            for document in carry([record], targets_of(way, collector, topic), 1, 1).documents
        ]
        must(carried.documents == one_by_one, "one by one, the same records give other documents")


def _records(topic: str, chunks: list[bytes]) -> list[Record]:
    records: list[Record] = []
    offsets: dict[int, int] = {}
    epochs: dict[int, int] = {}
    for chunk in chunks:
        words, value = headed(chunk)
        partition = words.number(3, 0, 2)
        offset = offsets.get(partition, 0) + words.number(1, 0, 10**12)
        epochs[partition] = epochs.get(partition, 0) + words.number(2, 0, 10**6)
        offsets[partition] = offset + 1
        records.append(
            FakeRecord(
                topic,
                partition,
                offset,
                None if words.is_none(4) else value,
                key=value[:3] or None,
                headers=_headers(words),
                timestamp_ms=(
                    None if words.is_none(0) else words.number(0, -_INT64_MAX, _INT64_MAX)
                ),
                leader_epoch=None if words.is_none(2) else epochs[partition],
            )
        )
    return records


def _headers(words: Words) -> Headers:
    """
    Read `name=value`, or a name alone.
    """
    pairs = [word.partition(b"=") for word in words.rest(5)]
    return [(name.decode(errors="replace"), value if eq else None) for name, eq, value in pairs]


def _check_accounts(carried: Carried, records: list[Record]) -> None:
    """
    Hold that each record became documents or letters, or was dropped by a rule, and that is all.
    """
    made = [*carried.records, *(each.record for each in carried.rejected)]
    told = {(each.partition(), each.offset()) for each in made}
    dropped = carried.dropped.total()
    must(
        len(told) + dropped == len(records),
        f"{len(records)} records: {len(told)} told of, {dropped} dropped",
    )


def _check_is_fit(carried: Carried) -> None:
    """
    Hold that a collector of the sink's own gives objects with a time, and fails for no value.
    """
    for document in carried.documents:
        must(is_object(document.source), f"{document.source!r} is no object")
        must("@timestamp" in json.loads(document.source), f"{document.source!r} has no time")
    for rejected in carried.rejected:
        must(rejected.error_type != "collector_exception", rejected.reason)


def _check_nothing_is_lost(source: bytes, made_of: Record, records: list[Record]) -> None:
    """
    Hold that a document of the log collector is a part of its record's value, or all of it as text.
    """
    whole = next(
        record.value()
        for record in records
        if (record.partition(), record.offset()) == (made_of.partition(), made_of.offset())
    )
    assert isinstance(whole, bytes)
    head = Heads()[made_of.timestamp()[1]]
    if source == head[:-1] + b"}" and _EMPTY.search(whole):
        return
    if source.replace(head, b"{", 1) in whole.replace(b"\n", b" "):
        return
    document = json.loads(source)
    text = document["msg"].encode()
    kept = base64.b64decode(document["msg_base64"]) if "msg_base64" in document else text
    must(kept == whole.removeprefix(BYTE_ORDER_MARK), f"{whole!r} became {source!r}")
