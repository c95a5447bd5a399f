"""
The action line in front of each document of a bulk.

Source: Elasticsearch, "Bulk API", request body.
"""

from collections.abc import Sequence

import orjson

from sink.core.numbered import ends, halves

_ID_MARK = b'","_id":"'
_ENDS = ends(b'"}}')


def action_head(op_type: str, pipeline: str | None) -> bytes:
    """
    Make what stands in front of index and id in an action line.
    """
    given = b"" if pipeline is None else b'"pipeline":%b,' % orjson.dumps(pipeline)
    return b'{"%b":{%b' % (op_type.encode(), given)


def action_prefix(
    op_type: str, index: str, id_prefix: str | None, pipeline: str | None = None
) -> bytes:
    """
    Make what the action lines of one partition and one index have in common, up to the offset.

    Args:
        op_type: `create` or `index`.
        index: A legal index name: no character in it needs escaping in JSON.
        id_prefix: `<topic id>-<partition>-<leader epoch>-`; None to let Elasticsearch pick ids.
        pipeline: Of the cluster, that the documents go through.
    """
    head = action_head(op_type, pipeline) + b'"_index":"%b' % index.encode()
    return head + b'"}}' if id_prefix is None else head + _ID_MARK + orjson.dumps(id_prefix)[1:-1]


def action_lines(prefix: bytes, ids: Sequence[int] | list[bytes], *, with_id: bool) -> list[bytes]:
    """
    Make the action line of each document. Cost: 0.12 µs a document (one call in C a line).
    """
    if not with_id:
        return [prefix] * len(ids)
    mark = b"%d" if isinstance(ids, range) or (ids and isinstance(ids[0], int)) else b"%b"
    return list(map((prefix.replace(b"%", b"%%") + mark + b'"}}').__mod__, ids))


def action_halves(prefix: bytes, offsets: range) -> tuple[list[bytes], list[bytes]]:
    """
    Do what `action_lines` does for offsets in a row, in two halves that many lines share.

    0.02 µs a document instead of 0.16: nothing is formatted or allocated for a line.

    Returns:
        Begin and end of each line.
    """
    return halves(prefix, offsets, _ENDS)


def field_lines(prefix: bytes, ids: Sequence[bytes], versions: Sequence[int] | None) -> list[bytes]:
    """
    Make the action line of each document that brings its id with it. Cost: 0.15 µs a document.

    Args:
        prefix: As `action_prefix` makes it without ids.
        ids: As JSON.
        versions: External ones; None for none. An equal one is accepted: a record that is read
            again, and the later of two documents of one record.
    """
    head = prefix[:-2] + b',"_id":'
    if versions is None:
        return [head + each + b"}}" for each in ids]
    form = head.replace(b"%", b"%%") + b'%b,"version":%d,"version_type":"external_gte"}}'
    return [form % pair for pair in zip(ids, versions, strict=True)]


def action_line(
    head: bytes, index: str | None, document_id: str | None, version: int | None
) -> bytes:
    """
    Make the action line of one document, whose index and id are of any origin: safe in any case.

    Args:
        head: As `action_head` makes it.
    """
    named = {"_index": index, "_id": document_id}
    target: dict[str, object] = {key: value for key, value in named.items() if value is not None}
    if version is not None:
        target |= {"version": version, "version_type": "external_gte"}
    return head + orjson.dumps(target)[1:] + b"}"
