"""
What nobody should send, through every collector into an index of its template: each record becomes
documents, or a dead letter whose reason names what is wrong with it. Nothing is parked.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from sink.collectors import COLLECTORS
from tests.engines.brokering import until_committed
from tests.engines.oracle import ask, documents, headers_of, read_topic
from tests.engines.producing import create_topics, produce
from tests.engines.running import Setup, SinkProcess

_RECORDS = Path(__file__).parents[1] / "fixtures" / "records"
_TIME_FIELDS = {"log": "logtime", "kong": "started_at", "apisix": "start_time", "zap": "ts"}
_NANOSECONDS = 1_795_252_441_945_000_000
_TOPIC_ID_CHARACTERS = 22

_ODD: dict[str, dict[str, Any]] = {
    "dots": {"a.b": 1, "c": {"d.e": 2}},
    "both ways": {"b.c": 1, "b": {"c": 2}},
    "a dot": {".": 1},
    "dots alone": {"..": 1},
    "two dots": {"a..b": 1},
    "dot first": {".a": 1},
    "dot last": {"a.": 1},
    "no name": {"": 1},
    "no name below": {"a": {"": 1}},
    "a long name": {"x" * 300: 1},
    "10,000 fields": {f"f{n}": n for n in range(10_000)},
    "names of Elasticsearch's own": {"_id": "x", "_index": "y"},
    "wrong types": {
        "response": {"status": "ok"},
        "request": "GET",
        "client_ip": "nobody",
        "latency": "long",
        "level": {"a": 1},
        "msg": 5,
    },
    "no @timestamp": {"@timestamp": "soon"},
    "@timestamp in nanoseconds": {"@timestamp": _NANOSECONDS},
    "object for @timestamp": {"@timestamp": {"a": 1}},
    "null for @timestamp": {"@timestamp": None},
    "no time": {"n": 1},
}
_TIMES = [0, 4_070_908_800_000, _NANOSECONDS, "soon", {"a": 1}, [], None]

# What is dead-lettered, and what the reason has to name. All else is indexed, or dropped if empty.
_REFUSED = {
    "mixed-array.json": "array element is n",
    "dup-keys.json": "Duplicate field 'level'",
    "no name": "Field name cannot be an empty string",
    "names of Elasticsearch's own": "Field [_id] is a metadata field",
}
_NO_TIMESTAMP = {"no @timestamp": "date field [soon]"}
_NO_OBJECTS = {
    "deep.json": "no JSON object (depth limit exceeded",
    "lone-surrogate.json": "no JSON object (no low surrogate in string",
    "not-json.txt": "no JSON object (unexpected content after document: line 1 column 5",
    "not-utf8.bin": "no JSON object (str is not valid UTF-8",
}
_REASONS = {
    "log": _REFUSED | _NO_TIMESTAMP | {"time: 'soon'": "field [logtime] of type [date]"},
    "raw": {},
    "kong": _REFUSED | _NO_TIMESTAMP | _NO_OBJECTS | {"apisix-origin.txt": "no JSON object ("},
    "apisix": _REFUSED | _NO_TIMESTAMP | _NO_OBJECTS,
    "zap": _REFUSED | _NO_TIMESTAMP,
    "logstash": _REFUSED,  # a time that is none becomes _@timestamp
}


def _values(collector: str) -> dict[str, bytes]:
    field = _TIME_FIELDS.get(collector, "@timestamp")
    odd = _ODD | {f"time: {time!r}": {field: time} for time in _TIMES if field != "@timestamp"}
    samples = {path.name: path.read_bytes() for path in sorted(_RECORDS.iterdir())}
    return samples | {name: json.dumps(value).encode() for name, value in odd.items()}


class _Sources(Setup):
    """Topics that the first route does not take."""

    def topic(self, user_topic: str) -> str:
        return f"{self.name}.{user_topic}"

    def route(self, name: str) -> str:
        return (
            f'[[routes]]\nname = "{name}"\ntopics = ["{self.topic(name)}"]\n'
            f'collector = "{name}"\nindex = {{ name = "{self.name}-{name}-%Y.%m.%d" }}\n'
            + ('time_field = "logtime"\n' if name == "log" else "")
        )


@pytest.mark.timeout(180)
def test_whatever_is_sent_is_indexed_or_dead_lettered_with_its_reason(setup: Setup) -> None:
    sources = _Sources(setup.kafka, setup.elasticsearch, setup.folder, setup.name)
    sources.settings["more"] = "".join(map(sources.route, COLLECTORS))
    create_topics(sources, dict.fromkeys(COLLECTORS, 1))
    sent = {name: _values(name) for name in COLLECTORS}
    for name, values in sent.items():
        produce(sources, name, list(values.values()))
    with SinkProcess(sources) as sink:
        for name, values in sent.items():
            until_committed(sources, name, len(values), 60)
        assert sink.get("/parked")[1] == []
        assert sink.terminate() == 0

    names = {name: list(values) for name, values in sent.items()}
    reasons: dict[str, dict[str, str]] = {name: {} for name in sent}
    for message in read_topic(sources, [sources.dead_letter_topic]):
        told = headers_of(message)
        name = told["sink.topic"].rpartition(".")[2]
        reasons[name][names[name][int(told["sink.offset"])]] = told["sink.reason"]
    for name, wanted in _REASONS.items():
        assert reasons[name].keys() == wanted.keys(), name
        for value, why in wanted.items():
            assert why in reasons[name][value], (name, value)
    indexed = _by_source(documents(sources), names)
    for name, values in sent.items():
        whole = reasons[name].keys() - {"mixed-array.json"}  # its objects are indexed
        assert values.keys() - indexed[name] == whole | {"empty.bin"}, name
    query = {"query": {"bool": {"must_not": {"exists": {"field": "@timestamp"}}}}, "size": 100}
    without_time = ask(sources, "POST", f"/{setup.name}-*/_search", query)["hits"]["hits"]
    timeless = {"object for @timestamp", "null for @timestamp"}  # docs/sources/README.md tells
    assert _by_source(without_time, names) == dict.fromkeys(_TIME_FIELDS, timeless)


def _by_source(hits: list[dict[str, Any]], names: dict[str, list[str]]) -> dict[str, set[str]]:
    """
    Tell of each source which of its values documents are of.
    """
    found = defaultdict(set)
    for hit in hits:
        name = hit["_index"].split("-")[1]
        _, _, offset, *_ = hit["_id"][_TOPIC_ID_CHARACTERS + 1 :].split("-")
        found[name].add(names[name][int(offset)])
    return found
