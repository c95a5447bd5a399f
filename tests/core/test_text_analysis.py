"""
How text is analyzed: the best that every node can do, and why it is that.
"""

import json

import pytest

from sink.core.template import Kind, TemplateSource
from sink.core.text_analysis import (
    COMPONENT,
    PLUGINS,
    Choice,
    Variant,
    choose,
    of_every_node,
    parse_variant,
)
from sink.errors import ConfigError
from sink.templates import load, variants

SOURCES = load(None)
VARIANTS = variants(None)
IK, SMARTCN, CJK = "analysis-ik", "analysis-smartcn", "analysis-common"


def _analyzer(choice: Choice) -> object:
    (component,) = [source for source in choice.sources if source.name == COMPONENT]
    settings = json.loads(json.dumps(component.body))["template"]["settings"]
    return settings["index"]["analysis"]["analyzer"]["default"]["type"]


@pytest.mark.parametrize(
    ("present", "analyzer", "why"),
    [
        ({IK, SMARTCN, CJK}, "ik_max_word", "ik: every node has analysis-ik"),
        (
            {SMARTCN, CJK},
            "smartcn",
            "smartcn: every node has analysis-smartcn and not every node has analysis-ik",
        ),
        (
            {CJK, "other"},
            "cjk",
            "cjk: every node has analysis-common and not every node has analysis-ik, "
            "analysis-smartcn",
        ),
        (
            set(),
            "standard",
            "standard: not every node has analysis-ik, analysis-smartcn, analysis-common",
        ),
    ],
)
def test_the_best_that_every_node_has_is_taken_and_the_plan_says_why(
    present: set[str], analyzer: str, why: str
) -> None:
    choice = choose(SOURCES, VARIANTS, frozenset(present))

    assert _analyzer(choice) == analyzer
    assert choice.why == f"text is analyzed by {why}"
    assert [source.name for source in choice.sources] == [source.name for source in SOURCES]


@pytest.mark.parametrize(("there", "analyzer"), [("ik", "ik_max_word"), (None, "standard")])
def test_what_was_chosen_stays_while_the_cluster_does_not_tell(
    there: str | None, analyzer: str
) -> None:
    existing = {"_meta": {"owner": "ekk-sink", "version": 1, "variant": there}} if there else None

    choice = choose(SOURCES, VARIANTS, None, existing)

    assert _analyzer(choice) == analyzer
    assert "grant the cluster privilege monitor" in choice.why


def test_an_operators_folder_without_variants_is_left_as_it_is() -> None:
    own = [TemplateSource(Kind.COMPONENT, "mine", frozenset(), {"_meta": {"version": 1}})]

    assert choose(own, [], frozenset()) == Choice(own, "")


def test_a_variant_is_its_name_what_it_takes_and_its_body() -> None:
    body = {"_meta": {"version": 1, "requires": "analysis-ik"}, "template": {}}

    assert parse_variant("ik", json.dumps(body)) == Variant("ik", "analysis-ik", body)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("klingon", "{}", "the variants are ik, smartcn, cjk"),
        ("ik", '{"_meta":{"version":1}}', "requires"),
        ("ik", "{", "component template 'ik' is not JSON"),
    ],
)
def test_a_variant_that_is_none_is_refused(name: str, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_variant(name, text)


def test_what_one_node_lacks_not_every_node_has() -> None:
    ik, common = {"name": "analysis-ik"}, {"name": "analysis-common"}
    one = {"name": "one", "plugins": [ik], "modules": [common]}

    assert of_every_node({"nodes": {"1": one}}) == frozenset({"analysis-ik", "analysis-common"})
    assert of_every_node({"nodes": {"1": one, "2": {"modules": [common]}}}) == frozenset(
        {"analysis-common"}
    )
    assert of_every_node({"nodes": {"1": one, "2": {"name": "two"}}}) == frozenset()
    assert of_every_node({}) is None


def test_the_nodes_are_asked_for_what_is_read_of_them() -> None:
    """A node without a plugin is named all the same: else it would not be counted."""
    path, _, query = PLUGINS.partition("?filter_path=")

    assert path == "/_nodes/plugins"
    assert set(query.split(",")) == {
        "nodes.*.plugins.name",
        "nodes.*.modules.name",
        "nodes.*.name",
    }
