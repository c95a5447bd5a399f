"""
Ids that documents bring with them, and external versions from offsets.
"""

from typing import Any

import pytest

from sink.core.collect import Documents
from sink.core.document_id import NoId, without_id
from sink.testing import FakeRecord
from tests.core.making_actions import actions, target

BY_FIELD: dict[str, Any] = {"id": "field", "id_field": "trace.id", "index": {"name": "x"}}


def test_the_field_is_the_id() -> None:
    found = actions(
        target(**BY_FIELD),
        b'{"trace":{"id":"a\\"b"}}',
        b'{"trace.id":"%d"}',
        b'{"trace":{"id":17}}',
        '{"trace":{"id":"订单"}}'.encode(),
    )

    assert found == [
        ("create", {"_index": "x", "_id": name}) for name in ('a"b', "%d", "17", "订单")
    ]


@pytest.mark.parametrize(
    ("value", "error_type", "said"),
    [
        (b"{}", "id_missing", "missing"),
        (b"text", "id_missing", "missing"),
        (b'{"trace":{"id":""}}', "id_missing", "empty"),
        (b'{"trace":{"id":null}}', "id_missing", "missing"),
        (b'{"trace":{"id":1.5}}', "id_unfit", "a whole number"),
        (b'{"trace":{"id":true}}', "id_unfit", "a text"),
        (b'{"trace":{"id":["a"]}}', "id_unfit", "a text"),
        (b'{"trace":{"id":"%b"}}' % (b"x" * 513), "id_too_long", "512 bytes"),
        (b'{"trace":{"id":"%b"}}' % ("单" * 171).encode(), "id_too_long", "512 bytes"),
    ],
)
def test_a_document_without_a_fit_id_is_rejected_before_it_is_sent(
    value: bytes, error_type: str, said: str
) -> None:
    """Elasticsearch would refuse the whole bulk for an id of 513 bytes."""
    made = target(**BY_FIELD)

    found = actions(made, b'{"trace":{"id":"a"}}', value, b'{"trace":{"id":"b"}}')

    assert [told["_id"] for _, told in found] == ["a", "b"]
    (rejected,) = made.rejected
    assert (rejected.error_type, rejected.record.offset(), rejected.positions) == (
        error_type,
        1,
        (),
    )
    assert "trace.id" in rejected.reason
    assert said in rejected.reason
    assert rejected.topic_id == "TOPICID"


def test_what_is_left_is_all_of_the_same_documents() -> None:
    records = [FakeRecord("orders", 0, offset, b"{}") for offset in (7, 8, 9)]
    documents = Documents([b"a", b"b", b"c"], [*records], [b"7", b"8", b"9"], times_ms=[1, 2, 3])
    columns: list[list[object]] = [["x", "y", "z"]]
    why = NoId("id_missing", "is missing or empty")

    without_id(documents, [b'"1"', why, b'"3"'], columns, "id")

    assert documents.sources == [b"a", b"c"]
    assert documents.records == [records[0], records[2]]
    assert (documents.ids, documents.times_ms) == ([b"7", b"9"], [1, 3])
    assert columns == [["x", "z"]]


def test_an_id_of_512_bytes_is_sent() -> None:
    (found,) = actions(target(**BY_FIELD), b'{"trace":{"id":"%b"}}' % (b"x" * 512))

    assert len(found[1]["_id"]) == 512


def test_elements_without_an_id_share_a_letter_that_holds_the_whole_record() -> None:
    """So that a replay finds them: their places are those in the record."""
    made = target(**BY_FIELD)
    value = b'[{"a":1},{"trace":{"id":"b"}},17,{"c":1}]'

    found = actions(made, value)

    assert [told["_id"] for _, told in found] == ["b"]
    by_type = {each.error_type: each for each in made.rejected}
    assert by_type["id_missing"].positions == (0, 3)
    assert by_type["id_missing"].record.value() == value
    assert by_type["not_an_object"].positions == (2,)


def test_all_documents_of_a_run_may_lack_an_id() -> None:
    made = target(**BY_FIELD)

    assert actions(made, b"{}", b"{}") == []
    assert len(made.rejected) == 2


def test_the_offset_is_the_version_where_that_is_wanted() -> None:
    made = target(**BY_FIELD, op_type="index", version="offset")

    found = actions(made, b'{"trace":{"id":"a%"}}', b'[{"trace":{"id":"a%"}}]', first=7)

    told = {"_index": "x", "_id": "a%", "version_type": "external_gte"}
    assert found == [("index", told | {"version": 7}), ("index", told | {"version": 8})]


def test_without_a_version_none_is_sent() -> None:
    assert actions(target(**BY_FIELD, op_type="index"), b'{"trace":{"id":"a"}}') == [
        ("index", {"_index": "x", "_id": "a"})
    ]


def test_field_and_time_and_id_are_taken_of_the_same_document() -> None:
    """What has no id is taken out: what else is known of each document must move up with it."""
    made = target(
        id="field",
        id_field="id",
        index={"name": "{service}-%Y.%m.%d", "time_field": "at"},
    )

    found = actions(
        made,
        b'{"service":"a","at":"2026-11-01"}',
        b'{"service":"b","at":"2026-11-02","id":"2"}',
        b'{"service":"c","at":"2026-11-03"}',
        b'{"service":"d","at":"2026-11-04","id":"4"}',
    )

    assert [(told["_index"], told["_id"]) for _, told in found] == [
        ("b-2026.11.02", "2"),
        ("d-2026.11.04", "4"),
    ]
