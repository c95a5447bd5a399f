"""
How each answer that the outcome table judges is got out of a real Elasticsearch.

`python -m tests.engines.answers` records them all again, with the version in ES_VERSION.
"""

import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from elasticsearch import ApiError

from engines.elasticsearch import VERSION
from sink.core.outcome import Reply
from tests.engines.refusing import Node, one_item
from tests.recorded import Recorded, keep, told

Provoke = Callable[[Node, str], Reply]

_ATTEMPTS = 50
_LINE = b'{"m":"%s"}' % (b"x" * 1000)
_STAMPED = '{"@timestamp":"2026-01-01T00:00:00Z","known":1}'
_FIELDS = {
    "number": {"type": "long"},
    "date": {"type": "date"},
    "word": {"type": "keyword"},
    "object": {"properties": {"inner": {"type": "long"}}},
    "nested": {"type": "nested"},
    "term": {"type": "text", "analyzer": "keyword"},
}
_TYPED = {"mappings": {"properties": _FIELDS}}
_TEXT = {"mappings": {"properties": {"text": {"type": "text"}}}}

_ALL_NESTED = {"all": {"match_mapping_type": "object", "mapping": {"type": "nested"}}}
_NO_MORE_NESTED = {
    "settings": {"index.mapping.nested_fields.limit": 0},
    "mappings": {"dynamic_templates": [_ALL_NESTED]},
}


def _index(source: str = '{"a":1}', body: Mapping[str, Any] = _TYPED, **how: Any) -> Provoke:
    """
    An index made so, and one document for it.
    """

    def provoke(node: Node, name: str) -> Reply:
        node.client.indices.create(index=name, wait_for_active_shards="0", **body)
        return node.add(name, source, **how)

    return provoke


def _set(setting: str, value: object, source: str = '{"a":1}') -> Provoke:
    """
    An index with one setting.
    """
    return _index(source, {**_TYPED, "settings": {setting: value}})


def _missing(setting: str, value: object) -> Provoke:
    """
    An index that is not there, in a cluster with one setting.
    """

    def provoke(node: Node, name: str) -> Reply:
        with node.cluster(setting, value):
            return node.add(name)

    return provoke


def _twice(op_type: str) -> Provoke:
    def provoke(node: Node, name: str) -> Reply:
        node.add(name)
        return node.add(name, op_type=op_type)

    return provoke


def _into_stream(source: str, **how: Any) -> Provoke:
    def provoke(node: Node, name: str) -> Reply:
        stream = name.replace("answers-", "answers-stream-")
        node.add(stream, _STAMPED, id_="first")
        return node.add(stream, source, **how)

    return provoke


def _blocked_stream(node: Node, name: str) -> Reply:
    stream = name.replace("answers-", "answers-stream-")
    node.add(stream, _STAMPED, id_="first")
    node.client.indices.put_settings(index=stream, settings={"index.blocks.write": True})
    return node.add(stream, _STAMPED)


def _closed(node: Node, name: str) -> Reply:
    node.client.indices.create(index=name)
    node.client.indices.close(index=name)
    return node.add(name)


def _alias_without_write_index(node: Node, name: str) -> Reply:
    for number in (1, 2):
        node.client.indices.create(index=f"{name}-{number}", aliases={name: {}})
    return node.add(name)


def _piped(source: str) -> Provoke:
    """
    An index with an ingest pipeline that does nothing, which is all that this build has.
    """

    def provoke(node: Node, name: str) -> Reply:
        node.client.ingest.put_pipeline(id=name, processors=[])
        return _set("index.default_pipeline", name, source)(node, name)

    return provoke


def _without_master(node: Node, name: str) -> Reply:
    node.add(name)
    with node.files_of(1):
        with suppress(ApiError):  # a master that cannot write the cluster's state steps down
            node.client.indices.create(index=f"{name}-2", timeout="1s", master_timeout="1s")
        return node.add(name, id_="2")


def _full_disk(node: Node, name: str) -> Reply:
    node.client.indices.create(index=name)
    source = b'{"m":"%s"}' % random.Random(1).randbytes(400).hex().encode()
    lines = [b'{"create":{"_index":"%s"}}' % name.encode(), source] * 1000
    with node.files_of(4_000_000):
        return _until_an_item(node, lines, 500)


def _full_queue(node: Node, name: str) -> Reply:
    # A task a shard, for a pool of one thread and a queue of 20 places.
    node.client.indices.create(index=name, settings={"index.number_of_shards": 60})
    lines = [b'{"create":{"_index":"%s"}}' % name.encode(), _LINE] * 1000
    reply = _until_an_item(node, lines, 429)
    node.recover()
    return reply


def _until_an_item(node: Node, lines: list[bytes], status: int) -> Reply:
    for _ in range(_ATTEMPTS):
        if reply := one_item(node.send(lines), status):
            return reply
    raise AssertionError(f"no document of {_ATTEMPTS} bulks was answered {status}")


def _of_size(size_bytes: int, status: int) -> Provoke:
    """
    A bulk of a size. Elasticsearch 9 may cut the connection before its answer is read.
    """

    def provoke(node: Node, name: str) -> Reply:
        action = b'{"create":{"_index":"%s"}}' % name.encode()
        lines = [action, _LINE] * (size_bytes // len(_LINE))
        replies = (node.send(lines) for _ in range(_ATTEMPTS))
        reply = next(reply for reply in replies if reply.status == status)
        node.recover()
        return reply

    return provoke


def _wrong_password(node: Node, name: str) -> Reply:
    return node.send([b'{"create":{"_index":"%s"}}' % name.encode(), _LINE], password="no")


def _read_only_cluster(node: Node, name: str) -> Reply:
    node.client.indices.create(index=name)
    return _missing("cluster.blocks.read_only", value=True)(node, name)


def _frozen(node: Node, name: str) -> Reply:
    node.engine.freeze()
    try:
        return node.send([b'{"create":{"_index":"%s"}}' % name.encode(), _LINE], patience_ms=300)
    finally:
        node.engine.thaw()


CASES: dict[str, Provoke] = {
    # the request
    "wrong_password": _wrong_password,
    "no_bulk_privilege": _index(user="monitor"),
    "read_only_cluster": _read_only_cluster,
    "no_master": _without_master,
    "too_large": _of_size(5_000_000, 413),
    "indexing_pressure": _of_size(3_000_000, 429),
    "id_of_513_bytes": _index(id_="x" * 513),
    "create_with_external_version": _index(version=3, version_type="external"),
    "frozen": _frozen,
    # taken
    "created": _index(),
    "created_by_index": _index(op_type="index"),
    "written_again_by_index": _twice("index"),
    "there_already": _twice("create"),
    # later
    "full_disk": _full_disk,
    "full_queue": _full_queue,
    # the index
    "write_block": _set("index.blocks.write", value=True),
    "read_only_index": _set("index.blocks.read_only", value=True),
    "flood_stage": _set("index.blocks.read_only_allow_delete", value=True),
    "metadata_block": _set("index.blocks.metadata", value=True),
    "red_index": _set("index.routing.allocation.require._name", "nobody"),
    "closed_index": _closed,
    "auto_create_off": _missing("action.auto_create_index", "false"),
    "shard_limit": _missing("cluster.max_shards_per_node", 1),
    "invalid_index_name": lambda node, name: node.add(name.upper()),
    "role_without_the_index": _index(user="elsewhere"),
    "role_without_create_index": lambda node, name: node.add(name, user="adder"),
    "role_without_new_fields": _into_stream(_STAMPED.replace("known", "new"), user="adder"),
    "blocked_data_stream": _blocked_stream,
    "index_into_data_stream": _into_stream(_STAMPED, op_type="index"),
    # the one or the other
    "alias_without_write_index": _alias_without_write_index,
    "missing_pipeline": _index(pipeline="nowhere"),
    "missing_default_pipeline": _set("index.default_pipeline", "nowhere"),
    "metadata_through_pipeline": _piped('{"_id":"x"}'),
    "long_field_name": _set("index.mapping.field_name_length.limit", 40, '{"%s":1}' % ("f" * 41)),
    "nested_fields_limit": _index('{"more":[{"a":1}]}', _NO_MORE_NESTED),
    "empty_id": _index(id_=""),
    "routing_required": _index(body={"mappings": {"_routing": {"required": True}}}),
    # the document
    "object_for_number": _index('{"number":{"a":1}}'),
    "number_for_object": _index('{"object":1}'),
    "object_for_text": _index('{"text":{"a":1}}', _TEXT),
    "names_with_dots_for_text": _index('{"text":"x","text.a":1}', _TEXT),
    "malformed_number": _index('{"number":"x"}'),
    "malformed_date": _index('{"date":"yesterday"}'),
    "lone_surrogate": _index('{"date":"\\ud800"}'),
    "duplicate_field": _index('{"a":1,"a":2}'),
    "duplicate_field_through_pipeline": _piped('{"a":1,"a":2}'),
    "cut_through_pipeline": _piped('{"a":1'),
    "cut": _index('{"a":1'),
    "empty_field_name": _index('{"":1}'),
    "strict_mapping": _index(body={"mappings": {"dynamic": "strict"}}),
    "field_limit": _set("index.mapping.total_fields.limit", 7, '{"a":1,"b":1}'),
    "depth_limit": _index('{"a":' * 30 + "1" + "}" * 30),
    "nested_objects_limit": _set("index.mapping.nested_objects.limit", 1, '{"nested":[{},{}]}'),
    "long_keyword": _index(json.dumps({"word": "x" * 32_767})),
    "immense_term": _index(json.dumps({"term": "x" * 32_767})),
    "no_timestamp_for_data_stream": _into_stream('{"known":1}'),
    # the dry run: `_source` is a field that no document may hold
    "dry_run": _index('{"_source":1}'),
    "dry_run_with_create_doc": _index('{"_source":1}', user="adder"),
    "dry_run_into_data_stream": _into_stream('{"_source":1}', user="adder"),
}


def index_of(case: str) -> str:
    """
    Name the index of a case.
    """
    return "answers-" + case.replace("_", "-")


def record(version: str) -> None:
    """
    Provoke all of them and keep the answers.
    """
    with tempfile.TemporaryDirectory() as folder, Node(Path(folder) / "node", version) as node:
        for case, provoke in CASES.items():
            reply = provoke(node, index_of(case))
            keep(Recorded(case, version, reply))
            sys.stdout.write(f"{case}: {told(reply)}\n")


if __name__ == "__main__":
    record(os.environ.get("ES_VERSION", VERSION))
