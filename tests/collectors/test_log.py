"""
The log collector on every sample: what sources really send, and what breaks JSON readers.
"""

import base64
import json
from pathlib import Path

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sink.collectors.log import LOG
from sink.core.collect import Documents, Run
from sink.core.json_objects import is_object
from sink.core.record import Partition
from sink.testing import FakeRecord
from tests.making import documents

RECORDS = Path(__file__).parents[1] / "fixtures" / "records"
TIME_MS = 1_795_252_441_945
STAMP = b'{"@timestamp":"2026-11-21T09:14:01.945Z",'
OWN_TIMESTAMP = "apisix-log-format.json"
ONE_OBJECT = [
    "apisix-default.json",
    "dup-keys.json",
    "ekk-appender-chinese.json",
    "ekk-appender.json",
    "go-msproject.json",
    "go-zap-iso8601.json",
    "go-zap.json",
    "kong-kafka-log-older.json",
    "kong-kafka-log.json",
    "numbers.json",
]
TEXT = ["apisix-origin.txt", "deep.json", "lone-surrogate.json", "not-json.txt", "not-utf8.bin"]
SEVERAL = {
    "apisix-default-batch.json": 3,
    "injection.txt": 2,
    "mixed-array.json": 2,
    "values.ndjson": 3,
}
OTHERS = ["bom.json", "empty.bin", "pretty.json"]


def _made(value: bytes | None, timestamp_ms: int | None = TIME_MS) -> Documents:
    record = FakeRecord("ekk-order", 0, 7, value, timestamp_ms=timestamp_ms)
    return documents(Run(Partition("ekk-order", 0), [record], 7, 8), LOG)


def _sample(name: str) -> bytes:
    return (RECORDS / name).read_bytes()


def test_every_sample_has_its_expectation_here() -> None:
    named = {OWN_TIMESTAMP, *ONE_OBJECT, *TEXT, *SEVERAL, *OTHERS}

    assert named == {file.name for file in RECORDS.iterdir()}


@pytest.mark.parametrize("name", ONE_OBJECT)
def test_a_json_object_passes_as_the_bytes_it_came_in_behind_the_records_time(name: str) -> None:
    made = _made(_sample(name))

    assert made.sources == [STAMP + _sample(name)[1:]]
    assert list(made.ids) == [7]


def test_a_json_object_with_a_timestamp_passes_as_it_is() -> None:
    assert _made(_sample(OWN_TIMESTAMP)).sources == [_sample(OWN_TIMESTAMP)]


@pytest.mark.parametrize("name", TEXT)
def test_what_is_no_json_object_is_kept_as_text_at_the_records_time(name: str) -> None:
    value = _sample(name)

    (source,) = _made(value).sources
    document = orjson.loads(source)

    assert document["@timestamp"] == "2026-11-21T09:14:01.945Z"
    assert document["logtime"] == TIME_MS
    assert document["msg"] == value.decode(errors="replace")


@pytest.mark.parametrize(("name", "count"), SEVERAL.items())
def test_an_array_or_lines_of_objects_are_one_document_each(name: str, count: int) -> None:
    made = _made(_sample(name))

    assert len(made.sources) == count
    assert all(is_object(source) and b"\n" not in source for source in made.sources)


def test_the_elements_of_a_batch_are_numbered() -> None:
    made = _made(_sample("apisix-default-batch.json"))

    assert list(made.ids) == [b"7-0", b"7-1", b"7-2"]
    uris = [orjson.loads(source)["request"]["uri"] for source in made.sources]
    assert uris == [
        entry["request"]["uri"] for entry in orjson.loads(_sample("apisix-default-batch.json"))
    ]


def test_elements_that_are_no_objects_are_refused_and_the_others_stay() -> None:
    made = _made(_sample("mixed-array.json"))

    assert [orjson.loads(source)["msg"] for source in made.sources] == ["good 1", "good 2"]
    assert list(made.ids) == [b"7-0", b"7-2"]
    assert [(r.positions, r.error_type) for r in made.rejected] == [((1, 3), "not_an_object")]


def test_an_injected_action_is_a_document_like_any_other() -> None:
    made = _made(_sample("injection.txt"))

    assert made.sources[1].startswith(STAMP + b'"delete":')
    assert list(made.ids) == [b"7-0", b"7-1"]


def test_an_object_over_several_lines_is_put_on_one() -> None:
    (source,) = _made(_sample("pretty.json")).sources

    assert b"\n" not in source
    fields = orjson.loads(_sample("pretty.json"))
    assert orjson.loads(source) == {"@timestamp": "2026-11-21T09:14:01.945Z", **fields}


def test_a_byte_order_mark_is_cut() -> None:
    assert _made(_sample("bom.json")).sources == [STAMP + b'"msg":"byte order mark"}']


def test_what_is_not_utf8_keeps_its_bytes_in_base64() -> None:
    value = _sample("not-utf8.bin")

    document = orjson.loads(_made(value).sources[0])

    assert base64.b64decode(document["msg_base64"]) == value
    assert "\ufffd" in document["msg"]


def test_text_that_is_utf8_has_no_base64() -> None:
    assert "msg_base64" not in orjson.loads(_made(_sample("not-json.txt")).sources[0])


@pytest.mark.parametrize(
    ("value", "rule"), [(None, "tombstone"), (b"", "empty"), (b"[]", "empty_array")]
)
def test_nothing_is_dropped_by_a_named_rule(value: bytes | None, rule: str) -> None:
    made = _made(value)

    assert made.dropped == {rule: 1}
    assert not made.sources
    assert not made.rejected


@settings(deadline=None)
@given(st.binary(max_size=80) | st.sampled_from([_sample(file.name) for file in RECORDS.iterdir()]))
def test_no_value_is_ever_refused_and_every_document_is_one_object_on_one_line(
    value: bytes,
) -> None:
    """
    Only elements of an array are: a value as a whole becomes a document, or is dropped by a rule.
    """
    made = _made(value)

    assert all(rejected.positions for rejected in made.rejected)
    assert bool(made.sources or made.rejected) is not bool(made.dropped)
    assert all(is_object(source) and b"\n" not in source for source in made.sources)


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=60))
@example(b'{"":1e310}')  # an object, and more than orjson reads
def test_no_byte_of_a_text_is_lost(value: bytes) -> None:
    answer = LOG.collect(FakeRecord("ekk-order", 0, 7, value))
    if not isinstance(answer, bytes):
        return
    document = json.loads(answer)
    fields = {"@timestamp", "logtime", "msg"}
    if set(document) not in (fields, {*fields, "msg_base64"}):
        return

    kept = base64.b64decode(document["msg_base64"]) if "msg_base64" in document else None
    assert value.removeprefix(b"\xef\xbb\xbf") == (kept or document["msg"].encode())
