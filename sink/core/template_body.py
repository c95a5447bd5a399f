"""
What stands in the body of a template: whose it is, which version, what it was before.

Also of a lifecycle policy, whose `_meta` is the same.
"""

import hashlib
import json
from collections.abc import Mapping

OWNER = "ekk-sink"

Body = Mapping[str, object]

# The mark tells a version by its content as it was written, whatever Elasticsearch makes of it, and
# without its patterns: those grow without being another version.
_CHECKSUM, _MARK = "checksum", "content_checksum"
_PREVIOUS, _ROLLED_BACK_FROM = "previous", "rolled_back_from"
_HISTORY = frozenset({_PREVIOUS, _ROLLED_BACK_FROM})
_NOT_CONTENT = _HISTORY | {_CHECKSUM, _MARK}


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
    Leave out of a template its checksums, its previous version and what it was rolled back from.
    """
    return _without(_NOT_CONTENT, body)


def signed(body: Body) -> dict[str, object]:
    """
    Say in a template that it is the sink's, and what its checksums are.
    """
    owned = {**body, "_meta": {**meta_of(body), "owner": OWNER}}
    bare = {key: value for key, value in owned.items() if key != "index_patterns"}
    sums = {_CHECKSUM: checksum(owned), _MARK: checksum(bare)}
    return {**owned, "_meta": {**meta_of(owned), **sums}}


def succeeding(body: Body, existing: Body, *, wider: bool = False) -> dict[str, object]:
    """
    Keep in a template the one that it takes the place of.

    Args:
        wider: It has merely more patterns, and keeps what was before it.
    """
    before = previous_of(existing) if wider else _without(_HISTORY, existing)
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
    back = {**previous, **({"index_patterns": patterns} if patterns else {})}
    meta = {
        **meta_of(signed(back)),
        **meta_of(previous),  # with its checksums: of what was written, not of what came back
        _PREVIOUS: _without(_HISTORY, body),
        _ROLLED_BACK_FROM: _mark(body),
    }
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


def _mark(body: Body) -> object:
    """
    Tell a version of a template; one of a sink that wrote no mark by what is there.
    """
    return meta_of(body).get(_MARK) or meta_of(signed(body))[_MARK]


def _without(keys: frozenset[str], body: Body) -> dict[str, object]:
    meta = {key: value for key, value in meta_of(body).items() if key not in keys}
    return {**body, "_meta": meta}
