"""
Differences are of meaning: how Elasticsearch writes what it was given is none.
"""

import pytest

from sink.core.template_body import Body, signed, succeeding
from sink.core.template_form import comparable, same_but_patterns


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            {"template": {"settings": {"number_of_shards": 1, "index.codec": "x"}}},
            {"template": {"settings": {"index": {"number_of_shards": "1", "codec": "x"}}}},
        ),
        (
            {"template": {"settings": {"index": {"blocks": {"write": True}, "x": None}}}},
            {"template": {"settings": {"index.blocks.write": "true"}}},
        ),
        (
            {"template": {"settings": {"index.sort.field": [1, "a"]}}},
            {"template": {"settings": {"index": {"sort": {"field": ["1", "a"]}}}}},
        ),
        (
            {"data_stream": {}},
            {"data_stream": {"hidden": False, "allow_custom_routing": False}},
        ),
        (
            {"template": {"lifecycle": {"data_retention": "7d"}}},
            {"template": {"lifecycle": {"enabled": True, "data_retention": "7d"}}},
        ),
        ({"composed_of": []}, {}),
        ({"priority": 90}, signed({"priority": 90, "_meta": {}})),
    ],
)
def test_forms_that_mean_the_same_are_the_same(one: Body, other: Body) -> None:
    left, right = comparable(one), comparable(other)
    if "owner" in str(right):
        left["_meta"] = right["_meta"]

    assert left == right


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"data_stream": {}}, {}),
        ({"data_stream": {"hidden": True}}, {"data_stream": {}}),
        ({"template": {"settings": {"codec": "x"}}}, {"template": {"settings": {"codec": "y"}}}),
        ({"template": {"mappings": {"a": 1}}}, {"template": {"mappings": {"a": "1"}}}),
        ({"_meta": {"version": 1}}, {"_meta": {"version": 2}}),
        ({"template": {"settings": {"codec": "x"}}}, {"template": {"settings": {"codec": "X"}}}),
        (
            {"template": {"settings": {"sort.field": ["a"]}}},
            {"template": {"settings": {"sort.field": ["b"]}}},
        ),
        (
            {"template": {"lifecycle": {"data_retention": "7d"}}},
            {"template": {"lifecycle": {"data_retention": "8d"}}},
        ),
    ],
)
def test_what_means_something_else_is_told(one: Body, other: Body) -> None:
    assert comparable(one) != comparable(other)


def test_how_a_template_came_to_be_there_is_no_difference() -> None:
    body = signed({"priority": 1})

    assert comparable(succeeding(body, signed({"priority": 2}))) == comparable(body)


def test_patterns_and_how_elasticsearch_writes_it_make_no_other_version() -> None:
    written = {"data_stream": {}, "index_patterns": ["a-*"], "priority": 1}
    back = {**written, "data_stream": {"hidden": False}, "index_patterns": ["a-*", "b-*"]}

    assert same_but_patterns(signed(written), signed(back))
    assert not same_but_patterns(signed(written), signed({**back, "priority": 2}))
