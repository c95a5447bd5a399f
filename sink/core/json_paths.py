"""
Fields of a JSON object by name: found, taken out and put in without reading what they hold.

A name with dots is the field of that name, else the way to one: `a.b` is `{"a.b": …}`, then
`{"a": {"b": …}}`. So Elasticsearch reads both; a way does not lead into arrays.
"""

from collections.abc import Iterator

import msgspec

from sink.core.json_objects import REFUSED

Fields = dict[str, msgspec.Raw]

_fields_of = msgspec.json.Decoder(Fields).decode


def fields_of(json_object: bytes | msgspec.Raw) -> Fields:
    """
    Take an object to pieces: each field with the bytes of its value. Of two alike the last stays.

    Raises:
        msgspec.DecodeError, RecursionError: It is none.
    """
    return _fields_of(json_object)


def json_of_fields(fields: Fields) -> bytes:
    """
    Put an object together again.
    """
    return msgspec.json.encode(fields)


def field(fields: Fields, name: str) -> msgspec.Raw | None:
    """
    Give the value of a field; None where there is none.
    """
    if name in fields:
        return fields[name]
    inner = ((_object(fields, head), tail) for head, tail in ways(name))
    found = (field(its, tail) for its, tail in inner if its is not None)
    return next((value for value in found if value is not None), None)


def without(fields: Fields, name: str) -> tuple[Fields, msgspec.Raw | None]:
    """
    Take a field out. An object that held nothing else stays, empty.

    Returns:
        The other fields, and the value; the same fields and None where there is no such field.
    """
    if name in fields:
        rest = fields.copy()
        return rest, rest.pop(name)
    for head, tail in ways(name):
        inner = _object(fields, head)
        rest, value = without(inner, tail) if inner is not None else (fields, None)
        if value is not None:
            return fields | {head: msgspec.Raw(msgspec.json.encode(rest))}, value
    return fields, None


def without_any(fields: Fields, name: str) -> Fields:
    """
    Take a field out wherever it is: by its name, on each way to it, and with all that is below it.
    """
    below = name + "."
    rest = {own: value for own, value in fields.items() if own != name}
    rest = {own: value for own, value in rest.items() if not own.startswith(below)}
    for head, tail in ways(name):
        inner = _object(rest, head)
        left = None if inner is None else without_any(inner, tail)
        if left != inner:
            rest[head] = msgspec.Raw(msgspec.json.encode(left))
    return rest


def only(fields: Fields, names: tuple[str, ...]) -> Fields:
    """
    Keep some fields, wherever they are, with all that is below them.

    What a way leads to keeps the objects on its way.
    """
    kept: Fields = {}
    inside: dict[str, tuple[str, ...]] = {}
    for name in names:
        below = name + "."
        kept |= {own: its for own, its in fields.items() if own == name or own.startswith(below)}
        for head, tail in ways(name):
            inside[head] = (*inside.get(head, ()), tail)
    for head, tails in inside.items():
        inner = None if head in kept else _object(fields, head)
        part = only(inner, tails) if inner is not None else {}
        if part:
            kept[head] = msgspec.Raw(msgspec.json.encode(part))
    return {name: kept[name] for name in fields if name in kept}


def heads(name: str) -> Iterator[str]:
    """
    Give the fields in which the way to a field may begin, itself included.
    """
    yield from (head for head, _ in ways(name))
    yield name


def ways(name: str) -> Iterator[tuple[str, str]]:
    """
    Split a name at each of its dots.
    """
    at = name.find(".")
    while at >= 0:
        yield name[:at], name[at + 1 :]
        at = name.find(".", at + 1)


def _object(fields: Fields, name: str) -> Fields | None:
    value = fields.get(name)
    try:
        return None if value is None else _fields_of(value)
    except REFUSED:
        return None
