"""
An independent reader of bulk bodies. It knows the NDJSON of the Bulk API and nothing of the sink.

Source: Elasticsearch 8.19, "Bulk API": one action line, one source line, each ended by a newline;
"Create index API", path parameters: which names are legal.
"""

import json
import sys
from dataclasses import dataclass
from typing import Any

from fuzz.broken import Broken, must

_OP_TYPES = ("create", "index")
_NAME_BYTES_MAX = 255
_ID_BYTES_MAX = 512
_DEPTH_MAX = 20_000  # what the sink lets pass may be nested deeper than Python's own limit


@dataclass(frozen=True, slots=True)
class Document:
    """
    One document of a bulk body.
    """

    op_type: str
    index: str
    id: str | None
    source: bytes


def documents_of(body: bytes) -> list[Document]:
    """
    Split a bulk body into its documents.

    Raises:
        Broken: It is no sequence of actions, each followed by one JSON object.
    """
    if not body:
        return []
    must(body.endswith(b"\n"), f"the body's last line has no end: {body[-100:]!r}")
    lines = body[:-1].split(b"\n")
    must(len(lines) % 2 == 0, f"{len(lines)} lines are not two a document: {body[:300]!r}")
    return [_document(*pair) for pair in zip(lines[0::2], lines[1::2], strict=True)]


def parsed(text: bytes) -> Any:
    """
    Parse JSON as the standard says it: no NaN, no byte order mark, UTF-8 only, at any depth.

    Numbers are kept as text: how large one may be is no question of framing.

    Raises:
        ValueError: It is none.
    """
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(_DEPTH_MAX)
    try:
        return json.loads(text.decode(), parse_int=str, parse_float=str, parse_constant=_refused)
    finally:
        sys.setrecursionlimit(limit)


def check_index(name: str) -> None:
    """
    Hold the name of an index against Elasticsearch's rules.

    Raises:
        Broken: No index may have this name.
    """
    must(name and name not in (".", ".."), f"index {name!r}")
    must(name[0] not in "-_+", f"index {name!r} begins with {name[:1]!r}")
    must(name == name.lower(), f"index {name!r} is not lower case")
    must(len(name.encode()) <= _NAME_BYTES_MAX, f"index {name!r} is longer than 255 bytes")
    illegal = {each for each in name if each in '\\/*?"<>| ,#:' or each < " "}
    must(not illegal, f"index {name!r} holds {illegal}")


def check_ids(documents: list[Document]) -> None:
    """
    Hold ids to be there, each another, and none longer than Elasticsearch takes.
    """
    ids = [document.id for document in documents]
    must(None not in ids, "a document has no id")
    must(len(set(ids)) == len(ids), f"ids are not unique: {sorted(map(str, ids))}")
    long = [each for each in ids if each is not None and len(each.encode()) > _ID_BYTES_MAX]
    must(not long, f"ids over 512 bytes spoil a whole bulk: {long}")


def _document(action_line: bytes, source: bytes) -> Document:
    try:
        action, value = _pairs(action_line), parsed(source)
    except ValueError as error:
        raise Broken(f"no JSON: {error}: {action_line!r} {source[:300]!r}") from error
    must(isinstance(value, dict), f"a source is no JSON object: {source[:300]!r}")
    must(len(action) == 1, f"an action of {len(action)} keys: {action_line!r}")
    ((op_type, target),) = action
    must(op_type in _OP_TYPES, f"action {op_type!r}: {action_line!r}")
    names = [name for name, _ in target]
    must(
        set(names) <= {"_index", "_id"} and len(set(names)) == len(names),
        f"an action names {names}: {action_line!r}",
    )
    told = dict(target)
    must(all(isinstance(each, str) for each in told.values()), f"no texts: {action_line!r}")
    must("_index" in told, f"an action without an index: {action_line!r}")
    return Document(op_type, told["_index"], told.get("_id"), source)


def _pairs(action_line: bytes) -> list[tuple[str, Any]]:
    """
    Parse an object as its pairs: a key that stands twice is seen.
    """
    pairs = json.loads(action_line.decode(), object_pairs_hook=list)
    well_formed = isinstance(pairs, list) and all(
        isinstance(pair, tuple) and isinstance(pair[1], list) for pair in pairs
    )
    must(well_formed, f"no action: {action_line!r}")
    return list(pairs)


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
