"""
The bytes of a record: a mapping of an application becomes JSON that every reader takes.
"""

import json
import math
from collections.abc import Mapping
from datetime import date, time
from typing import Any


def encode(value: bytes | str | Mapping[str, Any]) -> bytes:
    """
    Give the bytes of a record: a mapping becomes JSON that every reader takes.

    Values that JSON does not know become text. Half a surrogate pair becomes a question mark.
    """
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode(errors="replace")
    try:
        text = _JSON.encode(value)
    except Exception:  # not a number, a cycle, a key that is no text, a __str__ that raises
        text = _JSON.encode({_text(key): _scalar(inner) for key, inner in value.items()})
    return text.encode(errors="replace")


def _known(value: object) -> object:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return list(value)
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _scalar(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if type(value) is int and value.bit_length() < 64:
        return value
    return value if type(value) is float and math.isfinite(value) else _text(value)


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"


_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_known)
