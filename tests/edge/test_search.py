"""
Questions about many documents: an answer that is not known is never taken for one.
"""

import json

import pytest

from sink.edge.elastic import Elastic
from sink.edge.search import Name, Pages
from sink.errors import Unauthorized, Unavailable
from tests.edge.answering import AnsweringServer, Told
from tests.edge.asking import UNAUTHORIZED, ask, error

PAGE = b'[{"_index":"i","_id":"a"},{"_index":"i","_id":"b"}]'


def _told(*docs: object) -> Told:
    return Told(body=json.dumps({"docs": docs}).encode())


def _error(error_type: str) -> dict[str, object]:
    return {"error": {"type": error_type, "reason": "why"}}


HERE, NOT_HERE = {"found": True}, {"found": False}
BOTH = _told(HERE, HERE)


def _absent(*answers: Told, pages: int = 1) -> list[Name]:
    async def question(elastic: Elastic) -> list[Name]:
        asking = Pages(elastic, in_flight=2)
        absent: list[Name] = []
        for _ in range(pages):
            absent += await asking.ask(PAGE)
        return absent + await asking.rest()

    with AnsweringServer(*answers) as server:
        return ask(server.url, question)


def test_what_is_not_there_is_told_by_index_and_id() -> None:
    assert _absent(BOTH) == []
    assert _absent(_told(HERE, NOT_HERE)) == [Name("i", "b")]


def test_in_an_index_that_is_not_there_is_no_document() -> None:
    gone = _error("index_not_found_exception")

    assert _absent(_told(gone, gone)) == [Name("i", "a"), Name("i", "b")]


def test_no_page_is_forgotten() -> None:
    assert _absent(_told(HERE, NOT_HERE), pages=7) == [Name("i", "b")] * 7


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            _told(HERE, _error("index_closed_exception")),
            "whether b is in i: index_closed_exception",
        ),
        (_told(HERE, _error("no_shard_available_action_exception")), "whether b is in i"),
        (_told(HERE), "1 of 2 documents"),
        (Told(body=b"{}"), "0 of 2 documents"),
        (Told(400, error("parsing_exception", "no")), "parsing_exception"),
    ],
)
def test_an_unknown_answer_is_neither_there_nor_missing(answer: Told, said: str) -> None:
    """
    A closed index would else be a million missing documents, a cut answer none.
    """
    with pytest.raises(Unavailable, match=said):
        _absent(answer)


def test_a_busy_server_is_asked_again() -> None:
    busy = Told(429, error("circuit_breaking_exception", "wait"))

    assert _absent(busy, Told(503, b"no", "text/html"), BOTH) == []


def test_refused_credentials_are_told_at_once() -> None:
    with pytest.raises(Unauthorized):
        _absent(UNAUTHORIZED, BOTH)
