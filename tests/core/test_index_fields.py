"""
Index names out of topic, route and fields: always legal, always the same, never a missing one.
"""

import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.core.legal_names import NAME_BYTES_MAX, UNKNOWN, part
from tests.core.making_actions import indices, target

BY_SERVICE = {"name": "logs-{service}-%Y.%m.%d"}


def test_topic_route_and_fields_name_the_index() -> None:
    made = target(name="My Route", index={"name": "{route}-{topic}-{type}-{k8s.ns}-%Y"})

    found = indices(made, b'{"type":"A","k8s":{"ns":"Shop"}}', b'{"type":"b","k8s.ns":"x"}')

    assert found == ["my_route-order-a-shop-2026", "my_route-order-b-x-2026"]


@pytest.mark.parametrize(
    ("held", "name"),
    [
        ('"Order"', "order"),
        ('"a/b c"', "a_b_c"),
        ('"../../etc"', "etc"),
        ('".."', UNKNOWN),
        ('"_"', UNKNOWN),
        ('""', UNKNOWN),
        ("null", UNKNOWN),
        ("17", UNKNOWN),
        ('{"a":"b"}', UNKNOWN),
        ('["a"]', UNKNOWN),
        ('"订单-服务"', "订单-服务"),
        ('"a*?\\"<>|,#:%b"', "a__________b"),
        ('"a\\u0000\\u2028b"', "a__b"),
        ('"-lead"', "lead"),
        ('"{topic}"', "topic"),
        ('"%Y"', "y"),
    ],
)
def test_what_a_field_holds_is_made_legal_or_has_one_name_in_its_place(
    held: str, name: str
) -> None:
    made = target(index=BY_SERVICE)

    assert indices(made, b'{"service":%b}' % held.encode()) == [f"logs-{name}-2026.11.21"]
    assert made.displaced == ({UNKNOWN: 1} if name == UNKNOWN else {})


def test_a_missing_field_has_that_name_too() -> None:
    assert indices(target(index=BY_SERVICE), b"{}", b"text") == ["logs-unknown-2026.11.21"] * 2


def test_of_a_long_value_the_beginning_is_kept_and_the_date_as_well() -> None:
    made = target(index=BY_SERVICE)
    one, two = b'{"service":"%b"}' % (b"x" * 300), b'{"service":"%b"}' % (b"x" * 299 + b"y")

    first, second = indices(made, one, two)

    assert first != second
    for name in (first, second):
        assert re.fullmatch(r"logs-x{87}_[0-9a-f]{12}-2026\.11\.21", name)


@given(st.text() | st.binary(max_size=400).map(lambda raw: raw.decode("utf-8", "replace")))
def test_no_field_makes_a_name_that_elasticsearch_refuses(text: str) -> None:
    """Source: Elasticsearch, "Create index API", path parameters."""
    text = text.encode(errors="replace").decode()
    (name,) = indices(target(index=BY_SERVICE), orjson.dumps({"service": text}))

    assert name == name.lower()
    assert not re.search(r'[\\/*?"<>|\s,#:\x00-\x1f]', name)
    assert len(name.encode()) <= NAME_BYTES_MAX
    assert name.startswith("logs-")
    assert name.endswith("-2026.11.21")


def test_neighbours_of_several_indices_each_have_their_own_and_their_ids() -> None:
    made = target(index=BY_SERVICE)
    values = [b'{"service":"%b"}' % s for s in (b"a", b"a", b"b", b"a")]

    assert [name[5] for name in indices(made, *values)] == ["a", "a", "b", "a"]


def test_a_data_stream_has_hyphens_only_between_its_three_parts() -> None:
    made = target("ekk-web-shop", index={"data_stream": "logs-{topic}.{k8s.ns}-prod"})

    found = indices(made, b'{"k8s":{"ns":"Team-A"}}', b"{}", time_ms=-1)

    assert found == ["logs-web_shop.team_a-prod", "logs-web_shop.unknown-prod"]
    assert made.displaced == {UNKNOWN: 1}


def test_more_names_than_are_remembered_are_named_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sink.core.target._KNOWN_MAX", 3)
    made = target(index=BY_SERVICE)
    values = [b'{"service":"s%d"}' % (n % 7) for n in range(50)]

    assert indices(made, *values) == [f"logs-s{n % 7}-2026.11.21" for n in range(50)]


def test_letters_that_unicode_got_later_than_python_do_not_stay() -> None:
    """Elasticsearch may know their lower case, and would refuse every document of that index."""
    assert part("a\U000107ffb") == "a_b"
