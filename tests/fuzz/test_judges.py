"""
The judges of the fuzz targets: what they must never let pass.
"""

import json

import pytest

from fuzz.answer_rules import check_answer
from fuzz.bodies import Document, check_ids, check_index, documents_of
from fuzz.broken import Broken
from sink.core.outcome import INDEXED, Answer, Outcome, Reply, Request, Verdict

ACTION = b'{"create":{"_index":"may","_id":"1"}}\n'


def _answer(*items: object, outcome: Outcome | None = None) -> Answer:
    body = json.dumps({"errors": outcome is not None, "items": items}).encode()
    verdicts = None if outcome is None else [Verdict(outcome)] * len(items)
    return Answer(Request.ANSWERED, Reply(200, body), verdicts)


def _item(status: int, op_type: str = "create", **more: object) -> dict[str, object]:
    return {op_type: {"status": status, **more}}


def test_a_body_is_read_document_by_document() -> None:
    assert documents_of(ACTION + b'{"a":1}\n' + ACTION + b"{}\n") == [
        Document("create", "may", "1", b'{"a":1}'),
        Document("create", "may", "1", b"{}"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        ACTION + b"{}",
        ACTION,
        ACTION + b'{"a":\n1}\n',
        ACTION + b"[]\n",
        ACTION + b'{"a":NaN}\n',
        ACTION + b'{"a":"\xff"}\n',
        ACTION + b'{}\n{"delete":{"_index":"may","_id":"1"}}\n',
        b'{"delete":{"_index":"may","_id":"1"}}\n{}\n',
        b'{"create":{"_index":"may"},"index":{}}\n{}\n',
        b'{"create":{"_index":"may","_index":"june"}}\n{}\n',
        b'{"create":{"_index":"may","pipeline":"p"}}\n{}\n',
        b'{"create":{"_index":1}}\n{}\n',
        b'{"create":{}}\n{}\n',
        b"[]\n{}\n",
    ],
)
def test_a_body_that_breaks_the_framing_is_seen(body: bytes) -> None:
    with pytest.raises(Broken):
        documents_of(body)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "_a", "-a", "+a", "A", "a b", 'a"', "a\n", "é" * 128]
)
def test_a_name_that_no_index_may_have_is_seen(name: str) -> None:
    with pytest.raises(Broken):
        check_index(name)


@pytest.mark.parametrize("ids", [["1", "1"], ["1", None], ["x" * 513]])
def test_ids_that_lose_or_spoil_documents_are_seen(ids: list[str | None]) -> None:
    with pytest.raises(Broken):
        check_ids([Document("create", "may", each, b"{}") for each in ids])


@pytest.mark.parametrize(
    ("item", "outcome"),
    [
        (_item(500), Outcome.INDEXED),
        (_item(200), Outcome.INDEXED),
        (_item(201, error={"type": "x"}), Outcome.INDEXED),
        (_item(201, failure_store="used"), Outcome.INDEXED),
        (_item(201, "delete"), Outcome.INDEXED),
        (_item(409), Outcome.DUPLICATE),
        (_item(409, error={"type": "status_exception"}), Outcome.DUPLICATE),
        (_item(200, "index"), Outcome.DROPPED),
        (_item(429), Outcome.DEAD),
        (_item(503), Outcome.UNCLEAR),
    ],
)
def test_a_document_that_counts_as_what_nobody_said_is_seen(
    item: dict[str, object], outcome: Outcome
) -> None:
    with pytest.raises(Broken):
        check_answer(_answer(item, outcome=outcome), 1)


@pytest.mark.parametrize(
    "answer",
    [
        _answer(_item(201)),
        _answer(_item(201), _item(500)),
        Answer(Request.ANSWERED, Reply(500, _answer(_item(201), _item(201)).reply.body)),
        Answer(Request.ANSWERED, Reply(200, b'{"errors":false,"items":[')),
        Answer(Request.RETRY, Reply(503), [INDEXED] * 2),
        Answer(Request.RETRY, Reply(413)),
        Answer(Request.HALVE, Reply(503)),
    ],
)
def test_an_answer_that_settles_what_it_does_not_tell_of_is_seen(answer: Answer) -> None:
    with pytest.raises(Broken):
        check_answer(answer, 2)


def test_what_elasticsearch_says_is_believed() -> None:
    conflict = {"type": "version_conflict_engine_exception"}
    check_answer(_answer(_item(201), _item(201, "index")), 2)
    check_answer(_answer(_item(409, error=conflict), outcome=Outcome.DUPLICATE), 1)
    check_answer(_answer(_item(200), outcome=Outcome.DROPPED), 1)
    check_answer(_answer(_item(400, error={"type": "x"}), outcome=Outcome.DEAD), 1)
