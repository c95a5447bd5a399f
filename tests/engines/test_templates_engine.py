"""
The shipped templates on a real Elasticsearch: written once, and fit for their documents.
"""

import asyncio
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from elasticsearch import BadRequestError, Elasticsearch, NotFoundError

from sink import templates
from sink.config import Config, load
from sink.core.template import Kind
from sink.core.template_plan import Step, StepAction
from sink.edge.elastic import Elastic
from sink.errors import Unavailable

pytestmark = pytest.mark.engines

FIXTURES = Path(__file__).parent.parent / "fixtures"
COMPONENTS = ["ekk-mappings", "sink-dynamic", "sink-settings", "sink-text", "sink-timestamp"]
INDEX_TEMPLATES = [each.name for each in templates.load(None) if each.kind is Kind.INDEX]


class Engine(Protocol):
    @property
    def url(self) -> str: ...


class Cluster:
    """An Elasticsearch without the sink's templates, and a prefix of indices of our own."""

    def __init__(self, url: str, client: Elasticsearch, directory: Path) -> None:
        self.url = url
        self.client = client
        self.index = f"sag{uuid.uuid4().hex[:8]}-orders_2026-11-01"
        self._file = directory / "sink.toml"

    @property
    def pattern(self) -> str:
        return self.index.split("-")[0] + "-*"

    def config(self) -> Config:
        self._file.write_text(
            '[kafka]\nbootstrap_servers = "localhost:9092"\ngroup_id = "log-sink"\n'
            f'[elasticsearch]\nhosts = ["{self.url}"]\n[[routes]]\nname = "ekk"\n'
            f'prefix = "ekk-"\nindex = {{ prefix = "{self.pattern[:-1]}" }}\n'
        )
        return load(self._file)

    def apply(self) -> dict[str, StepAction]:
        async def connected() -> list[Step]:
            config = self.config()
            async with Elastic(config.elasticsearch) as elastic:
                return await templates.apply(elastic, config)

        return {step.template.name: step.action for step in asyncio.run(connected())}

    def put(self, document: dict[str, Any]) -> dict[str, Any]:
        """Index a document and tell what of it was ignored."""
        answer = self.client.index(index=self.index, document=document, refresh=True)
        hits = self.search({"ids": {"values": [answer["_id"]]}})
        assert len(hits) == 1
        return hits[0]

    def search(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        answer = self.client.search(index=self.index, query=query, size=100)
        return list(answer["hits"]["hits"])

    def stored(self, kind: str, name: str) -> dict[str, object] | None:
        """Read a template as the sink reads it."""

        async def connected() -> dict[str, object] | None:
            async with Elastic(self.config().elasticsearch) as elastic:
                return await elastic.get_template(kind, name)

        return asyncio.run(connected())

    def component(self, name: str) -> dict[str, Any]:
        answer = self.client.cluster.get_component_template(name=name)
        return dict(answer["component_templates"][0]["component_template"])


def _deleted(delete: Callable[..., object], name: str) -> None:
    try:
        delete(name=name)
    except NotFoundError:
        return


@pytest.fixture
def cluster(elasticsearch: Engine, tmp_path: Path) -> Iterator[Cluster]:
    with Elasticsearch(elasticsearch.url) as client:
        found = Cluster(elasticsearch.url, client, tmp_path)

        def without_templates() -> None:
            for name in INDEX_TEMPLATES:  # a component in use is not deleted
                _deleted(client.indices.delete_index_template, name)
            for name in [*COMPONENTS, "ekk-custom"]:
                _deleted(client.cluster.delete_component_template, name)

        without_templates()
        yield found
        client.indices.delete(index=found.index, ignore_unavailable=True)
        without_templates()


def test_an_empty_cluster_gets_all_and_the_second_time_nothing(cluster: Cluster) -> None:
    assert cluster.apply() == dict.fromkeys([*COMPONENTS, "ekk"], StepAction.CREATE)
    assert cluster.apply() == dict.fromkeys([*COMPONENTS, "ekk"], StepAction.KEEP)


def test_elasticsearch_gives_the_shipped_templates_back_as_they_were_written(
    cluster: Cluster,
) -> None:
    """Otherwise `plan` would show differences that nobody made."""
    cluster.apply()

    wanted = {each.name: each.body for each in templates.wanted(cluster.config())}
    assert {name: cluster.stored("component", name) for name in COMPONENTS} == {
        name: wanted[name] for name in COMPONENTS
    }
    assert cluster.stored("index", "ekk") == wanted["ekk"]


def test_an_older_template_of_the_sink_is_updated(cluster: Cluster) -> None:
    cluster.apply()
    older = cluster.component("sink-settings")
    older["_meta"]["version"] = 0
    older["template"]["settings"]["index"]["refresh_interval"] = "77s"
    cluster.client.cluster.put_component_template(name="sink-settings", **_named(older))

    assert cluster.apply()["sink-settings"] is StepAction.UPDATE
    settings = cluster.component("sink-settings")["template"]["settings"]
    assert settings["index"]["refresh_interval"] == "5s"


def _named(body: dict[str, Any]) -> dict[str, Any]:
    return {"template": body["template"], "meta": body["_meta"]}


def test_a_foreign_template_stays_as_it_is(cluster: Cluster) -> None:
    theirs = {"settings": {"index": {"refresh_interval": "77s"}}}
    cluster.client.cluster.put_component_template(name="sink-settings", template=theirs)

    actions = cluster.apply()

    assert actions.pop("sink-settings") is StepAction.FOREIGN
    assert set(actions.values()) == {StepAction.CREATE}
    assert cluster.stored("component", "sink-settings") == {"template": theirs}


def test_what_elasticsearch_refuses_is_said_with_its_reason(cluster: Cluster) -> None:
    name = f"other-{uuid.uuid4().hex[:8]}"
    cluster.client.indices.put_index_template(
        name=name, index_patterns=[cluster.pattern], priority=90
    )
    try:
        with pytest.raises(Unavailable, match="same priority"):
            cluster.apply()
    finally:
        cluster.client.indices.delete_index_template(name=name)


def test_the_settings_of_a_component_of_the_operators_win(cluster: Cluster) -> None:
    cluster.client.cluster.put_component_template(
        name="ekk-custom", template={"settings": {"number_of_replicas": 0}}
    )
    cluster.apply()
    cluster.put({"msg": "x"})

    settings = cluster.client.indices.get_settings(index=cluster.index, flat_settings=True)
    found = settings[cluster.index]["settings"]
    assert found["index.number_of_replicas"] == "0"
    assert found["index.codec"] == "best_compression"


@pytest.mark.parametrize(
    ("name", "word"), [("ekk-appender.json", "route"), ("ekk-appender-chinese.json", "订单")]
)
def test_a_record_of_the_appender_is_found_by_its_fields(
    cluster: Cluster, name: str, word: str
) -> None:
    cluster.apply()
    record = json.loads((FIXTURES / name).read_text(encoding="utf-8"))

    cluster.put(record)

    queries: list[dict[str, Any]] = [
        {"term": {field: record[field]}}
        for field in ("appname", "instanceid", "level", "loggername", "threadname")
    ]
    queries += [
        {"match": {"msg": word}},
        {"term": {"logtime.long": record["logtime"]}},
        {"range": {"logtime": {"gte": "2026-11-21", "lt": "2026-11-22"}}},
    ]
    assert [len(cluster.search(query)) for query in queries] == [1] * len(queries)


@pytest.mark.parametrize(
    "logtime",
    [1795252441945, "2026-11-21T09:14:01.945Z", "2026-11-21T17:14:01.945+08:00", "2026-11-21"],
)
def test_logtime_is_epoch_milliseconds_or_iso_8601(cluster: Cluster, logtime: int | str) -> None:
    cluster.apply()

    hit = cluster.put({"logtime": logtime})

    day = {"range": {"logtime": {"gte": "2026-11-21", "lt": "2026-11-22"}}}
    assert len(cluster.search(day)) == 1
    # A date that is no number is left out of the sub-field and refuses nothing.
    expected = [] if isinstance(logtime, int) else ["logtime.long"]
    assert hit.get("_ignored", []) == expected


def test_a_logtime_that_is_no_time_refuses_the_document(cluster: Cluster) -> None:
    """Indexed without its time it would be found by nobody who looks at a span of time."""
    cluster.apply()

    with pytest.raises(BadRequestError, match="document_parsing_exception"):
        cluster.put({"logtime": "a while ago"})


def test_wrapped_text_keeps_its_original_bytes_beside_it(cluster: Cluster) -> None:
    cluster.apply()

    cluster.put({"logtime": 1795252441945, "msg": "plain text", "msg_base64": "1tDOxA=="})

    assert len(cluster.search({"match": {"msg": "plain"}})) == 1
    assert cluster.search({"exists": {"field": "msg_base64"}}) == []


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ("2026-11-21", "no date", {"match": {"custom": "date"}}),
        (1, "no number", None),
        ("text", {"code": 5}, {"term": {"custom.code": 5}}),
        ({"code": 5}, "text", {"term": {"custom.keyword": "text"}}),
        (7, [1, {"deep": [{"er": "x"}]}], {"match": {"custom.deep.er": "x"}}),
        ("x", "a long line " * 4000, {"match": {"custom": "line"}}),
    ],
)
def test_a_field_of_another_type_than_before_loses_no_document(
    cluster: Cluster, first: object, second: object, found: dict[str, Any] | None
) -> None:
    cluster.apply()
    cluster.put({"custom": first})

    hit = cluster.put({"custom": second})

    assert hit["_source"] == {"custom": second}
    if found is not None:
        assert len(cluster.search(found)) == 1


def test_a_document_with_too_many_fields_is_kept_and_the_mapping_stays_bounded(
    cluster: Cluster,
) -> None:
    cluster.apply()

    cluster.put({f"field{number}": "value" for number in range(3000)})
    cluster.put({"msg": "after", "yet_another": 1})

    assert len(cluster.search({"match_all": {}})) == 2
    mapping = cluster.client.indices.get_mapping(index=cluster.index)
    assert len(mapping[cluster.index]["mappings"]["properties"]) <= 1000


def test_the_plan_says_how_text_is_analyzed_and_why(cluster: Cluster) -> None:
    """This Elasticsearch has none of the analyzers that know Chinese."""

    async def connected() -> list[Step]:
        config = cluster.config()
        async with Elastic(config.elasticsearch) as elastic:
            return await templates.plan(elastic, config)

    [step] = [step for step in asyncio.run(connected()) if step.template.name == "sink-text"]

    assert "text is analyzed by standard" in step.reason
    assert "not every node has analysis-ik, analysis-smartcn, analysis-common" in step.reason


def test_the_variants_are_refused_by_a_node_that_lacks_them_and_by_no_other_fault(
    cluster: Cluster,
) -> None:
    for variant in templates.variants(None):
        settings: Any = variant.body["template"]
        name = f"{cluster.index}-{variant.name}"
        with pytest.raises(BadRequestError, match="Unknown analyzer type"):
            cluster.client.indices.create(index=name, settings=settings["settings"])
