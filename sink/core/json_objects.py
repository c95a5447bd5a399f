"""
What is one JSON object, and what several are, without building Python objects.

msgspec validates a 500-byte object in 0.25 µs (orjson.loads: 1.4 µs). Two holes of it are closed
here: it accepts invalid UTF-8 inside strings, and deep nesting raises RecursionError.
"""

from collections import deque
from itertools import filterfalse, repeat
from operator import contains

import msgspec


class _Object(msgspec.Struct):
    """
    A JSON object of any fields: they are validated, skipped and not kept.
    """


_decode_object = msgspec.json.Decoder(_Object).decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_REFUSED = (msgspec.DecodeError, RecursionError)

_NEWLINE = ord("\n")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def all_plain_objects(values: list[bytes]) -> bool:
    """
    Tell whether each value is one JSON object on one line, fit for a bulk body as it is.

    The fast form of `is_object(v)` and no newline in v, for each v: the tests hold it against
    that. 0.36 µs a 500-byte value, one in ten not ASCII. A value that is no bytes gives False.
    """
    try:
        deque(map(_decode_object, values), maxlen=0)
        # Looking for the number is a memchr: 0.03 µs a value. Looking for b"\n" is not: 0.2 µs.
        if any(map(contains, values, repeat(_NEWLINE))):
            return False
        for value in filterfalse(bytes.isascii, values):
            value.decode()
    except (*_REFUSED, TypeError, UnicodeDecodeError):
        return False
    return True


def is_object(value: bytes) -> bool:
    """
    Tell whether a value is one JSON object (it may span lines).
    """
    try:
        _decode_object(value)
    except _REFUSED:
        return False
    return _is_utf8(value)


def elements(value: bytes) -> list[bytes] | None:
    """
    Split a JSON array into its elements, each as the bytes it came in; None if it is none.
    """
    try:
        parts = _decode_array(value)
    except _REFUSED:
        return None
    return [bytes(part) for part in parts] if _is_utf8(value) else None


def lines(value: bytes) -> list[bytes] | None:
    """
    Split newline-delimited JSON into its objects; None unless there are two or more, and only they.
    """
    parts = [part for part in value.split(b"\n") if part.strip()]
    return parts if len(parts) > 1 and all(map(is_object, parts)) else None


def on_one_line(json_object: bytes) -> bytes:
    """
    Put a valid JSON object on one line. Valid JSON has raw newlines only between tokens.
    """
    return json_object.replace(b"\n", b" ")


def _is_utf8(value: bytes) -> bool:
    if value.isascii():
        return True
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
