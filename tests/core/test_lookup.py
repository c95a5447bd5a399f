"""
Fields of documents, read without the rest of them.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from sink.core.lookup import Lookup


@pytest.mark.parametrize(
    ("document", "held"),
    [
        (b'{"service":"a"}', ["a", UNSET, UNSET]),
        (b'{"k8s":{"ns":"shop","pod":{"name":"p"}},"z":[1]}', [UNSET, "shop", "p"]),
        (b'{"k8s.ns":"flat","k8s":{"ns":"deep"}}', [UNSET, "flat", UNSET]),
        (b'{"k8s":"text","service":null}', [None, UNSET, UNSET]),
        (b'{"k8s":[{"ns":"x"}],"service":17}', [17, UNSET, UNSET]),
        (b'{"k8s":{"ns":{"a":1},"pod":1.5}}', [UNSET, {"a": 1}, UNSET]),
        (b'{"k8s":null}', [UNSET, UNSET, UNSET]),
        (b'{"k8s":true}', [UNSET, UNSET, UNSET]),
        (b"{}", [UNSET, UNSET, UNSET]),
    ],
)
def test_a_field_is_found_in_an_object_or_by_its_whole_name(
    document: bytes, held: list[object]
) -> None:
    columns = Lookup(["service", "k8s.ns", "k8s.pod.name"]).columns([document])

    assert [column[0] for column in columns] == held


@pytest.mark.parametrize("paths", [["k8s", "k8s.ns"], ["k8s.ns", "k8s"]])
def test_a_field_may_be_asked_for_beside_one_within_it(paths: list[str]) -> None:
    documents = [b'{"k8s":{"ns":"shop"}}', b'{"k8s":"text"}', b'{"k8s.ns":"flat"}']

    found = dict(zip(paths, Lookup(paths).columns(documents), strict=True))

    assert found["k8s.ns"] == ["shop", UNSET, "flat"]
    assert found["k8s"][1:] == ["text", UNSET]


@given(st.lists(st.sampled_from([b'{"s":"a"}', b'{"s":"\\ud800"}', b'{"s":1e999}', b"{}"])))
def test_what_is_found_in_a_document_does_not_depend_on_its_neighbours(
    documents: list[bytes],
) -> None:
    """Otherwise a record read again would find another index."""
    lookup = Lookup(["s"])

    together = lookup.columns(documents)

    assert together == [[lookup.columns([each])[0][0] for each in documents]]
