"""
Policies and aliases over HTTP, in the forms of Elasticsearch's documentation.
"""

import json

import pytest

from sink.edge.elastic_answers import Refused
from sink.errors import Unauthorized
from tests.edge.answering import AnsweringServer, Told
from tests.edge.asking import ask, error

PHASES = {"delete": {"min_age": "30d", "actions": {"delete": {}}}}


def test_a_policy_goes_out_inside_its_object() -> None:
    with AnsweringServer(Told()) as server:
        ask(server.url, lambda it: it.put_template("policy", "sink-x", {"phases": PHASES}))
        (asked,) = server.asked

    assert (asked.method, asked.path) == ("PUT", "/_ilm/policy/sink-x")
    assert json.loads(asked.body) == {"policy": {"phases": PHASES}}


def test_a_policy_is_read_without_what_elasticsearch_notes_about_it() -> None:
    policy = {"phases": PHASES, "_meta": {"owner": "ekk-sink"}}
    noted = {"version": 1, "modified_date": "…", "policy": policy, "in_use_by": {"indices": []}}
    with AnsweringServer(Told(body=json.dumps({"sink-x": noted}).encode())) as server:
        assert ask(server.url, lambda it: it.get_template("policy", "sink-x")) == policy


@pytest.mark.parametrize(
    "told",
    [
        Told(400, b'{"error":"no handler found for uri [/_ilm/policy/sink] and method [GET]"}'),
        Told(405, b'{"error":"Incorrect HTTP method for uri [/_ilm/policy/sink]"}'),
        Told(410, error("api_not_available_exception", "not available in serverless mode")),
    ],
)
def test_a_cluster_without_ilm_is_told_by_its_answer(told: Told) -> None:
    with AnsweringServer(told) as server:
        assert ask(server.url, lambda it: it.has_ilm()) is False
        assert server.asked[0].path == "/_ilm/policy/sink"


@pytest.mark.parametrize(
    "told",
    [
        Told(404, error("resource_not_found_exception", "Lifecycle policy not found: sink")),
        Told(body=b'{"sink":{"version":1,"policy":{"phases":{}}}}'),
    ],
)
def test_a_cluster_with_ilm_is_told_as_well(told: Told) -> None:
    with AnsweringServer(told) as server:
        assert ask(server.url, lambda it: it.has_ilm()) is True


@pytest.mark.parametrize(("status", "kind"), [(403, Unauthorized), (503, Refused)])
def test_an_answer_that_tells_nothing_about_ilm_is_no_answer(
    status: int, kind: type[Exception]
) -> None:
    """Taken for `no`, a lifecycle would be taken off the templates."""
    with AnsweringServer(Told(status, error("x", "y"))) as server, pytest.raises(kind):
        ask(server.url, lambda it: it.has_ilm())


@pytest.mark.parametrize(
    ("answer", "behind"),
    [
        ({"audit-000007": {"aliases": {"audit": {"is_write_index": True}}}}, ["audit-000007"]),
        ({"audit": {"aliases": {}}}, []),
        ({"audit": {"aliases": {"other": {}}}}, []),
    ],
)
def test_an_alias_is_told_from_an_index_of_its_name(
    answer: dict[str, object], behind: list[str]
) -> None:
    with AnsweringServer(Told(body=json.dumps(answer).encode())) as server:
        found = ask(server.url, lambda it: it.get_template("alias", "audit"))
        (asked,) = server.asked

    assert found == {"aliases": behind}
    assert asked.path == "/audit?filter_path=*.aliases"


def test_an_alias_that_is_not_there_is_none() -> None:
    with AnsweringServer(Told(404, error("index_not_found_exception", "no"))) as server:
        assert ask(server.url, lambda it: it.get_template("alias", "audit")) is None


def test_the_first_index_of_an_alias_may_be_made_by_another_sink_meanwhile() -> None:
    body = {"aliases": {"audit": {"is_write_index": True}}}
    there = Told(400, error("resource_already_exists_exception", "exists"))
    with AnsweringServer(there) as server:
        ask(server.url, lambda it: it.put_template("alias", "audit", body))
        assert server.asked[0].path == "/audit-000001"

    full = Told(400, error("validation_exception", "shards"))
    with AnsweringServer(full) as server, pytest.raises(Refused):
        ask(server.url, lambda it: it.put_template("alias", "audit", body))
