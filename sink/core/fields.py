"""
The few fields of a document that a collector must know, read without building the others.
"""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

UNSET = msgspec.UNSET
# No number is below itself: a document that has such a field is refused.
_ABSENT = Annotated[int, msgspec.Meta(ge=1, le=0)] | msgspec.UnsetType
_RAW = msgspec.Raw | msgspec.UnsetType

Decode = Callable[[bytes], Any]


def strict(absent: tuple[str, ...], time_field: str | None, shape: dict[str, Any]) -> Decode:
    """
    Make a decoder that refuses a document that cannot stay as it is.

    Args:
        absent: Fields that it must not have.
        time_field: Is given as `.time`, `UNSET` where it is missing.
        shape: The types of other fields.
    Returns:
        Raises `msgspec.DecodeError` or `RecursionError`.
    """
    return _decoder([*_judged(absent, shape), *_time(time_field, absent)])


def dated(name: str, absent: tuple[str, ...], shape: dict[str, Any]) -> Decode:
    """
    Make a decoder that refuses a document that has no time, or cannot stay as it is otherwise.

    Args:
        name: Of the field that holds the time; it is given as `.time`, in the bytes it came in.
        absent: As `strict` takes them, like the shape.
    """
    fields: list[Any] = [("time", msgspec.Raw, msgspec.field(name=name))]
    return _decoder(fields + _judged(absent, shape))


def loose(names: tuple[str, ...], time_field: str | None) -> Decode:
    """
    Make a decoder that takes any JSON object and gives some fields as the bytes they came in.

    Returns:
        The first is `.f0` of what it gives, and so on; the time field is `.time`.
    """
    fields = [_field(f"f{n}", _RAW, name) for n, name in enumerate(names)]
    return _decoder([*fields, *_time(time_field, names, _RAW)])


def _judged(absent: tuple[str, ...], shape: dict[str, Any]) -> list[Any]:
    fields = [_field(f"f{n}", _ABSENT, name) for n, name in enumerate(absent)]
    return fields + [_field(f"s{n}", type_, name) for n, (name, type_) in enumerate(shape.items())]


def _time(name: str | None, others: tuple[str, ...], type_: Any = Any) -> list[Any]:
    return [] if name is None or name in others else [_field("time", type_, name)]


def _field(attribute: str, type_: Any, name: str) -> Any:
    return (attribute, type_, msgspec.field(name=name, default=UNSET))


def _decoder(fields: list[Any]) -> Decode:
    return msgspec.json.Decoder(msgspec.defstruct("Fields", fields, gc=False)).decode
