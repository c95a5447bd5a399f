"""
Kong's kafka-log plugin: one object a request, `started_at` in milliseconds.

Older versions write the sizes of request and response as strings; they become numbers, so that
what reads the documents finds one type.
"""

import re

import msgspec

from sink.collectors.objects import Format, collector_of
from sink.collectors.text import no_object
from sink.core.collector import Answer
from sink.core.fields import UNSET, strict
from sink.core.json_objects import REFUSED, on_one_line
from sink.core.record import Record
from sink.errors import Reject

_SIDES = ("request", "response")
_OLDER_SIZE = b'"size":"'
_DIGITS = re.compile(rb'(0|[1-9][0-9]{0,17})"')
_fields_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class _Side(msgspec.Struct):
    """
    A request or a response that may stay as it is.
    """

    size: int | float | msgspec.UnsetType | None = UNSET


class _OlderSide(msgspec.Struct):
    size: str


class _Older(msgspec.Struct):
    request: _OlderSide
    response: _OlderSide


_SHAPE = dict.fromkeys(_SIDES, _Side | msgspec.UnsetType)
_older = msgspec.json.Decoder(_Older).decode
_newer = strict((), None, _SHAPE)


def guessed(value: bytes) -> bytes:
    """
    Cut the quotes of both sizes out of an entry of an older version; leave any other as it is.

    If both are numbers in what comes out, all is well. It may be that another field is written as
    they should be, and one of them in another way.
    """
    try:
        _older(value)
    except REFUSED:
        return value
    before, *parts = value.split(_OLDER_SIZE)
    if len(parts) != len(_SIDES) or not all(map(_DIGITS.match, parts)):
        return value
    return b'"size":'.join([before, *(part.replace(b'"', b"", 1) for part in parts)])


def numbered(value: bytes) -> bytes:
    """
    Make numbers of the sizes of an entry that are strings of digits; all else stays as it is.
    """
    guess = guessed(value)
    try:
        _newer(guess)
    except REFUSED:
        return _written_anew(value)
    return guess


def _written_anew(value: bytes) -> bytes:
    """
    Take an entry to pieces and put it together again.
    """
    entry = _fields_of(value)
    found = {side: its for side in _SIDES if (its := _with_number(entry.get(side))) is not None}
    return on_one_line(msgspec.json.encode(entry | found)) if found else value


def _with_number(side: msgspec.Raw | None) -> msgspec.Raw | None:
    """
    Write a request or response anew; None where there is nothing to change.
    """
    try:
        fields = {} if side is None else _fields_of(side)
    except msgspec.DecodeError:  # it is no object
        return None
    size = bytes(fields.get("size", b""))
    if not size.startswith(b'"') or not _DIGITS.fullmatch(size, 1):
        return None
    return msgspec.Raw(msgspec.json.encode(fields | {"size": msgspec.Raw(size[1:-1])}))


def _refused(value: bytes, _: Record) -> Answer:
    raise Reject(
        f"{no_object(value)}, and no array of them, as Kong's kafka-log plugin writes; "
        "what else writes to this topic? The collectors log and raw keep any text"
    )


KONG = collector_of(
    Format(
        "kong",
        _refused,
        time_field="started_at",
        shape=_SHAPE,
        mend=numbered,
        guess=guessed,
    )
)
