"""
What is one JSON object, and what several are, without building Python objects.

msgspec validates a 500-byte object in 0.25 µs (orjson.loads: 1.4 µs). Two holes of it are closed
here: it accepts invalid UTF-8 inside strings, and deep nesting raises RecursionError.
"""

from collections import deque
from collections.abc import Iterator

import msgspec


class _Object(msgspec.Struct):
    """
    A JSON object of any fields: they are validated, skipped and not kept.
    """


_decode_object = msgspec.json.Decoder(_Object).decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_REFUSED = (msgspec.DecodeError, RecursionError)

_PIECE = 128  # values; 16 to 256 measured, 128 the cheapest for 500 bytes
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def all_plain_objects(values: list[bytes]) -> bool:
    """
    Tell whether each value is one JSON object on one line, fit for a bulk body as it is.

    The fast form of `is_object(v)` and no newline in v, for each v: the tests hold it against
    that: 0.33 µs a 500-byte value instead of 0.47. A value that is no bytes gives False.
    """
    try:
        deque(map(_decode_object, values), maxlen=0)
        return all(map(_is_plain, _joined(values)))
    except (*_REFUSED, TypeError):
        return False


def _joined(values: list[bytes]) -> Iterator[bytes]:
    """
    Join values, a few at a time.

    A piece stays in the processor's cache, and a value that is not ASCII costs the decoding of its
    piece, not of all: 0.10 µs a value instead of 0.72.
    """
    for begin in range(0, len(values), _PIECE):
        # A space between them, or two halves of a character could make a valid one together.
        yield b" ".join(values[begin : begin + _PIECE])


def _is_plain(piece: bytes) -> bool:
    return b"\n" not in piece and _is_utf8(piece)


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
