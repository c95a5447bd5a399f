"""
Templates and lifecycles on a real Elasticsearch, which has no index lifecycle management.

What a policy does with an index is shown nowhere: that it is written, and which index names it, is
shown with the fake (tests/flow/test_lifecycles.py).
"""

import asyncio
import json
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import pytest
from click.testing import CliRunner, Result
from elasticsearch import BadRequestError, Elasticsearch, NotFoundError

from sink import templates
from sink.cli.templates import templates as command
from sink.config import load
from sink.core.template import Kind
from sink.core.template_body import content
from sink.edge.elastic import Elastic

COMPONENTS = ["ekk-mappings", "sink-dynamic", "sink-settings", "sink-text", "sink-timestamp"]


class Engine(Protocol):
    @property
    def url(self) -> str: ...


class Cluster:
    """An Elasticsearch without the sink's templates, and names of our own."""

    def __init__(self, url: str, client: Elasticsearch, file: Path) -> None:
        self.url = url
        self.client = client
        self.file = file
        self.word = f"lc{uuid.uuid4().hex[:8]}"

    def run(self, *words: str, index: str = "", keep: str = "keep_days = 30") -> Result:
        self.file.write_text(
            f'[elasticsearch]\nhosts = ["{self.url}"]\n[lifecycle]\n{keep}\n[[routes]]\n'
            f'name = "ekk"\nprefix = "ekk-"\nindex = {index or self.dated}\n'
        )
        return CliRunner().invoke(command, list(words), obj=self.file)

    def json(self, *words: str, **settings: str) -> Any:
        return json.loads(self.run(*words, "--json", **settings).stdout)

    @property
    def dated(self) -> str:
        return f'{{ prefix = "{self.word}-" }}'

    @property
    def wider(self) -> str:
        return f'{{ prefix = "x{self.word}-" }}'

    @property
    def stream(self) -> str:
        return f'{{ data_stream = "logs-{{topic}}-{self.word}" }}'

    @property
    def written_stream(self) -> str:
        return f"logs-order-{self.word}"


def _without_templates(client: Elasticsearch) -> None:
    for each in client.indices.get_index_template()["index_templates"]:
        if each["name"].startswith("ekk"):
            client.indices.delete_index_template(name=each["name"])
    for each in client.cluster.get_component_template()["component_templates"]:
        if each["name"] in COMPONENTS:
            client.cluster.delete_component_template(name=each["name"])


@pytest.fixture
def cluster(elasticsearch: Engine, tmp_path: Path) -> Iterator[Cluster]:
    with Elasticsearch(elasticsearch.url) as client:
        _without_templates(client)
        found = Cluster(elasticsearch.url, client, tmp_path / "sink.toml")
        yield found
        for index in client.indices.get(index=f"{found.word}-*"):
            client.indices.delete(index=index)
        with suppress(NotFoundError):
            client.indices.delete_data_stream(name=found.written_stream)
        _without_templates(client)


def test_without_ilm_all_else_is_applied_and_what_is_left_out_is_said(cluster: Cluster) -> None:
    applied = cluster.json("apply")

    (left_out,) = [each for each in applied if each["action"] == "left out"]
    assert left_out["name"] == "sink-delete-62d"
    assert "no index lifecycle management" in left_out["reason"]
    written = {each["name"] for each in applied if each["action"] == "create"}
    assert {*COMPONENTS, "ekk"} <= written
    again = {each["action"] for each in cluster.json("apply")}
    assert again == {"keep", "left out"}
    assert cluster.run("plan").exit_code == 0


def test_a_data_stream_gets_the_lifecycle_of_its_own(cluster: Cluster) -> None:
    cluster.run("apply", index=cluster.stream)
    name = cluster.written_stream

    simulated = cluster.json("simulate", "ekk-order", index=cluster.stream)
    cluster.client.index(index=name, op_type="create", document={"@timestamp": "2026-11-22"})

    assert simulated["target"] == name
    assert simulated["lifecycle"] == {"enabled": True, "data_retention": "30d"}
    assert simulated["template"].startswith("ekk-data-stream-lifecycle-")
    assert cluster.run("diff", index=cluster.stream).output == "nothing differs\n"
    backing = cluster.client.indices.get(index=name)
    assert all(each.startswith(f".ds-{name}-") for each in backing)


def test_what_elasticsearch_gives_back_is_no_difference(cluster: Cluster) -> None:
    cluster.run("apply")

    assert cluster.run("diff").output == "nothing differs\n"


def test_a_change_by_hand_is_shown_by_diff(cluster: Cluster) -> None:
    cluster.run("apply")
    found = cluster.client.cluster.get_component_template(name="sink-settings")
    body = dict(found["component_templates"][0]["component_template"])
    body["template"]["settings"]["index"]["refresh_interval"] = "77s"
    cluster.client.cluster.put_component_template(
        name="sink-settings", template=body["template"], meta=body["_meta"]
    )

    result = cluster.run("diff")

    assert result.exit_code == 1
    assert '-      "index.refresh_interval": "77s"' in result.output


def _settings(cluster: Cluster, index: str) -> Any:
    found = cluster.client.indices.get_settings(index=index, flat_settings=True)
    return found[index]["settings"]


def test_a_rollback_is_for_the_next_index_and_is_not_undone_by_an_apply(cluster: Cluster) -> None:
    cluster.run("apply")
    older = cluster.client.cluster.get_component_template(name="sink-settings")
    body = dict(older["component_templates"][0]["component_template"])
    body["_meta"]["version"] = 0
    body["template"]["settings"]["index"]["refresh_interval"] = "77s"
    cluster.client.cluster.put_component_template(
        name="sink-settings", template=body["template"], meta=body["_meta"]
    )
    cluster.run("apply")
    first, second, third = (f"{cluster.word}-{n}_2026-1{n}-01" for n in (0, 1, 2))
    cluster.client.indices.create(index=first)

    done = cluster.run("rollback", "sink-settings", "--yes")
    actions = {each["name"]: each["action"] for each in cluster.json("apply")}
    cluster.client.indices.create(index=second)
    cluster.run("rollback", "sink-settings", "--yes")
    cluster.client.indices.create(index=third)

    assert done.exit_code == 0
    assert actions["sink-settings"] == "held"
    intervals = [_settings(cluster, i)["index.refresh_interval"] for i in (first, second, third)]
    assert intervals == ["5s", "77s", "5s"]


def test_a_rollback_of_a_data_stream_is_held_and_one_more_brings_it_back(cluster: Cluster) -> None:
    """Elasticsearch gives a template of data streams back with more than was written."""
    for days in (3, 5):
        cluster.run("apply", index=cluster.stream, keep=f"keep_days = {days}")
    wanted = {"index": cluster.stream, "keep": "keep_days = 5"}
    rows = cluster.json("rollback", **wanted)
    (name,) = [each["name"] for each in rows if "-data-stream-lifecycle-" in each["name"]]

    seen = []
    for _ in range(2):
        cluster.run("rollback", name, "--yes", **wanted)
        planned = {each["name"]: each["action"] for each in cluster.json("plan", **wanted)}
        cluster.run("apply", **wanted)
        found = cluster.client.indices.get_index_template(name=name)["index_templates"][0]
        lifecycle = found["index_template"]["template"]["lifecycle"]
        seen.append((planned[name], lifecycle["data_retention"]))

    assert seen == [("held", "3d"), ("keep", "5d")]


def test_a_rollback_of_numbers_that_come_back_as_texts_is_held(
    cluster: Cluster, tmp_path: Path
) -> None:
    folder = tmp_path / "own" / "index"
    folder.mkdir(parents=True)
    more = f'keep_days = "forever"\n[templates]\ndir = "{folder.parent}"'
    patterns = []
    for replicas, index in ((0, cluster.dated), (1, cluster.dated), (1, cluster.wider)):
        body = {
            "_meta": {"version": 1, "collectors": ["log"]},
            "template": {"settings": {"number_of_replicas": replicas}},
        }
        (folder / "ekk-own.json").write_text(json.dumps(body))
        cluster.run("apply", index=index, keep=more)
        found = cluster.client.indices.get_index_template(name="ekk-own")["index_templates"][0]
        patterns.append(len(found["index_template"]["index_patterns"]))

    cluster.run("rollback", "ekk-own", "--yes", index=cluster.wider, keep=more)
    (applied,) = cluster.json("apply", index=cluster.wider, keep=more)

    found = cluster.client.indices.get_index_template(name="ekk-own")["index_templates"][0]
    assert patterns == [1, 1, 2], "patterns alone are no version to go back to"
    assert applied["action"] == "held"
    settings = found["index_template"]["template"]["settings"]
    assert settings == {"index": {"number_of_replicas": "0"}}


def test_simulate_tells_what_the_index_then_has(cluster: Cluster) -> None:
    cluster.run("apply")

    found = cluster.json("simulate", "ekk-order")
    cluster.client.indices.create(index=found["target"])

    settings, mappings = found["settings"]["index"], found["mappings"]
    is_there = cluster.client.indices.get(index=found["target"])[found["target"]]
    assert found["template"] == "ekk"
    assert mappings["properties"] == is_there["mappings"]["properties"]
    assert settings["codec"] == is_there["settings"]["index"]["codec"] == "best_compression"


def test_an_alias_where_nothing_rolls_over_gets_no_first_index(cluster: Cluster) -> None:
    applied = cluster.json("apply", index=f'{{ name = "{cluster.word}-audit" }}')

    assert "alias" not in {each["kind"] for each in applied}
    assert not cluster.client.indices.exists(index=f"{cluster.word}-audit-000001")


def test_the_first_index_of_an_alias_is_made_as_the_edge_makes_it(cluster: Cluster) -> None:
    """Left out here for want of ILM, so by itself: made once, told from an index of the name."""
    alias, plain = f"{cluster.word}-alias", f"{cluster.word}-plain"
    cluster.client.indices.create(index=plain)

    async def made() -> list[dict[str, object] | None]:
        async with Elastic(load(cluster.file).elasticsearch) as elastic:
            before = await elastic.get_template(Kind.ALIAS, alias)
            for _ in range(2):
                body = {"aliases": {alias: {"is_write_index": True}}}
                await elastic.put_template(Kind.ALIAS, alias, body)
            return [
                before,
                await elastic.get_template(Kind.ALIAS, alias),
                await elastic.get_template(Kind.ALIAS, plain),
            ]

    cluster.run("plan")  # writes the file

    assert asyncio.run(made()) == [None, {"aliases": [f"{alias}-000001"]}, {"aliases": []}]


def test_what_an_older_cluster_lacks_this_one_has(cluster: Cluster) -> None:
    """A setting it does not know is refused, so that it must be left out where it is not known."""
    cluster.run("apply")
    reasons = " ".join(each["reason"] for each in cluster.json("plan"))
    assert "left out for Elasticsearch before" not in reasons

    with pytest.raises(BadRequestError, match="unknown setting"):
        cluster.client.cluster.put_component_template(
            name=f"{cluster.word}-unknown",
            template={"settings": {"index.mapping.total_fields.no_such_limit": "true"}},
        )


def test_the_template_of_a_lifecycle_wins_over_that_of_the_collector(cluster: Cluster) -> None:
    """Elasticsearch takes both side by side, and dates alone match: …_undated has no lifecycle."""

    async def written() -> None:
        async with Elastic(load(cluster.file).elasticsearch) as elastic:
            for each in templates.wanted(load(cluster.file)):
                if each.kind in (Kind.COMPONENT, Kind.INDEX):
                    await elastic.put_template(each.kind, each.name, each.body)

    cluster.run("plan")
    asyncio.run(written())

    dated, undated = f"{cluster.word}-a_2026-11-01", f"{cluster.word}-a_undated"
    for index in (dated, undated):
        cluster.client.indices.create(index=index)
    assert _settings(cluster, dated)["index.lifecycle.name"] == "sink-delete-62d"
    assert "index.lifecycle.name" not in _settings(cluster, undated)
    kept = next(each for each in templates.wanted(load(cluster.file)) if "-lifecycle-" in each.name)

    async def stored() -> dict[str, object] | None:
        async with Elastic(load(cluster.file).elasticsearch) as elastic:
            return await elastic.get_template(kept.kind, kept.name)

    found = asyncio.run(stored())
    assert found is not None
    assert content(found) == content(kept.body)
