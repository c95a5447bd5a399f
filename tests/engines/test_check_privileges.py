"""
`sink check` against a real Elasticsearch with roles: what it asks for is what the sink needs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import AuthorizationException
from elasticsearch import Elasticsearch as Client

from engines import Elasticsearch, Kafka
from tests.engines.checking import Row, Setup

_NEW_FIELD: list[dict[str, Any]] = [{"create": {}}, {"@timestamp": "2026-11-21", "new": "field"}]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elasticsearch]:
    """An Elasticsearch that asks who one is."""
    folder = tmp_path_factory.mktemp("guarded")
    with Elasticsearch(
        folder, heap="512m", fast_start=True, security=True, password="s3cret-pw"
    ) as node:
        yield node


@pytest.fixture
def client(guarded: Elasticsearch) -> Iterator[Client]:
    with Client(guarded.url, basic_auth=("elastic", "s3cret-pw")) as client:
        yield client


@pytest.fixture
def setup(kafka: Kafka, guarded: Elasticsearch, tmp_path: Path) -> Setup:
    """A user whose role a test gives."""
    setup = Setup(tmp_path, kafka.bootstrap_servers, guarded.url)
    setup.elasticsearch["basic_auth"] = "sinker:s3cret-pw"
    return setup


def _as_sinker(url: str) -> Client:
    return Client(url, basic_auth=("sinker", "s3cret-pw"))


@contextmanager
def _streams(client: Client, stream: str) -> Iterator[None]:
    """Have a template that makes a data stream, and take both away."""
    client.indices.put_index_template(
        name=f"for-{stream}", index_patterns=[stream], data_stream={}, priority=400
    )
    try:
        yield
    finally:
        client.indices.delete_data_stream(name=stream)
        client.indices.delete_index_template(name=f"for-{stream}")


def _role(client: Client, **role: Any) -> None:
    client.security.put_user(username="sinker", password="s3cret-pw", roles=["sinking"])
    client.security.put_role(name="sinking", **role)


def test_the_privileges_it_asks_for_are_those_that_writing_needs(
    setup: Setup, client: Client
) -> None:
    pattern, index = setup.pattern, f"{setup.index}_2026-11-01"
    _role(client)
    lacking = setup.check()
    bulks_only = [{"names": [pattern], "privileges": ["auto_configure", "create_doc"]}]
    _role(client, cluster=["manage_index_templates"], indices=bulks_only)
    enough = setup.check()

    assert lacking.one("privileges").text == (
        "user sinker lacks manage_index_templates on the cluster, "
        f"create_index or auto_configure on {pattern}, create_doc on {pattern}"
    )
    assert lacking.one("templates").remedy == "grant the cluster privilege manage_index_templates"
    assert lacking.exit_code == 1
    assert "privileges" not in [row.subject for row in enough.rows]
    ahead = enough.one("privileges: indices ahead")
    assert ahead.text.startswith(f"user sinker lacks create_index on {pattern}: the next period's")
    assert {ahead.level, enough.one("cluster health").level} == {"warning"}
    assert enough.exit_code == 0
    with _as_sinker(setup.url) as sinker:
        wrote = sinker.bulk(index=index, operations=_NEW_FIELD)
        with pytest.raises(AuthorizationException):
            sinker.indices.create(index=f"{index}-ahead")
    client.indices.delete(index=index)
    assert wrote["errors"] is False


def test_the_role_it_prints_is_enough_for_all_that_the_sink_does(
    setup: Setup, client: Client
) -> None:
    mark = setup.pattern[3:-2]
    stream = f"logs-s{mark}-test"
    setup.routes += (
        f'[[routes]]\nname = "fields"\ntopics = ["f{mark}"]\n'
        f'index = {{ name = "sag{mark}-{{service}}-%Y.%m" }}\n'
        f'[[routes]]\nname = "stream"\ntopics = ["s{mark}"]\n'
        f'index = {{ data_stream = "{stream}" }}\n'
    )
    _role(client, **setup.role())

    checked = setup.check()

    told = {row.subject: row for row in checked.rows}
    assert told["privileges"].text == "user sinker has all that are needed"
    assert not [subject for subject in told if subject.startswith("privileges:")]
    assert [told[each].level for each in ("cluster health", "shards", "new indices")] == ["ok"] * 3
    index = f"sag{mark}-a-2026.11"
    with _as_sinker(setup.url) as sinker, _streams(client, stream):
        for name in (index, stream):
            assert sinker.bulk(index=name, operations=_NEW_FIELD)["errors"] is False
        sinker.indices.create(index=f"{index}-next")
        assert index in sinker.indices.get(index=index)
    client.indices.delete(index=f"{index},{index}-next")


def test_without_a_privilege_on_a_data_stream_new_fields_are_refused_as_it_says(
    setup: Setup, client: Client
) -> None:
    mark = setup.pattern[3:-2]
    stream = f"logs-n{mark}-test"
    setup.routes = (
        f'[[routes]]\nname = "stream"\ntopics = ["s{mark}"]\n'
        f'index = {{ data_stream = "{stream}" }}\n'
    )
    held = [{"names": [stream], "privileges": ["create_doc", "create_index"]}]
    _role(client, cluster=["manage_index_templates"], indices=held)

    checked = setup.check()

    assert "auto_configure or write" in checked.one("privileges: new fields").text
    assert checked.exit_code == 1
    with _as_sinker(setup.url) as sinker, _streams(client, stream):
        assert sinker.bulk(index=stream, operations=_NEW_FIELD)["errors"] is True


def test_a_cluster_that_holds_new_indices_back_is_told(setup: Setup, client: Client) -> None:
    _role(client, cluster=["monitor"])

    def told(setting: str | None) -> Row:
        client.cluster.put_settings(persistent={"action.auto_create_index": setting})
        return setup.check().one("new indices")

    try:
        held_back = told(f"-{setup.pattern},+*")
    finally:
        allowed = told(None)

    assert held_back.level == "warning" and setup.pattern in held_back.text
    assert allowed.level == "ok"
