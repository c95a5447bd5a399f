"""
Each collector on what its source sends, on what the others send, and on what nobody should.
"""

import base64
import json
from datetime import UTC
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sink.collectors import COLLECTORS
from sink.core.collect import Documents, Run
from sink.core.json_objects import is_object
from sink.core.record import Partition, Record
from sink.testing import FakeRecord
from tests.core.test_json_objects import FIXTURES, HOSTILE
from tests.making import documents

TIME = "2026-11-21T09:14:01.945Z"  # of a FakeRecord
TIME_FIELDS = {"log": None, "raw": None, "kong": "started_at", "apisix": "start_time", "zap": "ts",
               "logstash": None}  # fmt: skip
EVERY = pytest.mark.parametrize("name", COLLECTORS)


def _made(name: str, *values: bytes | None) -> Documents:
    records: list[Record] = [FakeRecord("t", 0, n, value) for n, value in enumerate(values)]
    return documents(Run(Partition("t", 0), records, 0, len(values)), COLLECTORS[name])


def _documents(name: str, *values: bytes) -> list[dict[str, Any]]:
    made = _made(name, *values)
    assert not made.rejected, made.rejected[0].reason
    return list(map(json.loads, made.sources))


def _one(name: str, value: bytes) -> dict[str, Any]:
    (document,) = _documents(name, value)
    return document


def _reason(name: str, value: bytes) -> str:
    (rejected,) = _made(name, value).rejected
    return rejected.reason


def _is_fit(made: Documents) -> bool:
    """Tell whether each document is an object on one line with one `@timestamp`."""
    return all(
        is_object(source)
        and b"\n" not in source
        and [name for name, _ in json.loads(source, object_pairs_hook=list)].count("@timestamp") > 0
        for source in made.sources
    )


@EVERY
@pytest.mark.parametrize("file", FIXTURES)
def test_every_sample_becomes_documents_or_a_dead_letter_that_says_why(
    name: str, file: str
) -> None:
    made = _made(name, FIXTURES[file])

    assert _is_fit(made)
    for rejected in made.rejected:
        assert rejected.error_type in ("reject", "not_an_object")
        assert "JSON object" in rejected.reason
    assert bool(made.sources or made.rejected) is not bool(made.dropped)


@EVERY
@given(st.lists(HOSTILE | st.sampled_from([b"", None]), min_size=1, max_size=4))
@example([b'{"@timestamp":1}', b'{"a":1}'])
@example([b'{"@timestamp":1,"tags":1e400}', b'{"@timestamp":"x","tags":"t"}'])
@example([b'{"request":{"size":"1"},"response":{"size":"2"}}', b'{"request":1}', b"{}"])
def test_whatever_comes_is_accounted_for_and_many_are_as_each_by_itself(
    name: str, values: list[bytes | None]
) -> None:
    made = _made(name, *values)

    assert _is_fit(made)
    assert not [each for each in made.rejected if each.error_type == "collector_exception"]
    alone = [_made(name, value) for value in values]
    assert made.sources == [source for each in alone for source in each.sources]


@EVERY
@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("0", "1970-01-01T00:00:00.000Z"),
        ("4070908800000", "2099-01-01T00:00:00.000Z"),
        ("4070908800000000000", "2099-01-01T00:00:00.000Z"),
        ('"2099-01-01T08:00:00+0800"', "2099-01-01T00:00:00.000Z"),
        *[(odd, TIME) for odd in ("null", "true", '"soon"', "{}", "[]", "-1", "1e400", '""')],
    ],
)
def test_the_time_is_the_sources_or_else_the_records(name: str, time: str, expected: str) -> None:
    field = TIME_FIELDS[name]
    value = b'{"%b":%b,"n":1}' % ((field or "t").encode(), time.encode())

    assert _one(name, value)["@timestamp"] == (expected if field else TIME)
    assert _one(name, b'{"n":1}')["@timestamp"] == TIME


@EVERY
def test_a_route_gives_another_field_for_the_time(name: str) -> None:
    timed = COLLECTORS[name].timed
    if timed is None:
        assert name == "raw"
        return
    collector = timed("logtime", UTC)
    run = Run(Partition("t", 0), [FakeRecord("t", 0, 0, FIXTURES["ekk-appender.json"])], 0, 1)

    document = json.loads(documents(run, collector).sources[0])

    assert document["@timestamp"] == TIME
    value = b'{"logtime":"2020-01-01","ts":1,"started_at":1,"start_time":1}'
    run = Run(Partition("t", 0), [FakeRecord("t", 0, 0, value)], 0, 1)
    assert json.loads(documents(run, collector).sources[0])["@timestamp"].startswith("2020-01-01")


# raw


@given(st.binary(min_size=1, max_size=60) | st.sampled_from([f for f in FIXTURES.values() if f]))
def test_raw_keeps_every_byte_as_one_text(value: bytes) -> None:
    value = value.removeprefix(b"\xef\xbb\xbf") or b"x"

    document = _one("raw", value)

    assert document["@timestamp"] == TIME
    kept = document.get("msg_base64")
    assert value == (base64.b64decode(kept) if kept else document["msg"].encode())


# kong


@pytest.mark.parametrize("file", ["kong-kafka-log.json", "kong-kafka-log-older.json"])
def test_an_entry_of_kong_keeps_its_fields_and_has_numbers_for_sizes(file: str) -> None:
    entry = json.loads(FIXTURES[file])
    for side in ("request", "response"):
        entry[side]["size"] = int(entry[side]["size"])

    document = _one("kong", FIXTURES[file])

    assert document.pop("@timestamp")[:16] == "2021-02-25T05:57"
    assert document == entry
    assert isinstance(document["request"]["size"], int)


SIZES = st.sampled_from(['"138"', '"0"', "138", "null", '""', '"007"', '"many"', '"1e3"', "{}"])
SIDES = st.one_of(
    SIZES.map(lambda size: f'{{"size":{size}}}'),
    SIZES.map(lambda size: f'{{"size" : {size}, "querystring":{{"size":"138"}}}}'),
    SIZES.map(lambda size: f'{{"querystring":{{"size":"0"}},"\\u0073ize":{size}}}'),
    st.sampled_from(["1", "null", '"138"', "[]", "{}"]),
)


@given(SIDES, SIDES, st.sampled_from(["", '"size":"138",', '"a":"\\"size\\":\\"138\\"",']))
def test_only_the_sizes_of_request_and_response_become_numbers(
    request: str, response: str, more: str
) -> None:
    value = f'{{{more}"request":{request},"response":{response}}}'
    entry = json.loads(value)
    for side in filter(lambda each: isinstance(each, dict), (entry["request"], entry["response"])):
        if side.get("size") in ("138", "0"):
            side["size"] = int(side["size"])

    document = _one("kong", value.encode())

    assert document == {"@timestamp": TIME, **entry}


def test_older_and_newer_entries_of_kong_side_by_side_are_what_each_is_alone() -> None:
    older, newer = FIXTURES["kong-kafka-log-older.json"], FIXTURES["kong-kafka-log.json"]
    odd = b'{"request":{"size":"5","querystring":{"size":"5"}},"response":{"size":6}}'

    assert _documents("kong", older, newer, odd) == [
        _one("kong", each) for each in (older, newer, odd)
    ]


def test_kong_says_what_a_foreign_line_is() -> None:
    assert "as Kong's kafka-log plugin writes" in _reason("kong", FIXTURES["not-json.txt"])


@pytest.mark.parametrize("name", ["kong", "apisix"])
@pytest.mark.parametrize(
    ("value", "why"),
    [
        (FIXTURES["deep.json"], "no JSON object (depth limit exceeded: line 1 column 1030"),
        (FIXTURES["lone-surrogate.json"], "no JSON object (no low surrogate in string"),
        (b'{"request":{"size"', "no JSON object (unexpected end of data: line 1 column 19"),
        (b"17", "this is JSON, but no object"),
    ],
)
def test_what_looks_like_an_object_is_told_why_it_is_none(
    name: str, value: bytes, why: str
) -> None:
    assert why in _reason(name, value)


def test_several_requests_in_one_record_are_one_document_each() -> None:
    value = b"[%b]" % b",".join([FIXTURES["kong-kafka-log.json"].strip()] * 2)

    made = _made("kong", value)

    assert list(made.ids) == [b"0-0", b"0-1"]
    assert {json.loads(source)["response"]["status"] for source in made.sources} == {200}


# apisix


def test_an_entry_of_apisix_keeps_its_fields() -> None:
    document = _one("apisix", FIXTURES["apisix-default.json"])

    assert document.pop("@timestamp") == "2021-04-26T05:18:14.760Z"
    assert document == json.loads(FIXTURES["apisix-default.json"])


def test_the_entries_of_a_batch_have_a_time_each() -> None:
    found = _documents("apisix", FIXTURES["apisix-default-batch.json"])

    assert [each["@timestamp"][-7:] for each in found] == ["14.760Z", "14.777Z", "14.794Z"]
    assert [each["request"]["uri"] for each in found] == ["/hello/0", "/hello/1", "/hello/2"]


def test_a_custom_log_format_keeps_the_timestamp_it_names() -> None:
    value = FIXTURES["apisix-log-format.json"]

    assert _made("apisix", value).sources == [value]


def test_a_raw_request_is_taken_to_pieces() -> None:
    document = _one("apisix", FIXTURES["apisix-origin.txt"])

    assert document == {
        "@timestamp": TIME,
        "request": {
            "method": "GET",
            "uri": "/hello?ab=cd",
            "protocol": "HTTP/1.1",
            "headers": {"host": "localhost", "content-length": "6", "connection": "close"},
            "body": "abcdef",
        },
    }


def test_raw_requests_in_a_batch_are_one_document_each() -> None:
    origin = FIXTURES["apisix-origin.txt"].decode()
    value = json.dumps([origin, {"start_time": 1619414294760}, "hello", 5]).encode()

    made = _made("apisix", value)

    assert [json.loads(source).get("request", {}).get("method") for source in made.sources] == [
        "GET",
        None,
    ]
    assert list(made.ids) == [b"0-0", b"0-1"]
    [(positions, reason)] = [(each.positions, each.reason) for each in made.rejected]
    assert positions == (2, 3)
    assert reason == "array element is neither a JSON object nor an HTTP request"


@pytest.mark.parametrize(
    ("value", "request_"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", {"headers": {}}),
        (b"GET / HTTP/2\n\n", {"headers": {}}),
        (b"PUT /a HTTP/1.1\na: 1\na:2\n\nx\n\ny", {"headers": {"a": ["1", "2"]}, "body": "x\n\ny"}),
        (b"GET / HTTP/1.1\r\nno colon\r\n: x\r\n\r\n", {"headers": {"no colon": "", "": "x"}}),
        (b"POST / HTTP/1.1\r\na: b", {"headers": {"a": "b"}}),
    ],
)
def test_odd_requests_are_requests(value: bytes, request_: dict[str, object]) -> None:
    found = _one("apisix", value)["request"]

    assert {key: found[key] for key in request_} == request_
    assert ("body" in found) is ("body" in request_)


def test_a_request_that_is_not_utf8_keeps_its_bytes() -> None:
    value = b"POST / HTTP/1.1\r\n\r\n" + FIXTURES["not-utf8.bin"]

    assert base64.b64decode(_one("apisix", value)["msg_base64"]) == value


def test_apisix_says_what_a_foreign_line_is() -> None:
    assert "no HTTP request" in _reason("apisix", FIXTURES["not-json.txt"])


# zap


@pytest.mark.parametrize(
    ("file", "time"),
    [
        ("go-zap.json", "2026-11-21T09:14:01.945Z"),
        ("go-zap-iso8601.json", "2026-11-21T01:15:42.001Z"),
        ("go-msproject.json", TIME),
    ],
)
def test_a_line_of_zap_keeps_its_fields_and_its_time(file: str, time: str) -> None:
    document = _one("zap", FIXTURES[file])

    assert document.pop("@timestamp") == time
    assert document == json.loads(FIXTURES[file])


def test_what_a_go_service_prints_besides_is_kept_as_text() -> None:
    assert _one("zap", b"panic: runtime error")["msg"] == "panic: runtime error"


# logstash


def test_logstash_adds_what_a_record_lacks() -> None:
    assert _one("logstash", b'{"n":1}') == {
        "@timestamp": TIME, "@version": "1", "type": "t", "n": 1,
    }  # fmt: skip
    assert _one("logstash", b'{"type":"mine","@version":"2"}') == {
        "@timestamp": TIME, "@version": "2", "type": "mine",
    }  # fmt: skip


def test_logstash_keeps_a_time_that_is_one() -> None:
    value = b'{"@timestamp":"2020-09-23T19:05:05-0400","tags":["a"]}'

    document = _one("logstash", value)

    assert document["@timestamp"] == "2020-09-23T19:05:05-0400"
    assert document["tags"] == ["a"]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (b"", []),
        (b',"tags":["a", "b"]', ["a", "b"]),
        (b',"tags":"a"', ["a"]),
        (b',"tags":[ ]', []),
    ],
)
@pytest.mark.parametrize("time", [b'"yesterday"', b"17", b"null", b'{"a":1}'])
def test_logstash_takes_a_time_that_is_none_out_of_the_way(
    time: bytes, tags: bytes, expected: list[str]
) -> None:
    document = _one("logstash", b'{"@timestamp":%b%b}' % (time, tags))

    assert document["@timestamp"] == TIME
    assert document["_@timestamp"] == json.loads(time)
    assert document["tags"] == [*expected, "_timestampparsefailure"]


@pytest.mark.parametrize(
    ("time", "fits"),
    [
        ("2026-11-20T10\\u003a00:00Z", True),
        ("2024-02-29T23:59:59.5+18:00", True),
        ("2000-02-29", True),
        ("2026-12-31T00:00Z", True),
        ("2026-02-29T00:00:00Z", False),
        ("1900-02-29", False),
        ("2026-02-30T00:00:00Z", False),
        ("2026-11-31T00:00:00Z", False),
        ("2026-13-01T00:00:00Z", False),
        ("2026-00-01", False),
        ("2026-01-00", False),
        ("2026-11-20T25:00:00Z", False),
        ("2026-11-20T23:60:00Z", False),
        ("2026-11-20T23:59:60Z", False),
        ("2026-11-20T23:59:59+18:30", False),
    ],
)
def test_logstash_leaves_a_time_of_the_calendar_where_it_is(time: str, fits: bool) -> None:
    """Elasticsearch would refuse the others, and they would be dead-lettered."""
    value = b'{"@timestamp":"%b"}' % time.encode()

    document = _one("logstash", value)

    assert ("_@timestamp" not in document) is fits
    assert document["@timestamp"] == (json.loads(value)["@timestamp"] if fits else TIME)


def test_logstash_tags_what_is_no_json() -> None:
    assert _one("logstash", b"plain text") == {
        "@timestamp": TIME, "@version": "1", "type": "t", "message": "plain text",
        "tags": ["_jsonparsefailure"],
    }  # fmt: skip


def test_an_element_that_is_no_object_is_refused_by_every_collector_of_json() -> None:
    for name in set(COLLECTORS) - {"raw"}:
        made = _made(name, FIXTURES["mixed-array.json"])
        assert [each.positions for each in made.rejected] == [(1, 3)]
        assert len(made.sources) == 2


def test_nothing_is_dropped_by_every_collector() -> None:
    for collector in COLLECTORS.values():
        made = _made(collector.name, b"", None)
        assert made.dropped == {"empty": 1, "tombstone": 1}
