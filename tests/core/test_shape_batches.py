"""
A batch of documents is shaped as each of them would be, and has each field once.
"""

import json
from typing import Any

import pytest
from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from sink.collectors import COLLECTORS
from sink.config.shape import METADATA
from sink.core.collect import Run
from sink.core.metadata import SOURCES
from sink.core.record import Partition, Record
from sink.core.shape import Shape, shaped
from sink.testing import FakeRecord
from tests.core.shaping import TIME, once, route_collector, run_of
from tests.making import documents

_VALUES: list[bytes] = [
    b'{"level":"INFO","msg":"a"}',
    b'{"level":"DEBUG","http":{"path":"/health","status":200}}',
    b'{"@timestamp":"2026-01-01T00:00:00Z","env":"own"}',
    b'[{"msg":"b","env":null},{"msg":"c"},3]',
    b'{"kafka":{"offset":"own"},"tags":["x","y"]}',
    b" { } ",
    b"plain text",
]


@pytest.mark.parametrize("name", [*COLLECTORS])
@pytest.mark.parametrize(
    "shape",
    [
        {"add": {"env": "prod", "a.b": [1]}, "metadata": {"kafka.offset": "offset"}},
        {"add": {"msg": "m", "logtime": 1, "type": "t", "tags": [], "request": {}, "ts": 1}},
        {"metadata": {"kafka": "headers", "key": "key", "topic": "topic", "@version": "offset"}},
    ],
)
def test_a_batch_gives_what_its_records_give_one_by_one(name: str, shape: dict[str, Any]) -> None:
    """What is spliced in front must be what is made of parsed documents."""
    collector = route_collector(shape, name)
    headers = [("a", b"1")]
    for values in (_VALUES, _VALUES[:2], _VALUES[:3], [_VALUES[1], _VALUES[4]]):
        run = run_of(*values, key=b"k", headers=headers)
        alone = [documents(_alone(record), collector) for record in run.records]

        made = documents(run, collector)

        assert made.sources == [source for each in alone for source in each.sources]
        for source in made.sources:
            assert json.loads(source, object_pairs_hook=once)
            assert b"\n" not in source


def test_a_field_that_a_collector_adds_while_it_mends_is_not_added_again() -> None:
    """Logstash tags a document whose time is none."""
    collector = route_collector({"add": {"tags": ["mine"]}}, "logstash")

    made = documents(run_of(b'{"@timestamp":"no"}', b'{"n":1}'), collector)

    found = [json.loads(source, object_pairs_hook=once)["tags"] for source in made.sources]
    assert found == [["_timestampparsefailure"], ["mine"]]


def _alone(record: Record) -> Run:
    offset = record.offset() or 0
    return Run(Partition("orders", 3), [record], offset, offset + 1)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "a.b", "c", ".", "a.", ""]), inner, max_size=3)
    ),
    max_leaves=8,
)
_NAMES = st.sampled_from(["a", "b", "a.b", "a.b.c", "c"])


@given(
    st.dictionaries(st.sampled_from(["a", "b", "a.b", "c", "d"]), _JSON, max_size=5),
    st.dictionaries(_NAMES, st.integers(0, 3), max_size=3),
    st.lists(_NAMES, max_size=2),
    st.dictionaries(_NAMES, st.sampled_from(["x", "y.z", "a.b"]), max_size=2),
)
def test_any_document_has_each_fieldonce_whatever_its_shape(
    value: dict[str, Any], add: dict[str, Any], drop: list[str], rename: dict[str, str]
) -> None:
    shape = Shape(
        drop=tuple(drop), rename=rename, add={name: b"%d" % its for name, its in add.items()}
    )
    run = run_of(json.dumps(value).encode())

    made = documents(run, shaped(COLLECTORS["log"], shape))

    (source,) = made.sources
    found = json.loads(source, object_pairs_hook=once)
    assert found["@timestamp"] == TIME
    assert all(name in found or "." in name or name in value or name in drop for name in add)


@given(st.lists(st.none() | st.sampled_from([b"", b"k1", b"a b"]) | st.binary(max_size=3)))
def test_keys_of_a_batch_are_what_they_are_one_by_one(keys: list[bytes | None]) -> None:
    keys = [b"first", *keys]
    records: list[Record] = [
        FakeRecord("orders", 3, n, b'{"n":1}', key=key) for n, key in enumerate(keys)
    ]
    collector = route_collector({"metadata": {"k": "key"}})

    made = documents(Run(Partition("orders", 3), records, 0, len(records)), collector)

    alone = [documents(_alone(record), collector).sources[0] for record in records]
    assert made.sources == alone
    found = [json.loads(source).get("k") for source in made.sources]
    assert found == [None if key is None else key.decode(errors="replace") for key in keys]


def test_messages_of_librdkafka_are_shaped_in_a_batch() -> None:
    records: list[Any] = [
        Message(topic="orders", partition=3, offset=n, value=b'{"n":%d}' % n, timestamp=(1, 5))
        for n in range(3)
    ]
    collector = route_collector({"metadata": {"at": "offset", "of": "partition"}})

    made = documents(Run(Partition("orders", 3), records, 0, 3), collector)

    assert [json.loads(source)["at"] for source in made.sources] == [0, 1, 2]
    assert made.times_ms is not None  # it was a batch


def test_the_configuration_knows_what_can_be_copied() -> None:
    assert set(METADATA) == set(SOURCES)
