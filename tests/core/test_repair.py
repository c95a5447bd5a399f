"""
Mapping conflicts: which field it was, and what becomes of its value.
"""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.config import RouteSettings
from sink.core.outcome import Outcome, Verdict, judge
from sink.core.repair import Repairs, conflicting_field, is_repaired, without_conflict
from tests.recorded import load

# Of real answers to one document, by case.
_FIELDS = {
    "dry_run": "_source",
    "dry_run_into_data_stream": "_source",
    "dry_run_with_create_doc": "_source",
    "long_keyword": "word",
    "lone_surrogate": "date",
    "malformed_date": "date",
    "malformed_number": "number",
    "names_with_dots_for_text": "text",
    "number_for_object": "object",
    "object_for_number": "number",
    "object_for_text": "text",
}
_PARSING = "document_parsing_exception"


def _verdict(field: str, value: str = "x", error_type: str = _PARSING) -> Verdict:
    reason = (
        f"[1:8] failed to parse field [{field}] of type [long] in document with id '1'. "
        f"Preview of field's value: '{value}'"
    )
    return Verdict(Outcome.DEAD, error_type, reason)


def _mended(source: str, field: str) -> Any:
    mended = without_conflict(source.encode(), field)
    return mended and json.loads(mended)


@pytest.mark.parametrize("recorded", load(), ids=str)
def test_the_field_is_read_out_of_what_elasticsearch_says(recorded: Any) -> None:
    verdicts = judge(recorded.reply, 1).verdicts or [Verdict(Outcome.INDEXED)]

    assert conflicting_field(verdicts[0]) == _FIELDS.get(recorded.case)


def test_a_value_that_looks_like_the_reason_names_no_other_field() -> None:
    assert conflicting_field(_verdict("n", "a] of type [b")) == "n"
    assert conflicting_field(_verdict("a.b[0", "x")) == "a.b[0"


def test_the_field_is_read_whatever_its_name_and_however_old_elasticsearch_is() -> None:
    assert conflicting_field(_verdict("two\nlines")) == "two\nlines"
    assert conflicting_field(_verdict("n", error_type="mapper_parsing_exception")) == "n"
    assert conflicting_field(_verdict("n", error_type="illegal_argument_exception")) is None


def test_a_value_becomes_text_beside_and_the_document_says_so() -> None:
    source = '{"@timestamp":"t","n":"x","o":{"a":1.50,"b":[null]},"m":7}'

    assert _mended(source, "n") == {
        "sink.repaired": ["n"],
        "@timestamp": "t",
        "o": {"a": 1.5, "b": [None]},
        "m": 7,
        "n_conflict": "x",
    }
    assert _mended(source, "o")["o_conflict"] == '{"a":1.50,"b":[null]}'
    assert _mended(source, "m")["m_conflict"] == "7"


@pytest.mark.parametrize(
    ("source", "field", "mended"),
    [
        ('{"a":{"b":"x","c":1}}', "a.b", {"a": {"b_conflict": "x", "c": 1}}),
        ('{"a.b":"x"}', "a.b", {"a.b_conflict": "x"}),
        ('{"a":{"b.c":1}}', "a.b.c", {"a": {"b.c_conflict": "1"}}),
        # An object by its fields' names, beside the value that it is not.
        ('{"a":"x","a.b":1,"a.c/d":2}', "a", {"a": "x", "a_conflict": '{"b":1,"c/d":2}'}),
        (
            '{"k":{"app":"x","app.io/n":"y"}}',
            "k.app",
            {"k": {"app": "x", "app_conflict": '{"io/n":"y"}'}},
        ),
        # The reason does not tell which element it was.
        (
            '{"a":[{"n":1},2,[{"n":"x"}]]}',
            "a.n",
            {"a": [{"n_conflict": "1"}, 2, [{"n_conflict": "x"}]]},
        ),
        ('{"a":[{"n":1},{"m":2}]}', "a.n", {"a": [{"n_conflict": "1"}, {"m": 2}]}),
        ('{"n":[1,"x"]}', "n", {"n_conflict": '[1,"x"]'}),
        ('{"n":null}', "n", {"n_conflict": "null"}),
    ],
)  # fmt: skip
def test_the_field_is_found_where_it_is(source: str, field: str, mended: dict[str, Any]) -> None:
    assert _mended(source, field) == {"sink.repaired": [field], **mended}


@pytest.mark.parametrize(
    ("source", "field"),
    [
        ('{"a":1}', "b"),
        ('{"a":1}', "a.b"),
        ('{"a":{"c":1}}', "a.b"),
        ('{"a":[{"c":1}]}', "a.b"),
        ('{"a":1,"a_conflict":2}', "a"),
        ("no object", "a"),
    ],
)
def test_what_is_not_there_or_has_no_room_is_not_repaired(source: str, field: str) -> None:
    assert _mended(source, field) is None


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "a.b", "b.a"]),
        st.recursive(
            st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.just("b"), x)
        ),
    ),
    st.sampled_from(["a", "b", "a.b", "a.b.b"]),
)
def test_a_repaired_document_is_one_object_on_one_line(value: dict[str, Any], field: str) -> None:
    mended = without_conflict(json.dumps(value, indent=1).replace("\n", " ").encode(), field)

    if mended is not None:
        assert is_repaired(mended)
        assert b"\n" not in mended
        assert json.loads(mended)["sink.repaired"] == [field]


def _repairs(*repair: str) -> Repairs:
    routes = [
        {"name": f"r{n}", "topics": [f"t{n}"], "repair": each} for n, each in enumerate(repair)
    ]
    return Repairs([RouteSettings.model_validate(route) for route in routes])


def test_only_documents_of_a_route_that_wants_it_are_repaired_and_only_once() -> None:
    repairs, source = _repairs("conflict_field", "none"), b'{"n":"x"}'
    mended = repairs.repaired("t0", source, _verdict("n"))

    assert mended == b'{"sink.repaired":["n"],"n_conflict":"x"}'
    assert repairs.repaired("t0", b'{"@timestamp":"x"}', _verdict("@timestamp")) is None
    assert repairs.repaired("t1", source, _verdict("n")) is None
    assert repairs.repaired("other", source, _verdict("n")) is None
    assert repairs.repaired("t0", mended, _verdict("n_conflict")) is None
    assert repairs.repaired("t0", source, _verdict("n", error_type="security_exception")) is None
    assert not _repairs("none", "none").any


def test_only_what_is_the_documents_own_fault_is_repaired() -> None:
    verdict = replace(_verdict("n"), outcome=Outcome.RETRY)

    assert _repairs("conflict_field").repaired("t0", b'{"n":"x"}', verdict) is None
