"""
The Elasticsearch edge against a server that answers whatever it is told: all become a Reply.
"""

import gzip
import json
from typing import Any

import pytest

from sink.core.body import Body
from sink.core.outcome import Reply, Request, judge
from sink.edge.elastic import Elastic
from sink.edge.elastic_answers import Refused
from sink.errors import ConfigError, Unauthorized, Unavailable
from tests.edge.answering import AnsweringServer, Told, closed_port
from tests.edge.asking import BODY, GOOD, TOLD_GOOD, ask, elastic_at, error


def _bulk(answer: Told, body: Body = BODY, **settings: Any) -> Reply:
    with AnsweringServer(answer) as server:
        return ask(server.url, lambda elastic: elastic.bulk(body), **settings)


def test_the_answer_of_a_bulk_comes_as_the_bytes_it_is() -> None:
    """
    Parsing it would cost a quarter of the whole way of a document.
    """
    odd = b'{"errors":true,  "items": [ {"create":{"status":201}} ] }'

    assert _bulk(TOLD_GOOD) == Reply(200, GOOD)
    assert _bulk(Told(body=odd)) == Reply(200, odd)


def test_the_body_goes_out_byte_for_byte() -> None:
    lines = [b'{"create":{"_index":"i"}}', '{"msg":"é \\n \u8ba2"}'.encode()] * 5000

    with AnsweringServer(TOLD_GOOD) as server:
        ask(server.url, lambda elastic: elastic.bulk(Body(lines)))
        (asked,) = server.asked

    assert asked.body == b"\n".join(lines) + b"\n"
    assert asked.headers["content-length"] == str(len(Body(lines)))
    assert asked.headers["content-type"].startswith("application/vnd.elasticsearch+x-ndjson")


def test_a_compressed_body_is_the_same_body() -> None:
    lines = [b'{"create":{"_index":"i"}}', b'{"a":1}'] * 3000

    with AnsweringServer(TOLD_GOOD) as server:
        ask(server.url, lambda elastic: elastic.bulk(Body(lines)), compress=True)
        (asked,) = server.asked

    assert asked.headers["content-encoding"] == "gzip"
    assert gzip.decompress(asked.body) == b"\n".join(lines) + b"\n"


def test_a_bulk_asks_for_no_more_of_the_answer_than_is_judged() -> None:
    with AnsweringServer(TOLD_GOOD) as server:
        ask(server.url, lambda elastic: elastic.bulk(BODY))
        (asked,) = server.asked

    path, _, query = asked.path.partition("?")
    assert (asked.method, path) == ("POST", "/_bulk")
    wanted = "filter_path=errors,items.*.status,items.*.error,items.*.failure_store"
    assert set(query.split("&")) == {"timeout=5000ms", wanted}


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        (400, "illegal_argument_exception"),
        (401, "security_exception"),
        (403, "cluster_block_exception"),
        (404, "index_not_found_exception"),
        (413, "content_too_long"),
        (500, "i_o_exception"),
        (503, "master_not_discovered_exception"),
    ],
)
def test_a_refusal_is_a_reply_with_its_type_and_reason(status: int, error_type: str) -> None:
    reply = _bulk(Told(status, error(error_type, "because")))

    assert reply == Reply(status, b"", error_type, "because")


def test_a_refusal_is_not_tried_again_behind_our_back() -> None:
    """
    The client would retry at once, without backoff, and the sender would not know.
    """
    with AnsweringServer(Told(429, b"{}"), Told(503, b"{}"), TOLD_GOOD) as server:
        assert ask(server.url, lambda elastic: elastic.bulk(BODY)).status == 429
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("given", "seconds"), [("7", 7.0), ("0", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
)
def test_retry_after_is_told(given: str, seconds: float | None) -> None:
    reply = _bulk(Told(429, error("busy", "later"), headers=(("Retry-After", given),)))

    assert reply == Reply(429, b"", "busy", "later", seconds)


@pytest.mark.parametrize("status", [413, 502, 504])
def test_a_proxys_own_page_is_a_reply_too(status: int) -> None:
    page = b"<html>" + b"x" * 2000 + b"</html>"

    reply = _bulk(Told(status, page, "text/html", headers=()))

    assert (reply.status, reply.error_type) == (status, "")
    assert len(reply.reason) <= 500


@pytest.mark.parametrize(
    "answer",
    [
        Told(body=b"<html>Welcome</html>", content_type="text/html", headers=()),
        Told(body=b"<html>Welcome</html>", content_type="text/html"),
        Told(body=b"not json"),
        Told(body=b"not json", content_type="application/json"),
        Told(body=b""),
        Told(body=b"[]"),
        Told(body=b'"text"'),
        Told(body=GOOD, headers=()),  # it does not say that it is Elasticsearch
        Told(body=GOOD[:-4]),
        Told(302, b"", headers=(("Location", "http://127.0.0.1:9/"),)),
    ],
)
def test_an_answer_that_is_no_bulks_answer_is_no_success(answer: Told) -> None:
    reply = _bulk(answer)

    assert judge(reply, 1).request is Request.RETRY


@pytest.mark.parametrize("body", [GOOD, GOOD[:20], b""])
def test_an_answer_cut_on_its_way_is_no_success(body: bytes) -> None:
    reply = _bulk(Told(body=body, length=1000))

    assert reply.status == 0
    assert judge(reply, 1).request is Request.RETRY


def test_an_answer_that_does_not_come_is_waited_for_only_so_long() -> None:
    reply = _bulk(Told(silent=True), request_timeout_ms=100)

    assert (reply.status, reply.error_type) == (0, "ConnectionTimeout")


def test_a_refused_connection_is_a_reply() -> None:
    with closed_port() as url:
        reply = ask(url, lambda elastic: elastic.bulk(BODY))

    assert (reply.status, reply.error_type) == (0, "ConnectionError")
    assert reply.reason


def test_after_a_failure_the_same_client_goes_on() -> None:
    async def twice(elastic: Elastic) -> list[int]:
        return [(await elastic.bulk(BODY)).status for _ in range(3)]

    with AnsweringServer(Told(length=1000), Told(503, b"{}"), TOLD_GOOD) as server:
        assert ask(server.url, twice) == [0, 503, 200]


def test_ping_tells_the_version() -> None:
    with AnsweringServer(Told(body=b'{"version":{"number":"8.19.3"}}')) as server:
        assert ask(server.url, lambda elastic: elastic.ping()) == "8.19.3"


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Unauthorized), (403, Unauthorized), (503, Refused)]
)
def test_a_refused_question_says_what_was_asked_and_what_was_answered(
    status: int, kind: type[Unavailable]
) -> None:
    with (
        AnsweringServer(Told(status, error("some_exception", "because"))) as server,
        pytest.raises(kind, match=rf"GET / → {status} some_exception: because"),
    ):
        ask(server.url, lambda elastic: elastic.ping())


def test_a_question_that_gets_no_answer_says_so() -> None:
    with closed_port() as url, pytest.raises(Unavailable, match="does not answer"):
        ask(url, lambda elastic: elastic.ping())


@pytest.mark.parametrize("body", [GOOD, b"[]", b"17", b""])
def test_an_answer_that_is_no_json_object_is_no_answer_to_a_question(body: bytes) -> None:
    """
    Only `Unavailable` is waited out: any other error would end the daemon while it starts.
    """
    with AnsweringServer(Told(body=body)) as server, pytest.raises(Unavailable):
        ask(server.url, lambda elastic: elastic.ping())


def test_a_template_that_is_not_there_is_none() -> None:
    with AnsweringServer(Told(404, error("resource_not_found_exception", "no"))) as server:
        assert ask(server.url, lambda elastic: elastic.get_template("index", "ekk")) is None


def test_templates_are_read_by_name() -> None:
    found = {"index_templates": [{"name": "ekk", "index_template": {"version": 1}}]}
    with AnsweringServer(Told(body=json.dumps(found).encode())) as server:
        answer = ask(server.url, lambda elastic: elastic.get_templates("index"))

    assert answer == {"ekk": {"version": 1}}


def test_an_argument_the_client_does_not_know_is_a_problem_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match="the client refuses it"):
        elastic_at("http://127.0.0.1:9", client={"no_such_argument": 1})
