"""
What each source sends, through `sink run`, found by the fields its users search by.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.engines.oracle import ask
from tests.engines.producing import create_topics, produce
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

_RECORDS = Path(__file__).parents[1] / "fixtures" / "records"
_LOGSTASH = b'{"message":"started","level":"INFO","@timestamp":"2026-11-21T17:15:42+0800"}'


def _between(begin: str, end: str) -> dict[str, Any]:
    return {"range": {"@timestamp": {"gte": begin, "lt": end}}}


# What is sent, and queries each of which finds one document, or the number beside it.
_SOURCES: dict[str, tuple[Sequence[bytes | str], list[tuple[dict[str, Any], int]]]] = {
    "log": (
        ["ekk-appender.json", "ekk-appender-chinese.json", "not-json.txt"],
        [
            (_between("2026-11-21T09:14:01Z", "2026-11-21T09:14:02Z"), 2),
            ({"term": {"level": "ERROR"}}, 1),
            ({"match_phrase": {"msg": "订单创建成功"}}, 1),
            ({"match": {"msg": "legacy"}}, 1),
        ],
    ),
    "raw": (["ekk-appender.json", "not-utf8.bin"], [({"match": {"msg": "loggername"}}, 1)]),
    "kong": (
        ["kong-kafka-log.json", "kong-kafka-log-older.json", "not-json.txt"],
        [
            (_between("2021-02-25", "2021-02-26"), 2),
            ({"term": {"response.status": 200}}, 2),
            ({"range": {"request.size": {"gte": 138, "lte": 138}}}, 2),
            ({"term": {"request.headers.user-agent": "HTTPie/2.4.0"}}, 2),
            ({"term": {"request.headers.x.forwarded.proto": "https"}}, 1),
            ({"term": {"request.querystring.q": "1"}}, 2),
            ({"range": {"latencies.proxy": {"gt": 400}}}, 2),
            ({"term": {"client_ip": "192.168.144.0/24"}}, 2),
            ({"term": {"tries.ip": "18.211.130.98"}}, 2),
        ],
    ),
    "apisix": (
        [f"apisix-{form}" for form in ("default.json", "default-batch.json", "log-format.json")]
        + ["apisix-origin.txt"],
        [
            (_between("2021-04-26", "2021-04-27"), 4),
            (_between("2020-09-23T23:05:05Z", "2020-09-24"), 1),
            ({"term": {"response.status": 200}}, 4),
            ({"term": {"request.method": "GET"}}, 5),
            ({"term": {"request.headers.host": "localhost"}}, 5),
            ({"match": {"request.body": "abcdef"}}, 5),
            ({"range": {"latency": {"gte": 3}}}, 1),
            ({"term": {"host": "localhost"}}, 1),
        ],
    ),
    "zap": (
        ["go-zap.json", "go-zap-iso8601.json"],
        [
            (_between("2026-11-21T09:14:01.945Z", "2026-11-21T09:14:01.946Z"), 1),
            (_between("2026-11-21T01:15:42Z", "2026-11-21T01:15:43Z"), 1),
            ({"term": {"level": "error"}}, 1),
            ({"term": {"caller": "router/user.go:18"}}, 1),
            ({"match": {"error": "refused"}}, 1),
        ],
    ),
    "logstash": (
        [_LOGSTASH, "ekk-appender.json", "not-json.txt"],
        [
            (_between("2026-11-21T09:15:42Z", "2026-11-21T09:15:43Z"), 1),
            ({"term": {"@version": "1"}}, 3),
            ({"prefix": {"type": "t"}}, 3),
            ({"term": {"tags": "_jsonparsefailure"}}, 1),
            ({"match": {"message": "legacy"}}, 1),
        ],
    ),
}  # fmt: skip
_DOCUMENTS = {"log": 3, "raw": 2, "kong": 2, "apisix": 6, "zap": 2, "logstash": 3}


class _Sources(Setup):
    """Topics that the first route does not take."""

    def topic(self, user_topic: str) -> str:
        return f"{self.name}.{user_topic}"

    def count(self, source: str, query: dict[str, Any]) -> int:
        answer = ask(self, "POST", f"/{self.name}-{source}-*/_count", {"query": query})
        return int(answer["count"])


def _routes(setup: Setup) -> str:
    return "".join(
        f'[[routes]]\nname = "{name}"\ntopics = ["{setup.topic(name)}"]\ncollector = "{name}"\n'
        + ('time_field = "logtime"\n' if name == "log" else "")
        + f'index = {{ name = "{setup.name}-{name}-%Y.%m.%d" }}\n'
        for name in _SOURCES
    )


@pytest.mark.timeout(180)
def test_every_source_is_found_by_its_fields_in_indices_of_its_template(setup: Setup) -> None:
    sources = _Sources(setup.kafka, setup.elasticsearch, setup.folder, setup.name)
    sources.settings["more"] = _routes(sources)
    create_topics(sources, dict.fromkeys(_SOURCES, 1))
    for name, (values, _) in _SOURCES.items():
        read = [(_RECORDS / v).read_bytes() if isinstance(v, str) else v for v in values]
        produce(sources, name, list(read))

    with SinkProcess(sources) as sink:
        wait_until(
            lambda: sum(t.get("indexed", 0) for t in sink.ledger().values()) == 18,
            60,
            "the documents to be indexed",
        )
        ledger = sink.ledger()
        assert sink.terminate() == 0

    ask(sources, "POST", f"/{setup.name}-*/_refresh")
    indexed = {name: ledger[sources.topic(name)]["indexed"] for name in _SOURCES}
    assert indexed == _DOCUMENTS
    assert ledger[sources.topic("kong")]["dead"] == 1
    found = [
        (name, query, sources.count(name, query))
        for name, (_, queries) in _SOURCES.items()
        for query, _ in queries
    ]
    wanted = [(name, *each) for name, (_, queries) in _SOURCES.items() for each in queries]
    assert found == wanted
    for name, documents in _DOCUMENTS.items():
        assert sources.count(name, {"exists": {"field": "@timestamp"}}) == documents
