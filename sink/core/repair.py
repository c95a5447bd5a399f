"""
Mapping conflicts: the field that Elasticsearch could not take is kept beside, as text.

`level` becomes `level_conflict`, in the object that holds it. Only once: a document that is refused
again goes to the dead letters as it came.

Source: the reasons of Elasticsearch 8.19 and 9.5, as tests/fixtures/answers has them.
"""

import re
from collections.abc import Sequence

import msgspec
import orjson

from sink.config import RouteSettings
from sink.core.json_objects import REFUSED
from sink.core.json_paths import Fields, fields_of, json_of_fields, ways
from sink.core.outcome import Outcome, Verdict
from sink.core.stamp import TIMESTAMP, stamp

CONFLICT_FIELD = "conflict_field"  # the setting's value
_SUFFIX = "_conflict"
REPAIRED_MARK = b'{"sink.repaired":['  # a built-in collector's document begins with another field
_TYPES = frozenset({"document_parsing_exception", "mapper_parsing_exception"})
_REASON = re.compile(
    r"(?:\[\d+:\d+\] )?"
    r"(?:failed to parse field \[(?P<value>.+?)\] of type \["
    r"|object mapping for \[(?P<object>.+?)\] tried to parse field \[)",
    re.DOTALL,
)
_array_of = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Repairs:
    """
    Knows the topics whose documents are repaired, and repairs them.
    """

    def __init__(self, routes: Sequence[RouteSettings]) -> None:
        self._routes = routes
        self._wanted: dict[str, bool] = {}
        self.any = any(route.repair == CONFLICT_FIELD for route in routes)

    def repaired(self, topic: str, source: bytes, verdict: Verdict) -> bytes | None:
        """
        Repair a document that was refused; None where that is not wanted, or cannot be done.
        """
        if not self.any or verdict.outcome is not Outcome.DEAD or not self._wants(topic):
            return None
        field = conflicting_field(verdict)
        # Without a time Kibana would show the document to nobody, and a data stream refuses it.
        if field in (None, TIMESTAMP) or is_repaired(source):
            return None
        return without_conflict(source, field)

    def _wants(self, topic: str) -> bool:
        wanted = self._wanted.get(topic)
        if wanted is None:
            route = next((route for route in self._routes if route.covers(topic)), None)
            wanted = self._wanted[topic] = route is not None and route.repair == CONFLICT_FIELD
        return wanted


def is_repaired(source: bytes) -> bool:
    """
    Tell whether a document was repaired.
    """
    return source.startswith(REPAIRED_MARK)


def conflicting_field(verdict: Verdict) -> str | None:
    """
    Read which field it was that Elasticsearch could not take, with the way to it.
    """
    found = _REASON.match(verdict.reason) if verdict.error_type in _TYPES else None
    return found and (found["value"] or found["object"])


def without_conflict(source: bytes, field: str) -> bytes | None:
    """
    Put the value of a field beside it as text, and say so in `sink.repaired`.

    Returns:
        None where there is no such field, or its new name is taken.
    """
    try:
        fields = _moved(fields_of(source), field)
    except REFUSED:
        return None
    if fields is None:
        return None
    return stamp(json_of_fields(fields), b"%b%b]," % (REPAIRED_MARK, orjson.dumps(field)))


def _moved(fields: Fields, name: str) -> Fields | None:
    # Fields `a.b` and `a.c` are an object `a` to Elasticsearch: together they are what it refuses,
    # also where there is an `a` besides (the labels `app` and `app.kubernetes.io/name`).
    inner = {key: its for key, its in fields.items() if key.startswith(name + ".")}
    if inner or name in fields:
        gone = inner or {name: fields[name]}
        held = {key[len(name) + 1 :]: its for key, its in inner.items()}
        value = json_of_fields(held) if inner else bytes(fields[name])
        new = name + _SUFFIX
        left = {key: its for key, its in fields.items() if key not in gone}
        return None if new in fields else left | {new: msgspec.Raw(_as_text(value))}
    for head, tail in ways(name):
        value_there = fields.get(head)
        moved = None if value_there is None else _moved_inside(value_there, tail)
        if moved is not None:
            return fields | {head: moved}
    return None


def _moved_inside(value: msgspec.Raw, name: str) -> msgspec.Raw | None:
    """
    Do the same in an object, or in each object of an array: the reason does not tell in which.
    """
    begin = bytes(value)[:1]
    if begin == b"{":
        fields = _moved(fields_of(value), name)
        return None if fields is None else msgspec.Raw(json_of_fields(fields))
    if begin != b"[":
        return None
    items = _array_of(value)
    moved = [_moved_inside(item, name) for item in items]
    if not any(moved):
        return None
    kept = [new or old for new, old in zip(moved, items, strict=True)]
    return msgspec.Raw(msgspec.json.encode(kept))


def _as_text(value: bytes) -> bytes:
    return value if value.startswith(b'"') else orjson.dumps(value.decode())
