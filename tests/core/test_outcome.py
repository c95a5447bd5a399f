"""
What Elasticsearch's answers mean: one test row a cause, and nothing unknown is ever success.
"""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.core.outcome import (
    Outcome,
    Reply,
    Request,
    Verdict,
    all_created,
    judge,
    judge_items,
    judge_request,
)

ERROR_TYPES = [
    "cluster_block_exception",
    "document_parsing_exception",
    "es_rejected_execution_exception",
    "i_o_exception",
    "illegal_argument_exception",
    "index_closed_exception",
    "index_not_found_exception",
    "security_exception",
    "strict_dynamic_mapping_exception",
    "unavailable_shards_exception",
    "version_conflict_engine_exception",
    "never_heard_of_exception",
]
SPOILED = ["action_request_validation", "illegal_argument", "x_content_parse", "x_content_e_o_f"]
SPOILED += ["json_parse", "parse", "parsing"]


def _body(*items: dict[str, Any]) -> bytes:
    failed = any("error" in result for item in items for result in item.values())
    return orjson.dumps({"errors": failed, "items": items})


def _item(
    status: object, error_type: str | None = None, op_type: str = "create", **more: object
) -> dict[str, Any]:
    error = {} if error_type is None else {"error": {"type": error_type, "reason": "because"}}
    return {op_type: {"status": status, **error, **more}}


@pytest.mark.parametrize(
    ("status", "error_type", "request_"),
    [
        (200, "", Request.ANSWERED),
        (401, "security_exception", Request.UNAUTHORIZED),
        (401, "", Request.UNAUTHORIZED),
        (403, "security_exception", Request.UNAUTHORIZED),
        (413, "", Request.HALVE),
        *[(400, f"{kind}_exception", Request.HALVE) for kind in SPOILED],
        (400, "media_type_header_exception", Request.RETRY),
        (400, "", Request.RETRY),
        (404, "index_not_found_exception", Request.RETRY),
        (405, "", Request.RETRY),
        (406, "", Request.RETRY),
        (410, "", Request.RETRY),
        (500, "", Request.RETRY),
        (502, "", Request.RETRY),
        (503, "master_not_discovered_exception", Request.RETRY),
        (0, "ConnectionTimeout", Request.RETRY),
        (302, "", Request.RETRY),
        (201, "", Request.RETRY),
    ],
)
def test_a_request_is_judged_by_what_can_be_done_about_it(
    status: int, error_type: str, request_: Request
) -> None:
    assert request_ is judge_request(Reply(status, error_type=error_type))


@pytest.mark.parametrize(
    ("item", "outcome"),
    [
        (_item(201), Outcome.INDEXED),
        (_item(201, op_type="index"), Outcome.INDEXED),
        (_item(200, op_type="index"), Outcome.INDEXED),
        (_item(200), Outcome.DROPPED),
        (_item(409, "version_conflict_engine_exception"), Outcome.DUPLICATE),
        (_item(404, "shard_not_found_exception"), Outcome.RETRY),
        (_item(404, "index_shard_closed_exception"), Outcome.RETRY),
        (_item(201, failure_store="used"), Outcome.DEAD),
        (_item(429, "es_rejected_execution_exception"), Outcome.RETRY),
        (_item(500, "i_o_exception"), Outcome.RETRY),
        (_item(500, "document_parsing_exception"), Outcome.RETRY),
        (_item(503, "cluster_block_exception"), Outcome.RETRY),
        (_item(503, "unavailable_shards_exception"), Outcome.PARK),
        (_item(503, "no_shard_available_action_exception"), Outcome.PARK),
        (_item(429, "cluster_block_exception"), Outcome.PARK),
        (_item(403, "cluster_block_exception"), Outcome.PARK),
        (_item(403, "security_exception"), Outcome.PARK),
        (_item(400, "index_closed_exception"), Outcome.PARK),
        (_item(404, "index_not_found_exception"), Outcome.PARK),
        (_item(400, "validation_exception"), Outcome.PARK),
        (_item(400, "invalid_index_name_exception"), Outcome.PARK),
        (_item(400, "invalid_alias_name_exception"), Outcome.PARK),
        (_item(400, "document_parsing_exception"), Outcome.DEAD),
        (_item(400, "strict_dynamic_mapping_exception"), Outcome.DEAD),
        (_item(400, "mapper_parsing_exception"), Outcome.DEAD),
        (_item(409, "version_conflict_engine_exception", "index"), Outcome.DUPLICATE),
        (_item(400, "illegal_argument_exception"), Outcome.UNCLEAR),
        (_item(418, "never_heard_of_exception"), Outcome.UNCLEAR),
        (_item(400), Outcome.UNCLEAR),
        (_item(201, "never_heard_of_exception"), Outcome.RETRY),
        (_item(302), Outcome.RETRY),
        (_item(0), Outcome.RETRY),
    ],
)
def test_a_document_is_judged_by_its_own_item(item: dict[str, Any], outcome: Outcome) -> None:
    verdicts = judge_items(_body(item), 1)

    assert verdicts is not None
    assert [verdict.outcome for verdict in verdicts] == [outcome]


def test_documents_are_judged_by_position() -> None:
    body = _body(_item(201), _item(400, "document_parsing_exception"), _item(429, "busy"))

    answer = judge(Reply(200, body), 3)

    assert answer.request is Request.ANSWERED
    assert answer.verdicts is not None
    assert [verdict.outcome for verdict in answer.verdicts] == [
        Outcome.INDEXED,
        Outcome.DEAD,
        Outcome.RETRY,
    ]


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        ({"type": "max_bytes_length_exceeded_exception"}, Outcome.DEAD),
        ({"type": "index_not_found_exception"}, Outcome.PARK),
        ({"type": "never_heard_of_exception"}, Outcome.UNCLEAR),
        ({}, Outcome.UNCLEAR),
        (None, Outcome.UNCLEAR),
    ],
)
def test_an_ambiguous_refusal_is_judged_by_the_cause_it_names(
    cause: dict[str, str] | None, outcome: Outcome
) -> None:
    error = {"type": "illegal_argument_exception", "reason": None, "caused_by": cause}
    verdicts = judge_items(_body({"create": {"status": 400, "error": error}}), 1)

    assert verdicts is not None
    assert verdicts[0].outcome is outcome
    assert verdicts[0].error_type == "illegal_argument_exception"
    assert not verdicts[0].reason.strip(": "), "words that Elasticsearch did not say"


def test_half_a_surrogate_pair_in_a_reason_spoils_no_answer() -> None:
    refused = rb'{"create":{"status":400,"error":{"type":"busy","reason":"value: \"\uD83D\""}}}'
    body = b'{"errors":true,"items":[%s,{"create":{"status":201}}]}' % refused
    answer = judge(Reply(200, body), 2)

    assert answer.verdicts is not None
    assert [verdict.outcome for verdict in answer.verdicts] == [Outcome.UNCLEAR, Outcome.INDEXED]
    assert answer.verdicts[0].reason.encode() == b'value: "?"'


def test_an_error_that_has_no_type_is_still_no_success() -> None:
    verdicts = judge_items(_body({"create": {"status": 201, "error": {"reason": "odd"}}}), 1)

    assert verdicts == [Verdict(Outcome.RETRY, "untyped_error", "odd")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502</html>",
        b"null",
        b"[]",
        b'{"errors":false}',
        b'{"errors":false,"items":null}',
        b'{"errors":false,"items":{"create":{"status":201}}}',
        b'{"errors":false,"items":[]}',
        _body(_item(201)),
        _body(_item(201), _item(201), _item(201)),
        _body(_item("201"), _item(201)),
        _body(_item(201.7), _item(201)),
        _body(_item(None), _item(201)),
        _body(_item(True), _item(201)),
        b'{"errors":false,"items":[{"create":{"status":1e400}},{"create":{"status":201}}]}',
        _body({"create": {}}, _item(201)),
        _body({}, _item(201) | _item(201, op_type="index")),
        b'{"errors":true,"items":[{"create":{"status":400,"error":"old form"}},{}]}',
        b'{"errors":true,"items":' + b"[" * 100_000,
    ],
)
def test_an_answer_that_does_not_tell_of_each_document_tells_of_none(body: bytes) -> None:
    # The fast look counts statuses only where Elasticsearch says that there was no error.
    answer = judge(Reply(200, body.replace(b'"errors":false', b'"errors":true')), 2)

    assert answer.request is Request.RETRY
    assert answer.verdicts is None
    assert answer.reply.error_type == "bad_answer"


@pytest.mark.parametrize("op_type", ["create", "index"])
def test_where_all_were_created_no_document_is_looked_at(op_type: str) -> None:
    answer = judge(Reply(200, _body(*[_item(201, op_type=op_type)] * 3)), 3)

    assert (answer.request, answer.verdicts) == (Request.ANSWERED, None)


def test_a_cut_answer_tells_of_no_document() -> None:
    whole = _body(*[_item(201)] * 3)

    for length in range(len(whole)):
        assert judge(Reply(200, whole[:length]), 3).request is Request.RETRY
    assert judge(Reply(200, whole), 3).request is Request.ANSWERED


ITEMS = st.builds(
    _item,
    st.sampled_from([200, 201, 400, 403, 404, 409, 429, 500, 503]) | st.integers(-1, 700),
    st.none() | st.sampled_from(ERROR_TYPES),
    st.sampled_from(["create", "index"]),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 600) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["items", "errors", "create", "index", "status", "error", "type"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(ITEMS)
def test_only_a_plain_201_and_a_rewritten_200_are_indexed(item: dict[str, Any]) -> None:
    verdicts = judge_items(_body(item), 1)

    assert verdicts is not None
    ((op_type, result),) = item.items()
    good = (201,) if op_type == "create" else (200, 201)
    indexed = result["status"] in good and "error" not in result
    assert indexed is (verdicts[0].outcome is Outcome.INDEXED)


@given(st.binary(max_size=80) | JSON.map(lambda value: orjson.dumps({"items": value})))
def test_garbage_is_never_taken_for_success(body: bytes) -> None:
    answer = judge(Reply(200, body), 2)

    if answer.request is Request.ANSWERED:
        assert answer.verdicts is not None
        assert len(answer.verdicts) == 2
        indexed = [v for v in answer.verdicts if v.outcome is Outcome.INDEXED]
        assert len(indexed) <= body.count(b"20")


@given(st.lists(ITEMS, max_size=6), st.integers(0, 7))
def test_every_document_gets_one_verdict_or_all_are_sent_again(
    items: list[dict[str, Any]], documents: int
) -> None:
    verdicts = judge_items(_body(*items), documents)

    assert (verdicts is None) is (len(items) != documents)
    if verdicts is not None:
        assert len(verdicts) == documents


GOOD = st.builds(_item, st.sampled_from([200, 201]), st.none(), st.sampled_from(["create"]))
KEPT = st.sampled_from([{}, {"failure_store": "used"}, {"failure_store": "not_enabled"}])


@given(st.lists(st.tuples(GOOD | ITEMS, KEPT), min_size=1, max_size=5))
def test_the_fast_look_never_says_more_than_the_slow_one(
    items: list[tuple[dict[str, Any], dict[str, str]]],
) -> None:
    body = _body(*({op: result | kept} for item, kept in items for op, result in item.items()))

    verdicts = judge_items(body, len(items))

    assert verdicts is not None
    if all_created(body, len(items)):
        assert {verdict.outcome for verdict in verdicts} == {Outcome.INDEXED}


def test_the_fast_look_sees_that_all_were_created() -> None:
    assert all_created(_body(*[_item(201)] * 3), 3)
    assert not all_created(_body(*[_item(201)] * 3), 2)
    assert not all_created(_body(*[_item(201)] * 3), 4)
    assert not all_created(_body(_item(201), _item(200)), 2)
    assert not all_created(_body(_item(201, failure_store="used")), 1)
