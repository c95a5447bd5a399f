"""
The plan for index templates: what is written, what is left alone, and that it ends.
"""

import hashlib
import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.core.destination import Destination
from sink.core.template import TEMPLATES, Kind, Template, TemplateSource, parse, patterns_of, render
from sink.core.template_body import Body, checksum, is_own
from sink.core.template_plan import WRITES, Step, StepAction, plan
from sink.errors import ConfigError

Cluster = dict[tuple[Kind, str], Body]

NAMES = st.sampled_from(["a", "b", "c"])
PATTERNS = st.sampled_from(["sag-*", "logs-*", "kong-*"])
VERSIONS = st.integers(1, 3)


def _source(kind: Kind, name: str, version: int, text: str = "") -> TemplateSource:
    meta: dict[str, object] = {"version": version, "description": text}
    body: dict[str, object] = {"_meta": meta}
    if kind is Kind.INDEX:
        meta["collectors"] = ["log"]
        body["composed_of"] = ["a", "b", "c"]
    return parse(kind, name, json.dumps(body))


def _rendered(kind: Kind, name: str, version: int, text: str, patterns: set[str]) -> list[Template]:
    sources = [_source(kind, name, version, text), _source(Kind.INDEX, "other", 1)]
    where = Destination("route", "log", tuple(patterns), "sample")
    return [each for each in render(sources, [where]) if (each.kind, each.name) == (kind, name)]


KINDS = st.sampled_from(TEMPLATES)
OWN = st.builds(
    _rendered, KINDS, NAMES, VERSIONS, st.sampled_from(["x", "y"]), st.sets(PATTERNS, min_size=1)
).map(lambda found: found[0])
FOREIGN_BODIES: st.SearchStrategy[Body] = st.sampled_from(
    [{}, {"_meta": None}, {"_meta": {"owner": "you", "version": 1}}, {"index_patterns": ["*"]}]
)
FOREIGN = st.builds(Template, KINDS, NAMES, FOREIGN_BODIES)
WANTED = st.lists(OWN, unique_by=lambda each: (each.kind, each.name))
CLUSTERS = st.lists(OWN | FOREIGN).map(
    lambda found: {(each.kind, each.name): each.body for each in found}
)


def _carried_out(steps: list[Step], cluster: Cluster) -> Cluster:
    return cluster | {
        # What Elasticsearch gives back is JSON, read again.
        (step.template.kind, step.template.name): json.loads(json.dumps(step.template.body))
        for step in steps
        if step.action in WRITES
    }


@given(WANTED, CLUSTERS)
def test_what_was_applied_needs_nothing_more(wanted: list[Template], cluster: Cluster) -> None:
    after = _carried_out(plan(wanted, cluster), cluster)

    assert not [step for step in plan(wanted, after) if step.action in WRITES]
    assert len(plan(wanted, after)) == len(wanted)


@given(WANTED, CLUSTERS)
def test_a_foreign_template_is_never_written(wanted: list[Template], cluster: Cluster) -> None:
    for step in plan(wanted, cluster):
        there = cluster.get((step.template.kind, step.template.name))
        if there is not None and not is_own(there):
            assert step.action is StepAction.FOREIGN
            assert step.afterwards().body == there
        else:
            assert step.action is not StepAction.FOREIGN


@given(WANTED, CLUSTERS)
def test_no_index_pattern_is_ever_taken_away(wanted: list[Template], cluster: Cluster) -> None:
    for step in plan(wanted, cluster):
        left = set(patterns_of(step.afterwards()))

        assert left >= set(patterns_of(step.template._replace(body=step.existing or {})))
        if step.action in {*WRITES, StepAction.KEEP}:
            asked = next(each for each in wanted if each[:2] == step.template[:2])
            assert left >= set(patterns_of(asked))


@pytest.mark.parametrize(
    ("there", "text", "action"),
    [
        (1, "old", StepAction.UPDATE),
        (2, "same", StepAction.KEEP),
        (2, "edited", StepAction.UPDATE),
        (3, "newer", StepAction.NEWER),
    ],
)
def test_the_version_and_the_content_decide(there: int, text: str, action: StepAction) -> None:
    [wanted] = _rendered(Kind.INDEX, "ekk", 2, "same", {"sag-*"})
    [present] = _rendered(Kind.INDEX, "ekk", there, text, {"sag-*"})

    [step] = plan([wanted], {(Kind.INDEX, "ekk"): present.body})

    assert action is step.action
    assert str(there) in step.reason
    assert ("another content" in step.reason) is (text == "edited")
    assert step.existing == present.body, "what is there is shown beside what is wanted"


def test_an_operator_is_told_what_to_do_about_a_template_of_that_name() -> None:
    [wanted] = _rendered(Kind.INDEX, "ekk", 2, "same", {"sag-*"})

    [step] = plan([wanted], {(Kind.INDEX, "ekk"): {}})

    assert step.action is StepAction.FOREIGN
    assert "rename" in step.reason


def test_a_missing_template_is_created_as_it_is_wanted() -> None:
    [wanted] = _rendered(Kind.INDEX, "ekk", 2, "same", {"sag-*"})

    [step] = plan([wanted], {(Kind.INDEX, "ekk"): None})

    assert (StepAction.CREATE, wanted) == (step.action, step.template)
    assert step.existing is None
    assert step.reason


def test_templates_are_rendered_components_first_for_the_routes_of_their_collectors() -> None:
    sources = [
        _source(Kind.INDEX, "zipkin", 1),
        _source(Kind.INDEX, "ekk", 1),
        _source(Kind.COMPONENT, "unused", 1),
        _source(Kind.COMPONENT, "b", 1),
        _source(Kind.COMPONENT, "a", 1),
    ]
    routes = [
        Destination("one", "log", ("sag-*",), "sag-x"),
        Destination("two", "log", ("app-*", "app_undated"), "app-x"),
        Destination("three", "kong", ("kong-*",), "kong-x"),
    ]

    templates = render(sources, routes)

    assert [t.name for t in templates] == ["a", "b", "ekk", "zipkin"]
    assert patterns_of(templates[-1]) == ["app-*", "app_undated", "sag-*"]


@pytest.mark.parametrize(("priority", "raised"), [({}, 200), ({"priority": 7}, 207)])
def test_a_template_of_data_streams_is_above_those_that_elasticsearch_brings(
    priority: dict[str, int], raised: int
) -> None:
    source = _source(Kind.INDEX, "ekk", 1)
    source = source._replace(body={**source.body, **priority})

    [template] = render([source], [Destination("r", "log", ("logs-*",), "x", stream=True)])

    assert (template.name, template.body["priority"]) == ("ekk-data-stream", raised)


def test_indices_and_data_streams_of_a_collector_have_a_template_each() -> None:
    where = Destination("r", "log", ("sag-*",), "x")
    streams = where._replace(patterns=("logs-*",), stream=True)

    templates = render([_source(Kind.INDEX, "ekk", 1)], [streams, where])

    assert [(each.name, patterns_of(each)) for each in templates] == [
        ("ekk", ["sag-*"]),
        ("ekk-data-stream", ["logs-*"]),
    ]


def test_what_is_in_the_cluster_afterwards_is_what_was_written_or_what_was_there() -> None:
    wanted, there = Template(Kind.INDEX, "a", {"n": 2}), {"n": 1}

    for action, existing, left in (
        (StepAction.CREATE, None, {"n": 2}),
        (StepAction.UPDATE, there, {"n": 2}),
        (StepAction.KEEP, there, there),
        (StepAction.LEFT_OUT, None, {"n": 2}),
    ):
        assert Step(action, wanted, "why", existing).afterwards().body == left


def test_a_template_that_no_route_asks_for_is_not_written() -> None:
    sources = [_source(Kind.INDEX, "ekk", 1), _source(Kind.COMPONENT, "a", 1)]

    assert render(sources, [Destination("r", "kong", ("kong-*",), "kong-x")]) == []
    assert render(sources, [Destination("r", "log", (), "x")]) == []


def test_a_rendered_template_says_whose_it_is_and_which() -> None:
    [template] = _rendered(Kind.INDEX, "ekk", 7, "text", {"sag-*"})

    meta = template.body["_meta"]
    assert isinstance(meta, Mapping)
    assert (meta["owner"], meta["version"]) == ("ekk-sink", 7)
    assert checksum(template.body) == meta["checksum"]


def test_the_checksum_knows_content_not_the_order_of_keys() -> None:
    body = {"template": {"a": 1, "b": 2}, "_meta": {"version": 1}}
    turned = {"_meta": {"checksum": "old", "version": 1}, "template": {"b": 2, "a": 1}}

    assert checksum(body) == checksum(turned)
    assert checksum(body) != checksum({**body, "template": {"a": 1, "b": 3}})
    assert checksum(body) != checksum({**body, "_meta": {"version": 2}})


def test_the_checksum_of_a_template_is_the_same_in_every_version_of_the_sink() -> None:
    """
    With another one each template would be written again by an upgrade, and back by a rollback.
    """
    body = {"template": {"a": 1, "b": [1, "é"]}, "_meta": {"version": 1}}
    canonical = rb'{"_meta":{"version":1},"template":{"a":1,"b":[1,"\u00e9"]}}'

    assert checksum(body) == hashlib.sha256(canonical).hexdigest()


@pytest.mark.parametrize(
    ("kind", "name", "text", "said"),
    [
        (Kind.INDEX, "ekk", "{", "not JSON"),
        (Kind.INDEX, "ekk", "[]", "not a JSON object"),
        (Kind.INDEX, "ekk", '{"_meta": {"collectors": ["log"]}}', "_meta.version"),
        (Kind.INDEX, "ekk", '{"_meta": {"version": true, "collectors": ["x"]}}', "_meta.version"),
        (Kind.INDEX, "ekk", '{"_meta": {"version": 1}}', "_meta.collectors"),
        (Kind.COMPONENT, "a", '{"_meta": {"version": 1, "collectors": ["x"]}}', "_meta.collectors"),
        (
            Kind.INDEX,
            "ekk",
            '{"_meta": {"version": 1, "collectors": ["log"]}, "index_patterns": ["*"]}',
            "come from the routes",
        ),
        (Kind.INDEX, "ekk*", "{}", "name its file"),
        (Kind.INDEX, "_ekk", "{}", "name its file"),
    ],
)
def test_a_source_that_is_not_usable_is_refused_by_name(
    kind: Kind, name: str, text: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        parse(kind, name, text)

    assert f"{kind} template {name!r}" in str(caught.value)
