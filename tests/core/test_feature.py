"""
Older clusters: what they refuse is left out and said; newer ones get everything.
"""

import json

import pytest

from sink.core.feature import fitted, has_stream_lifecycle, version_of_cluster
from sink.core.template import Kind, TemplateSource
from sink.templates import load

SOURCES = load(None)


def _source(sources: list[TemplateSource], name: str) -> str:
    return json.dumps(next(source.body for source in sources if source.name == name))


@pytest.mark.parametrize("number", ["8.14.0", "8.19.21", "9.5.3", "a build of mine"])
def test_a_cluster_that_knows_all_gets_the_sources_as_they_are(number: str) -> None:
    found = fitted(SOURCES, version_of_cluster(number))

    assert (found.sources, found.lacks) == (SOURCES, {})


def test_the_limit_of_fields_is_without_its_leniency_before_8_14() -> None:
    found = fitted(SOURCES, version_of_cluster("8.13.4"))

    settings = _source(found.sources, "sink-settings")
    assert "ignore_dynamic_beyond_limit" not in settings
    assert '"limit": "1000"' in settings
    assert list(found.lacks) == ["sink-settings"]
    assert "before 8.14" in found.lacks["sink-settings"]
    assert "dead-lettered" in found.lacks["sink-settings"]


def test_the_operators_components_are_not_composed_in_before_8_7() -> None:
    found = fitted(SOURCES, version_of_cluster("8.6.2"))

    ekk = next(source for source in found.sources if source.name == "ekk")
    assert "ignore_missing_component_templates" not in ekk.body
    assert "ekk-custom" not in json.dumps(ekk.body["composed_of"])
    assert "sink-settings" in json.dumps(ekk.body["composed_of"])
    assert {s.name for s in SOURCES if s.kind is Kind.INDEX} <= set(found.lacks)


@pytest.mark.parametrize(
    ("number", "lacks"), [("8.6.9", {"8.14", "8.7"}), ("8.7.0", {"8.14"}), ("8.14.0", set())]
)
def test_each_is_left_out_before_the_version_that_brought_it(number: str, lacks: set[str]) -> None:
    found = fitted(SOURCES, version_of_cluster(number))

    told = {word.rstrip(":") for why in found.lacks.values() for word in why.split()}
    assert {"8.14", "8.7"} & told == lacks


def test_the_sources_of_an_operator_need_not_have_what_is_left_out() -> None:
    own = [TemplateSource(Kind.COMPONENT, "own", frozenset(), {"template": {"settings": []}})]

    assert fitted(own, (8, 0)).sources == own


def test_data_streams_have_a_lifecycle_of_their_own_since_8_14() -> None:
    assert [has_stream_lifecycle(version) for version in ((8, 13), (8, 14), (9, 0))] == [
        False,
        True,
        True,
    ]
