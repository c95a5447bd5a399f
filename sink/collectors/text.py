"""
Values that are kept as text.
"""

import base64

import orjson

from sink.core.record import Record
from sink.core.stamp import TIMESTAMP, Heads, stamp

FIELDS = frozenset({TIMESTAMP, "logtime", "msg", "msg_base64"})  # that such a document has


def as_text(value: bytes, record: Record) -> bytes:
    """
    Wrap a record's value, with its bytes in base64 where they are not UTF-8.
    """
    return text_document(value, record.timestamp()[1], Heads())


def text_document(value: bytes, time_ms: int, heads: Heads) -> bytes:
    """
    Do `as_text` for a value of that time.
    """
    text = value.decode(errors="replace")
    fields = {"logtime": time_ms, "msg": text}
    if text.encode() != value:
        fields |= original(value)
    return stamp(orjson.dumps(fields), heads[time_ms])


def original(value: bytes) -> dict[str, str]:
    """
    Give the field that keeps the bytes of a value that is no UTF-8.
    """
    return {"msg_base64": base64.b64encode(value).decode()}


def no_object(value: bytes) -> str:
    """
    Say that a value is no JSON object, and what its reader stumbles over.
    """
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError as failure:
        return f"this is no JSON object ({failure})"
    return "this is JSON, but no object"
