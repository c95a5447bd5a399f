"""
`@timestamp` spliced into an object: the same as reading it, adding the field and writing it.
"""

import json
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.collectors.log import LOG
from sink.core.instant import json_of
from sink.core.stamp import Heads, stamp
from sink.testing import FakeRecord
from tests.core.test_json_objects import HOSTILE, OBJECTS

TIMES = st.integers(-1, 2**62)
# Fields that are `@timestamp`, that look like it, and that hold it somewhere else.
NAMES = st.sampled_from(["@timestamp", "\\u0040timestamp", "@Timestamp", "timestamp", "", "@"])
NEAR = st.dictionaries(NAMES, st.none() | st.text(max_size=3) | OBJECTS, max_size=3)


def _expected(value: dict[str, object], time_ms: int) -> dict[str, object]:
    """Say what the document is, by a parser."""
    if "@timestamp" in value:
        return value
    return {"@timestamp": json.loads(json_of(time_ms)), **value}


def _pairs(text: bytes) -> list[tuple[str, object]]:
    """Read the fields of an object as Elasticsearch does: one that stands twice is refused."""
    found: list[tuple[str, object]] = json.loads(text, object_pairs_hook=list)
    return found


def _batch(values: list[bytes], times_ms: list[int]) -> list[bytes] | None:
    assert LOG.batch is not None
    return LOG.batch(values, times_ms, "t")


@given(st.lists(st.tuples(OBJECTS | NEAR, TIMES), min_size=1, max_size=6), st.sampled_from([1, 0]))
def test_a_document_is_its_value_and_its_time(
    pairs: list[tuple[dict[str, object], int]], spaced: int
) -> None:
    values = [b" " * spaced + json.dumps(value).encode() for value, _ in pairs]

    for (value, time_ms), text in zip(pairs, values, strict=True):
        made = LOG.collect(FakeRecord("t", 0, 0, text, timestamp_ms=time_ms))
        assert isinstance(made, bytes)
        assert json.loads(made) == _expected(value, time_ms)
        assert [name for name, _ in _pairs(made)].count("@timestamp") == 1
    whole = _batch(values, [time_ms for _, time_ms in pairs])
    if whole is not None:
        assert list(map(json.loads, whole)) == [_expected(*pair) for pair in pairs]


@given(st.lists(HOSTILE, min_size=1, max_size=4))
def test_many_at_once_become_what_each_becomes_by_itself(values: list[bytes]) -> None:
    made = _batch(values, [5] * len(values))

    if made is not None:
        records = [FakeRecord("t", 0, 0, value, timestamp_ms=5) for value in values]
        assert made == list(map(LOG.collect, records))


@pytest.mark.parametrize(
    ("value", "document"),
    [
        (b"{}", b'{"@timestamp":"1970-01-01T00:00:00.005Z"}'),
        (b" { \t} ", b'{"@timestamp":"1970-01-01T00:00:00.005Z"}'),
        (b' {"a":"{"}', b' {"@timestamp":"1970-01-01T00:00:00.005Z","a":"{"}'),
    ],
)
def test_an_object_without_a_field_gets_no_comma(value: bytes, document: bytes) -> None:
    assert LOG.collect(FakeRecord("t", 0, 0, value, timestamp_ms=5)) == document
    made = _batch([value], [5])
    assert made is None or made == [document]


@pytest.mark.parametrize(
    "own", [b'"yesterday"', b"null", b"17", b'{"a":1}', b"[]", b'"2020-01-01"']
)
def test_a_document_keeps_the_timestamp_it_has_byte_by_byte(own: bytes) -> None:
    """Elasticsearch judges it: two of them it would refuse, whatever they are."""
    values = [b'{"a":{"@timestamp":1},"@timestamp":%b}' % own, b'{"\\u0040timestamp":%b}' % own]

    assert _batch(values, [5, 5]) == values
    assert [LOG.collect(FakeRecord("t", 0, 0, value)) for value in values] == values


@pytest.mark.parametrize("size", [40, 10_000])
def test_a_document_of_many_fields_keeps_them_all(size: int) -> None:
    value: dict[str, object] = {f"a.{n}" if n % 2 else str(n): n for n in range(size)}
    value[""] = "a field without a name"

    made = _batch([json.dumps(value).encode()], [5])

    assert made is not None
    assert json.loads(made[0]) == _expected(value, 5)


def test_heads_hold_only_the_fields_that_are_missing() -> None:
    heads = Heads([("@version", b'"1"'), ("type", b'"t"')])

    assert stamp(b'{"type":1}', heads.without(0, [False, False, True])) == (
        b'{"@timestamp":"1970-01-01T00:00:00.000Z","@version":"1","type":1}'
    )
    assert heads[0].endswith(b'"@version":"1","type":"t",')


def test_the_documents_own_time_is_read_by_the_batch_and_by_the_record_alike() -> None:
    assert LOG.timed is not None
    collector = LOG.timed("at", UTC)
    assert collector.batch is not None
    times = ["1795252441945", "1795252441.945", '"2026-11-21T09:14:01.945+0000"', "1e400", "{}",
             '"\\u0032"', "12345678901234567890123", "null", "[[1]]", '"x"', "-5"]  # fmt: skip
    values = [b'{"at":%b}' % time.encode() for time in times]

    whole = [collector.batch([value], [5], "t") for value in values]
    made = [collector.collect(FakeRecord("t", 0, 0, value, timestamp_ms=5)) for value in values]

    assert [[each] for each in made] == whole
    stamps = [json.loads(each)["@timestamp"] for each in made if isinstance(each, bytes)]
    assert (
        stamps
        == ["2026-11-21T09:14:01.945Z"] * 3
        + ["1970-01-01T00:00:00.005Z"] * 2
        + ["1970-01-01T00:00:02.000Z"]
        + ["1970-01-01T00:00:00.005Z"] * 5
    )
