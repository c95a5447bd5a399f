"""
The time field and the other fields that Kibana is told of.
"""

import pytest

from sink import templates
from sink.config import Config
from sink.core.destination import Destination
from sink.core.mapped_fields import mapped_fields, time_field
from sink.core.template import Kind, Template


def fields_of(**route: object) -> dict[str, str]:
    config = Config.model_validate({"routes": [{"name": "a", "prefix": "a-", **route}]})
    (destination,) = templates.destinations(config)
    return mapped_fields(templates.wanted(config), destination)


def test_the_fields_of_a_route_are_those_of_its_template_and_its_components() -> None:
    fields = fields_of(index={"prefix": "sag-"})

    assert fields["level"] == "keyword"
    assert fields["msg"] == "text"
    assert time_field(fields) in fields


def test_a_route_without_a_template_has_no_fields_that_are_known() -> None:
    assert fields_of(index={"prefix": "sag-"}, collector="somebody.else:made") == {}


@pytest.mark.parametrize("odd", [{}, {"composed_of": None}, {"composed_of": "base"}])
def test_a_template_of_the_users_own_may_have_no_components_and_odd_fields(
    odd: dict[str, object],
) -> None:
    mappings = {"properties": {"level": {"type": "keyword"}, "odd": "text", "object": {}}}
    body = {"index_patterns": ["a-*"], "template": {"mappings": mappings}, **odd}

    found = mapped_fields(
        [Template(Kind.INDEX, "own", body)], Destination("a", "log", ("a-*",), "a-x_2026-11-01")
    )

    assert found == {"level": "keyword"}


def test_the_time_field_is_the_timestamp_where_it_is_mapped() -> None:
    assert time_field({"logtime": "date", "@timestamp": "date"}) == "@timestamp"


def test_the_time_field_is_the_only_date_where_there_is_no_timestamp() -> None:
    assert time_field({"level": "keyword", "logtime": "date"}) == "logtime"
    assert time_field({"@timestamp": "keyword", "at": "date_nanos"}) == "at"


def test_without_a_date_it_is_the_timestamp_that_elasticsearch_maps_by_itself() -> None:
    assert time_field({}) == time_field({"level": "keyword"}) == "@timestamp"
