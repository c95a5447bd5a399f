"""
What stands in the body of a template: whose it is, which version, what it was before.

Also of a lifecycle policy, whose `_meta` is the same.
"""

import hashlib
import json
from collections.abc import Mapping

OWNER = "ekk-sink"

Body = Mapping[str, object]

_CHECKSUM, _PREVIOUS, _ROLLED_BACK_FROM = "checksum", "previous", "rolled_back_from"
_NOT_CONTENT = frozenset({_CHECKSUM, _PREVIOUS, _ROLLED_BACK_FROM})


def is_own(body: Body) -> bool:
    """
    Tell whether a sink wrote a template.
    """
    return meta_of(body).get("owner") == OWNER


def version_of(body: Body) -> int:
    """
    Give the version of a template that a sink wrote; 0 where it has none.
    """
    version = meta_of(body).get("version")
    return version if type(version) is int else 0


def checksum(body: Body) -> str:
    """
    Give the SHA-256 of a template's canonical JSON, without what says how it came to be there.
    """
    canonical = json.dumps(content(body), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def content(body: Body) -> dict[str, object]:
    """
    Leave out of a template its checksum, its previous version and what it was rolled back from.
    """
    meta = {key: value for key, value in meta_of(body).items() if key not in _NOT_CONTENT}
    return {**body, "_meta": meta}


def signed(body: Body) -> dict[str, object]:
    """
    Say in a template that it is the sink's, and what its checksum is.
    """
    owned = {**body, "_meta": {**meta_of(body), "owner": OWNER}}
    return {**owned, "_meta": {**meta_of(owned), _CHECKSUM: checksum(owned)}}


def same_but_patterns(one: Body, other: Body) -> bool:
    """
    Tell whether two templates differ in nothing but their index patterns.
    """
    return _mark(one) == _mark(other)


def succeeding(body: Body, existing: Body) -> dict[str, object]:
    """
    Keep in a template the one that it takes the place of.

    One that merely gets more patterns keeps what was before it.
    """
    before: object = content(existing)
    if same_but_patterns(body, existing):
        before = meta_of(existing).get(_PREVIOUS)
    kept = {} if before is None else {_PREVIOUS: before}
    return {**body, "_meta": {**meta_of(body), **kept}}


def previous_of(body: Body) -> Body | None:
    """
    Give the template that was there before; None where none is kept.
    """
    previous = meta_of(body).get(_PREVIOUS)
    return previous if isinstance(previous, Mapping) else None


def rolled_back(body: Body) -> dict[str, object] | None:
    """
    Put the previous version in the place of a template, with all patterns of both.

    The one that was there becomes the previous: rolled back again, it is back.
    """
    previous = previous_of(body)
    if previous is None:
        return None
    patterns = sorted({*strings(body, "index_patterns"), *strings(previous, "index_patterns")})
    widened = {**previous, **({"index_patterns": patterns} if patterns else {})}
    back = signed(widened)
    meta = {**meta_of(back), _PREVIOUS: content(body), _ROLLED_BACK_FROM: _mark(body)}
    return {**back, "_meta": meta}


def was_rolled_back_from(existing: Body, wanted: Body) -> bool:
    """
    Tell whether a person rolled just the wanted template back.
    """
    return meta_of(existing).get(_ROLLED_BACK_FROM) == _mark(wanted)


def meta_of(body: Body) -> Body:
    """
    Give `_meta` of a template; empty where it has none.
    """
    meta = body.get("_meta")
    return meta if isinstance(meta, Mapping) else {}


def strings(body: Body, key: str) -> list[str]:
    """
    Give a list of texts in a body; empty where there is none.
    """
    found = body.get(key)
    return [str(each) for each in found] if isinstance(found, list) else []


def _mark(body: Body) -> str:
    """
    Tell a version of a template by its content. Its patterns grow without being another version.
    """
    return checksum({key: value for key, value in body.items() if key != "index_patterns"})
