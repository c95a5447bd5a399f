"""
What a route's shape makes of documents, whatever the collector gave.
"""

import json
from dataclasses import replace
from typing import Any, cast

import pytest

from sink.collectors import COLLECTORS
from sink.core.collect import Documents, Run
from sink.core.collector import Answer, Collector
from sink.core.record import Element, Partition, Record
from sink.core.shape import Shape, shaped
from sink.testing import FakeRecord
from tests.core.shaping import TIME, once, route_collector, run_of
from tests.making import documents


def _shaped(shape: dict[str, Any], *values: bytes, **more: Any) -> list[dict[str, Any]]:
    made = documents(run_of(*values, **more), route_collector(shape))
    assert not made.rejected
    return [json.loads(source, object_pairs_hook=once) for source in made.sources]


def test_constants_are_added_where_a_document_has_no_such_field() -> None:
    found = _shaped({"add": {"env": "prod", "dc": 2}}, b'{"msg":"a"}', b'{"env":"own","msg":"b"}')

    assert found == [
        {"env": "prod", "dc": 2, "@timestamp": TIME, "msg": "a"},
        {"env": "own", "dc": 2, "@timestamp": TIME, "msg": "b"},
    ]


def test_a_name_with_dots_is_not_added_beside_the_way_to_it() -> None:
    """To Elasticsearch both are one field, which would have two values."""
    add = {"add": {"host.name": "h"}}

    found = _shaped(add, b'{"host":{"name":"own"}}', b'{"host":{"ip":"1"}}', b'{"host.name":"own"}')

    assert [each.get("host.name") for each in found] == [None, "h", "own"]


def test_what_is_known_of_a_record_becomes_fields() -> None:
    metadata = {
        "kafka.topic": "topic",
        "kafka.partition": "partition",
        "kafka.offset": "offset",
        "kafka.time": "timestamp",
        "kafka.key": "key",
        "kafka.headers": "headers",
        "trace": "headers.trace",
    }
    headers = [("trace", b"1"), ("trace", "2"), ("none", None), ("bad", b"\xff")]

    (found,) = _shaped({"metadata": metadata}, b'{"msg":"a"}', key=b"k\xff", headers=headers)

    assert found == {
        "kafka.topic": "orders",
        "kafka.partition": 3,
        "kafka.offset": 7,
        "kafka.time": TIME,
        "kafka.key": "k�",
        "kafka.headers": {"trace": ["1", "2"], "none": None, "bad": "�"},
        "trace": "2",
        "@timestamp": TIME,
        "msg": "a",
    }


def test_what_a_record_has_not_is_no_field() -> None:
    metadata = {"key": "key", "headers": "headers", "time": "timestamp", "trace": "headers.trace"}

    (found,) = _shaped({"metadata": metadata}, b'{"msg":"a"}', timestamp_ms=None)

    assert found.keys() == {"@timestamp", "msg"}


def test_fields_are_kept_dropped_and_renamed_by_name_or_by_the_way_to_them() -> None:
    shape = {
        "keep": ["a", "user.name", "user.mail", "lvl", "d.e"],
        "drop": ["user.mail", "missing"],
        "rename": {"lvl": "level", "a": "b", "d.e": "taken"},
    }
    value = b'{"a":1.50,"x":2,"user":{"name":"n","mail":"m","id":1},"lvl":"INFO","d.e":1}'

    (found,) = _shaped(shape, value)

    assert found == {
        "@timestamp": TIME,
        "user": {"name": "n"},
        "level": "INFO",
        "b": 1.5,
        "taken": 1,
    }


def test_a_field_that_is_there_in_both_ways_is_kept_or_dropped_in_both() -> None:
    """It may be a password."""
    value = b'{"a.b":1,"a":{"b":2,"c":3},"d":4}'

    (kept,), (left,) = _shaped({"keep": ["a.b"]}, value), _shaped({"drop": ["a.b"]}, value)

    assert kept == {"@timestamp": TIME, "a.b": 1, "a": {"b": 2}}
    assert left == {"@timestamp": TIME, "a": {"c": 3}, "d": 4}


def test_what_is_below_a_field_is_kept_or_dropped_with_it_however_it_is_written() -> None:
    """It may be a mail address."""
    value = b'{"user.mail":"m","user":{"id":1},"a":{"user.b":2,"user":3},"users":4}'

    (kept,) = _shaped({"keep": ["user", "a.user"]}, value)
    (left,) = _shaped({"drop": ["user", "a.user"]}, value)

    assert kept == {
        "@timestamp": TIME,
        "user.mail": "m",
        "user": {"id": 1},
        "a": {"user.b": 2, "user": 3},
    }
    assert left == {"@timestamp": TIME, "a": {}, "users": 4}


def test_a_way_may_begin_with_any_part_of_a_name() -> None:
    values = (b'{"a.b":{"c.d":1}}', b'{"a":{"b.c":{"d":1}}}', b'{"a.b.c":{"d":1}}')

    found = _shaped({"drop": ["a.b.c.d"]}, *values)

    assert [list(each.values())[-1] for each in found] == [{}, {"b.c": {}}, {}]


def test_what_is_kept_whole_keeps_what_another_way_leads_to() -> None:
    (found,) = _shaped({"keep": ["a", "a.b"]}, b'{"a":{"b":1,"c":2},"d":3}')

    assert found == {"@timestamp": TIME, "a": {"b": 1, "c": 2}}


def test_the_first_moment_of_1970_is_a_time() -> None:
    (found,) = _shaped({"metadata": {"at": "timestamp"}}, b"{}", timestamp_ms=0)

    assert found["at"] == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize("drop", [[], ["x"]])
def test_the_first_record_of_the_first_partition_has_the_number_0(drop: list[str]) -> None:
    record = FakeRecord("orders", 0, 0, b'{"x":1}')
    metadata = {"p": "partition", "o": "offset"}
    collector = route_collector({"metadata": metadata, "drop": drop})

    (source,) = documents(Run(Partition("orders", 0), [record], 0, 1), collector).sources

    found = json.loads(source)
    assert (found["p"], found["o"]) == (0, 0)


def test_a_percent_sign_is_one_like_any_other() -> None:
    (found,) = _shaped({"add": {"rate": "5%d"}, "metadata": {"100%": "offset"}}, b'{"msg":"%s"}')

    assert found == {"@timestamp": TIME, "rate": "5%d", "100%": 7, "msg": "%s"}


def test_a_long_batch_gets_its_fields_piece_by_piece_in_order() -> None:
    values = [b'{"n":%d}' % n for n in range(1000)]

    found = _shaped({"metadata": {"o": "offset"}, "add": {"e": 1}}, *values)

    assert [(each["n"], each["o"], each["e"]) for each in found] == [
        (n, n + 7, 1) for n in range(1000)
    ]


def test_a_field_whose_new_name_is_taken_keeps_its_own() -> None:
    (found,) = _shaped({"rename": {"a": "b.c"}}, b'{"a":1,"b":{"c":2}}')

    assert found == {"@timestamp": TIME, "a": 1, "b": {"c": 2}}


def test_values_that_stay_keep_their_bytes() -> None:
    """A float of Python has 17 digits, and an integer of JSON any number."""
    numbers = b'{"a":1.10000000000000000000001,"b":123456789012345678901234567890,"c":1e999}'
    run = run_of(numbers[:-1] + b',"drop":1}')

    (source,) = documents(run, route_collector({"drop": ["drop"]})).sources

    assert source == b'{"@timestamp":"%b",%b' % (TIME.encode(), numbers[1:])


def test_documents_are_dropped_by_a_named_rule() -> None:
    rules = {
        "debug": {"level": ["DEBUG", "TRACE"]},
        "health": {"http.path": "/health", "http.status": 200},
        "tagged": {"tags": "x"},
    }
    values = (
        b'{"level":"DEBUG"}',
        b'{"http":{"path":"/health","status":200.0}}',
        b'{"http":{"path":"/health","status":"200"}}',
        b'{"http":{"path":"/health","status":true}}',
        b'{"tags":["y","x"]}',
        b'{"level":1e999}',
        b'{"level":"INFO"}',
    )

    made = documents(run_of(*values), route_collector({"drop_records": rules}))

    assert made.dropped == {"debug": 1, "health": 1, "tagged": 1}
    assert list(made.ids) == [9, 10, 12, 13]
    assert [record.offset() for record in made.records] == [9, 10, 12, 13]
    assert len(made.times_ms or ()) == len(made.sources) == 4


def test_several_documents_that_a_rule_drops_are_all_counted() -> None:
    shape = {"drop_records": {"debug": {"level": "DEBUG"}}}

    made = documents(run_of(*[b'{"level":"DEBUG"}'] * 3), route_collector(shape))

    assert made.dropped == {"debug": 3}


def test_a_collector_of_the_users_own_gets_its_constants_too() -> None:
    def collect(record: Record) -> Answer:
        return cast("bytes", record.value())

    mine = shaped(Collector("mine", collect), Shape(add={"env": b'"prod"'}))

    assert documents(run_of(b'{"a":1}'), mine).sources == [b'{"env":"prod","a":1}']


def test_a_rule_drops_documents_of_a_list_and_the_others_keep_their_ids() -> None:
    run = run_of(b'[{"n":1},{"n":2},7,{"n":3}]')
    shape = {"drop_records": {"two": {"n": 2}}, "add": {"env": "prod"}}

    made = documents(run, route_collector(shape))

    assert made.dropped == {"two": 1}
    assert made.ids == [b"7-0", b"7-3"]
    assert [each.positions for each in made.rejected] == [(2,)]
    # It is what a dead letter holds, and that is sent again as it is.
    assert [record.value() for record in made.records] == made.sources
    assert all(isinstance(record, Element) for record in made.records)
    assert b'"env":"prod"' in made.sources[0]
    assert [record.position for record in made.records if isinstance(record, Element)] == [0, 3]


def test_a_document_that_cannot_be_taken_to_pieces_is_rejected_alone() -> None:
    def collect(record: Record) -> Answer:
        return [b'{"a":%b}' % cast("bytes", record.value())]

    shape = shaped(Collector("mine", collect), Shape(drop=("x",))).shape

    def spoil(made: Documents) -> None:
        made.sources[0] = b"no object"
        assert shape is not None
        shape(made)

    made = documents(run_of(b"1", b"2"), Collector("mine", collect, shape=spoil))

    assert made.sources == [b'{"a":2}']
    (found,) = made.rejected
    assert (found.record.value(), found.positions, found.error_type) == (b"1", (0,), "shape")
    assert "cannot be taken to pieces" in found.reason
    assert "malformed" in found.reason


def test_a_record_that_cannot_be_taken_to_pieces_is_rejected_as_a_whole() -> None:
    """It is no element of a list: no position is told."""
    shape = shaped(COLLECTORS["log"], Shape(drop=("x",))).shape

    def spoil(made: Documents) -> None:
        made.sources[0] = b"no object"
        assert shape is not None
        shape(made)

    run = run_of(b'{"a":1}', b'{"a":2,"x":1}')
    made = documents(run, replace(COLLECTORS["log"], shape=spoil))
    assert [json.loads(source)["a"] for source in made.sources] == [2]
    assert b"x" not in made.sources[0]

    (found,) = made.rejected
    assert (found.record, found.positions, found.error_type) == (run.records[0], (), "shape")
    assert "cannot be taken to pieces" in found.reason
    assert "malformed" in found.reason


def test_without_a_shape_a_collector_stays_what_it_is() -> None:
    assert shaped(COLLECTORS["log"], Shape()) is COLLECTORS["log"]
    assert route_collector({}).shape is None
