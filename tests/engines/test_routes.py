"""
Where routes lead: to indices named by fields, aliases, data streams; ids and dates out of fields.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines.commanding import command
from tests.engines.oracle import ask
from tests.engines.producing import create_topics, produce
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

_AT_MS = 1_795_252_400_000  # 2026-11-21T09:13:20Z
_SERVICES = ["Order", "web/shop", "..", "订单", "x" * 300, "a b", "c", "d"]


class _Routes(Setup):
    """Topics that the first route does not take."""

    def topic(self, user_topic: str) -> str:
        return f"{self.name}.{user_topic}"

    def add(self, name: str, more: str) -> None:
        self.settings["more"] = self.settings.get("more", "") + (
            f'[[routes]]\nname = "{name}"\ntopics = ["{self.topic(name)}"]\n{more}\n'
        )

    def send(self, name: str, *values: bytes, **more: Any) -> None:
        produce(self, name, list(values), timestamp=_AT_MS, **more)

    def found(self, index: str) -> list[dict[str, Any]]:
        ask(self, "POST", f"/{index}/_refresh")
        return list(ask(self, "GET", f"/{index}/_search?size=100")["hits"]["hits"])


@pytest.fixture
def routes(setup: Setup) -> _Routes:
    return _Routes(setup.kafka, setup.elasticsearch, setup.folder, setup.name)


@pytest.fixture
def stream(routes: _Routes) -> Iterator[str]:
    """
    The name of a data stream. While its template is there, others cannot be taken away.
    """
    name = f"logs-s.{routes.name}-test"
    yield name
    for path in (f"/_data_stream/{name}", "/_index_template/ekk-data-stream"):
        ask(routes, "DELETE", path)


def _settled(sink: SinkProcess, topic: str, **fates: int) -> None:
    def reached() -> bool:
        told = sink.ledger().get(topic, {})
        return {fate: told.get(fate) for fate in fates} == fates

    wait_until(reached, 40, f"{fates} of {topic}")


@pytest.mark.timeout(180)
def test_fields_name_indices_a_cap_holds_and_audit_and_replay_find_each_document(
    routes: _Routes,
) -> None:
    index = f'name = "{routes.name}-{{service}}-%Y.%m.%d", time_field = "at"'
    routes.add("f", f"index = {{ {index}, new_per_hour_max = 5 }}")
    create_topics(routes, {"f": 1})
    ask(routes, "PUT", f"/{routes.name}-there-2026.11.21")
    routes.send("f", b'{"service":"there"}', b"{}", b'{"service":"order","at":"1970-01-01"}')
    routes.send("f", *(b'{"service":"%b"}' % each.encode() for each in _SERVICES))
    with SinkProcess(routes) as sink:
        _settled(sink, routes.topic("f"), indexed=11)
        told = sink.ledger()[routes.topic("f")]
        assert sink.terminate() == 0

    assert (told["displaced:undated"], told["displaced:unknown"]) == (1, 2)
    # there: known; unknown, order, web_shop, 订单, x…: new; a b, c, d: one too many
    assert told["displaced:overflow"] == 3
    names = [hit["_index"].removeprefix(routes.name) for hit in routes.found(f"{routes.name}-*")]
    assert sorted(name[:12] for name in names) == sorted(
        [
            "-there-2026.",
            "-order_undat",
            "-order-2026.",
            "-web_shop-20",
            "-订单-2026.11.",
            "-xxxxxxxxxxx",
        ]
        + ["-unknown-202"] * 2
        + ["-overflow-20"] * 3
    )
    audited = command(routes, "audit", "--topic", routes.topic("f"), "--surplus", "--json")
    assert audited.code == 0, audited.out + audited.err
    assert audited.json()["counts"]["indexed"] == 11
    replayed = command(routes, "replay", "--topic", routes.topic("f"), "--from", "0", "--json")
    assert (replayed.code, replayed.json()["fates"]) == (0, {"duplicate": 11})
    assert len(routes.found(f"{routes.name}-*")) == 11


@pytest.mark.timeout(180)
def test_a_data_stream_takes_documents_is_parked_and_resumes_and_an_alias_is_written_through(
    routes: _Routes, stream: str
) -> None:
    alias = f"{routes.name}-alias"
    routes.add("s", f'index = {{ data_stream = "{stream}" }}')
    routes.add("a", f'index = {{ name = "{alias}" }}')
    create_topics(routes, {"s": 1, "a": 1})
    body = {"aliases": {alias: {"is_write_index": True}}}
    ask(routes, "PUT", f"/{routes.name}-alias-000001", body)
    routes.send("s", b'{"n":1}', b"text", b'{"@timestamp":"no time"}')  # no template mends a time
    routes.send("a", b'{"n":1}', b'{"n":2}')
    with SinkProcess(routes) as sink:
        _settled(sink, routes.topic("s"), indexed=2, dead=1)
        _settled(sink, routes.topic("a"), indexed=2)
        ask(routes, "PUT", f"/{stream}/_settings", {"index.blocks.write": True})
        routes.send("s", b'{"n":2}')
        wait_until(lambda: sink.get("/parked")[1], 40, "the stream to be parked")
        ask(routes, "PUT", f"/{stream}/_settings", {"index.blocks.write": False})
        _settled(sink, routes.topic("s"), indexed=3, dead=1)
        assert sink.terminate() == 0

    hits = routes.found(stream)
    assert len(hits) == 3
    assert {hit["_index"][:4] for hit in hits} == {".ds-"}
    assert all("@timestamp" in hit["_source"] for hit in hits)
    assert {hit["_index"] for hit in routes.found(alias)} == {f"{routes.name}-alias-000001"}
    audited = command(routes, "audit", "--topic", routes.topic("s"), "--json")
    assert (audited.code, audited.json()["counts"]["indexed"]) == (0, 3), audited.out
    # What is told of it: beyond a rollover a record that is read again is a second document.
    ask(routes, "POST", f"/{stream}/_rollover")
    replayed = command(routes, "replay", "--topic", routes.topic("s"), "--from", "0", "--json")
    assert replayed.json()["fates"]["indexed"] == 3
    checked = command(routes, "check")
    assert "after a rollover is a second document" in checked.out, checked.out


@pytest.mark.timeout(180)
def test_of_records_of_one_id_the_newest_stays_or_the_first(routes: _Routes) -> None:
    by_field = 'id = "field"\nid_field = "key.id"\nindex = { name = "%s-%s" }\n'
    routes.add("new", by_field % (routes.name, "new") + 'op_type = "index"\nversion = "offset"')
    routes.add("old", by_field % (routes.name, "old"))
    create_topics(routes, {"new": 1, "old": 1})
    values = [b'{"key":{"id":"k"},"n":%d}' % n for n in range(5)]
    for name in ("new", "old"):
        routes.send(name, *values, b'{"n":5}', b'{"key":{"id":"%b"}}' % (b"x" * 513))
    with SinkProcess(routes) as sink:
        _settled(sink, routes.topic("new"), indexed=5, dead=2)
        _settled(sink, routes.topic("old"), indexed=1, duplicate=4, dead=2)
        assert sink.terminate() == 0

    for name, kept in (("new", 4), ("old", 0)):
        topic = routes.topic(name)
        replayed = command(routes, "replay", "--topic", topic, "--from", "0", "--to", "4", "--json")
        assert replayed.json()["fates"] == {"duplicate": 4}, replayed.out
        (hit,) = routes.found(f"{routes.name}-{name}")
        assert (hit["_id"], hit["_source"]["n"]) == ("k", kept)
        audited = command(routes, "audit", "--topic", topic)
        assert audited.code == 2
        assert "key.id" in audited.err
    listed = command(routes, "dlq", "list", "--json")
    assert "id_missing" in listed.out
    assert "id_too_long" in listed.out
