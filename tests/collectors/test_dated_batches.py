"""
Records that bring their own `@timestamp`: many at once become what each becomes by itself.
"""

import json
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.collectors import COLLECTORS
from sink.testing import FakeRecord

NAMES = ["@timestamp", "\\u0040timestamp", "@version", "type", "started_at", "request", "n"]
HELD = [
    b'"2026-11-21T09:14:01.945Z"',
    b'"2026-11-21"',
    b'"yesterday"',
    b"1795252441945",
    b"null",
    b'{"size":1}',
    b'{"size":"1"}',
    b'"\\u0032026-11-21"',
    b"1e400",
]
FIELD = st.tuples(st.sampled_from(NAMES), st.sampled_from(HELD))
DATED = st.tuples(st.just("@timestamp"), st.sampled_from(HELD[:2]))
FIELDS = st.lists(FIELD, max_size=3)


def _object(fields: list[tuple[str, bytes]]) -> bytes:
    return b"{%b}" % b",".join(b'"%b": %b' % (name.encode(), held) for name, held in fields)


def _batch(name: str, values: list[bytes]) -> list[bytes]:
    batch = COLLECTORS[name].batch
    assert batch is not None
    return cast("list[bytes]", batch(values, [5] * len(values), "t"))


def _one(name: str, value: bytes) -> bytes:
    made = COLLECTORS[name].collect(FakeRecord("t", 0, 0, value, timestamp_ms=5))
    return cast("bytes", made)


@pytest.mark.parametrize("name", sorted(COLLECTORS.keys() - {"raw"}))
@given(data=st.data())
def test_dated_objects_at_once_become_what_each_becomes(name: str, data: st.DataObject) -> None:
    every = st.builds(lambda one, more: _object([one, *more]), DATED | FIELD, FIELDS)
    dated = st.builds(lambda one, more: _object([*more, one]), DATED, FIELDS)
    values = data.draw(st.lists(every, min_size=1, max_size=4) | st.lists(dated, min_size=1))

    assert _batch(name, values) == [_one(name, value) for value in values]


def test_logstash_adds_its_constants_to_records_that_have_a_time() -> None:
    time = b'"2026-11-21T09:14:01.945Z"'
    made = _batch("logstash", [b'{"n":1,"@timestamp":%b}' % time, b'{"@timestamp":%b}' % time])

    assert [json.loads(each)["@version"] for each in made] == ["1", "1"]
    assert [json.loads(each)["type"] for each in made] == ["t", "t"]
    assert [json.loads(each)["@timestamp"] for each in made] == [json.loads(time)] * 2


def test_one_time_that_is_none_does_not_pass_among_others_that_are() -> None:
    values = [b'{"@timestamp":"2026-11-21"}', b'{"@timestamp":"yesterday"}']

    good, bad = map(json.loads, _batch("logstash", values))

    assert good["@timestamp"] == "2026-11-21"
    assert bad["_@timestamp"] == "yesterday"
    assert bad["tags"] == ["_timestampparsefailure"]
