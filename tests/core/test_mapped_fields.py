"""
The time field and the other fields that Kibana is told of.
"""

from sink import templates
from sink.config import Config
from sink.core.mapped_fields import mapped_fields, time_field


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


def test_the_time_field_is_the_timestamp_where_it_is_mapped() -> None:
    assert time_field({"logtime": "date", "@timestamp": "date"}) == "@timestamp"


def test_the_time_field_is_the_only_date_where_there_is_no_timestamp() -> None:
    assert time_field({"level": "keyword", "logtime": "date"}) == "logtime"
    assert time_field({"@timestamp": "keyword", "at": "date_nanos"}) == "at"


def test_without_a_date_it_is_the_timestamp_that_elasticsearch_maps_by_itself() -> None:
    assert time_field({}) == time_field({"level": "keyword"}) == "@timestamp"
