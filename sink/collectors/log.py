"""
The default collector: JSON objects pass as the bytes they came in, anything else becomes text.
"""

import base64

import orjson

from sink.core.collect import Collector, Drop, Refused, Source
from sink.core.json_objects import (
    BYTE_ORDER_MARK,
    all_plain_objects,
    elements,
    is_object,
    lines,
    on_one_line,
)
from sink.core.record import Record


def collect(record: Record) -> Source | list[Source | Refused] | Drop:
    """
    Turn a record's value into documents.

    One JSON object is a document. A JSON array, or newline-delimited JSON, is one document an
    element; an element that is no object is refused and the others stay. All else is kept as text.
    """
    value = record.value()
    if value is None:
        return Drop("tombstone")
    if isinstance(value, str):
        value = value.encode()
    if not value:
        return Drop("empty")
    value = value.removeprefix(BYTE_ORDER_MARK)
    if is_object(value):
        return on_one_line(value)
    parts = elements(value)
    if parts is not None:
        return [_element(part) for part in parts] or Drop("empty_array")
    parts = lines(value)
    if parts is not None:
        return list(parts)
    return _text(value, record.timestamp()[1])


def _element(part: bytes) -> Source | Refused:
    if is_object(part):
        return on_one_line(part)
    return Refused("array element is not a JSON object")


def _text(value: bytes, time_ms: int) -> bytes:
    """
    Wrap what is not one JSON object, with its bytes in base64 where they are not UTF-8.
    """
    text = value.decode(errors="replace")
    document: dict[str, object] = {"logtime": time_ms, "msg": text}
    if text.encode() != value:
        document["msg_base64"] = base64.b64encode(value).decode()
    return orjson.dumps(document)


LOG = Collector("log", collect, as_they_are=all_plain_objects)
