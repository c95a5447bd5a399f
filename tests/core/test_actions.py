"""
The action line of each document.
"""

from operator import add

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.core.action import action_halves, action_lines, action_prefix, field_lines


def test_action_lines_are_json_with_index_and_id() -> None:
    prefix = action_prefix("create", "sag-orders_2026-11-01", "AbC-3-5-")

    lines = action_lines(prefix, range(7, 9), with_id=True)

    assert list(map(orjson.loads, lines)) == [
        {"create": {"_index": "sag-orders_2026-11-01", "_id": f"AbC-3-5-{offset}"}}
        for offset in (7, 8)
    ]


@pytest.mark.parametrize("ids", [[4, 9], [b"4", b"9"]])
def test_ids_may_have_gaps_and_suffixes(ids: list[int] | list[bytes]) -> None:
    lines = action_lines(action_prefix("index", "logs", "T-0-0-"), ids, with_id=True)

    assert [orjson.loads(line)["index"]["_id"] for line in lines] == ["T-0-0-4", "T-0-0-9"]


def test_a_percent_sign_in_a_name_stays_one() -> None:
    (line,) = action_lines(action_prefix("create", "100%d", "%s-0-0-"), [4], with_id=True)

    assert orjson.loads(line) == {"create": {"_index": "100%d", "_id": "%s-0-0-4"}}


def test_a_percent_sign_stays_one_beside_a_version() -> None:
    prefix = action_prefix("index", "100%d", None)

    (line,) = field_lines(prefix, [b'"%s"'], [4])

    told = {"_index": "100%d", "_id": "%s", "version": 4, "version_type": "external_gte"}
    assert orjson.loads(line) == {"index": told}


def test_the_pipeline_of_a_route_is_named_in_each_line() -> None:
    (line,) = action_lines(action_prefix("index", "logs", None, 'a"b'), [4], with_id=False)

    assert orjson.loads(line) == {"index": {"pipeline": 'a"b', "_index": "logs"}}


def test_without_ids_elasticsearch_picks_them() -> None:
    lines = action_lines(action_prefix("create", "logs", None), range(2), with_id=False)

    assert list(map(orjson.loads, lines)) == [{"create": {"_index": "logs"}}] * 2


@given(
    st.integers(0, 3) | st.integers(900, 2100) | st.integers(0, 2**63 - 1),
    st.integers(0, 2200),
    st.sampled_from(["AbC-3-5-", "100%d-0-0-"]),
)
def test_halves_of_lines_are_the_lines(first: int, count: int, id_prefix: str) -> None:
    prefix, offsets = action_prefix("create", "logs", id_prefix), range(first, first + count)

    begins, ends = action_halves(prefix, offsets)

    assert len(begins) == len(ends) == count
    assert list(map(add, begins, ends)) == action_lines(prefix, offsets, with_id=True)
