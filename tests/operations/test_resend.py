"""
How documents are seen through: split, waited for, given up, and told.
"""

import asyncio

import pytest

from sink.config import RouteSettings
from sink.core.outcome import Reply
from sink.core.repair import Repairs
from sink.edge.retry import Backoff
from sink.errors import Unauthorized, Unavailable
from sink.operations.item import Item
from sink.operations.report import Origin, Report
from sink.operations.resend import Patience, Resender, chunks
from sink.testing import BUSY, NO_ANSWER, UNAUTHORIZED, FakeElastic
from tests.operations.making import item

_BLOCKED = "cluster_block_exception"
_PARSING = "document_parsing_exception"


class Resending:
    """A Resender on an Elasticsearch in memory. Its waits pass at once, by a clock of their own."""

    def __init__(self, give_up_after_s: float = 60, repairs: Repairs | None = None) -> None:
        self.elastic = FakeElastic()
        self.report = Report()
        self.now_s = 0.0
        self._resender = Resender(
            self.elastic,
            self.report,
            Backoff(1000, 4000),
            Patience(give_up_after_s, lambda: self.now_s),
            self._pass,
            repairs=repairs,
        )

    def send(self, *items: Item) -> None:
        asyncio.run(self._resender.send(list(items)))

    async def _pass(self, seconds: float) -> None:
        self.now_s += seconds


def test_a_field_in_conflict_is_repaired_where_the_route_says_so() -> None:
    route = RouteSettings.model_validate(
        {"name": "a", "topics": ["ekk-a"], "repair": "conflict_field"}
    )
    it = Resending(repairs=Repairs([route]))
    reason = "[1:6] failed to parse field [a] of type [long] in document with id '1'."
    it.elastic.refuse(b'"a":"bad"', 400, _PARSING, reason)

    it.send(item(1), item(2, b'{"a":"bad"}'))

    assert it.report.fates == {"indexed": 2}
    repaired = b'{"sink.repaired":["a"],"a_conflict":"bad"}'
    assert it.elastic.documents()["2"] == repaired


def test_documents_are_indexed_and_what_is_there_is_a_duplicate() -> None:
    it = Resending()

    it.send(item(1), item(2))
    it.send(item(2), item(3))

    assert it.report.fates == {"indexed": 3, "duplicate": 1}
    assert set(it.elastic.documents()) == {"1", "2", "3"}
    assert it.report.ok


def test_a_refused_document_is_told_with_its_place_and_the_others_are_indexed() -> None:
    it = Resending()
    it.elastic.refuse(b"bad", 400, _PARSING, "failed to parse")

    it.send(item(1), item(2, b'{"a":"bad"}'), item(3))

    assert it.report.fates == {"indexed": 2, "refused": 1}
    (group,) = it.report.refusals.values()
    assert [tuple(each) for each in group.examples] == [(Origin("ekk-a", 0, 2), "failed to parse")]
    assert not it.report.ok


def test_of_many_refusals_a_few_are_told_one_by_one() -> None:
    """A million refused documents must not fill the memory, nor a screen."""
    it = Resending()
    it.elastic.refuse(b"", 400, _PARSING)

    it.send(*(item(n) for n in range(1000)))

    (group,) = it.report.refusals.values()
    assert group.documents == 1000
    assert [each.origin.offset for each in group.examples] == list(range(20))


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        (429, "es_rejected_execution_exception"),
        (503, "unavailable_shards_exception"),
        (403, _BLOCKED),
    ],
)
def test_what_is_refused_for_now_is_sent_again_until_it_is_taken(
    status: int, error_type: str
) -> None:
    it = Resending()
    it.elastic.refuse(b"slow", status, error_type, times=5)

    it.send(item(1), item(2, b'{"a":"slow"}'))

    assert it.report.fates == {"indexed": 2}
    assert it.elastic.bodies[-1].count(b"\n") == 2  # only that one was sent again
    assert it.now_s > 0


def test_an_index_that_stays_closed_is_given_up_and_not_waited_for_again() -> None:
    it = Resending(give_up_after_s=60)
    it.elastic.refuse(b"shut", 403, _BLOCKED, "index blocked")

    it.send(item(1, b'{"a":"shut"}', "shut"), item(2))
    waited_s = it.now_s
    it.send(item(3, b'{"a":"shut"}', "shut"), item(4))

    assert it.report.fates == {"indexed": 2, "refused": 2}
    assert it.report.refusals["shut", _BLOCKED].documents == 2
    assert 60 <= waited_s < 61
    assert it.now_s == waited_s


def test_an_unclear_refusal_is_a_refusal() -> None:
    it = Resending()
    it.elastic.refuse(b"x", 400, "illegal_argument_exception", "no write index is defined")

    it.send(item(1, b'{"a":"x"}'))

    assert it.report.fates == {"refused": 1}


def test_an_outage_is_waited_for() -> None:
    it = Resending()
    it.elastic.answer(NO_ANSWER, UNAUTHORIZED, Reply(200, b'{"errors":false,"items":['))

    it.send(item(1), item(2))

    assert it.report.fates == {"indexed": 2}
    assert it.elastic.refreshed == 3  # a key file may have been replaced meanwhile


@pytest.mark.parametrize(
    ("reply", "kind"), [(NO_ANSWER, Unavailable), (UNAUTHORIZED, Unauthorized)]
)
def test_an_outage_longer_than_the_bound_ends_it_and_says_what_to_do(
    reply: Reply, kind: type[Unavailable]
) -> None:
    it = Resending(give_up_after_s=10)
    it.elastic.down(reply)

    with pytest.raises(kind, match=r"--give-up-after.*run the command again"):
        it.send(item(1))

    assert 10 <= it.now_s < 11
    assert it.report.fates == {}


def test_a_retry_after_of_an_hour_does_not_outlast_the_bound() -> None:
    it = Resending(give_up_after_s=10)
    it.elastic.down(Reply(503, retry_after_s=3600))

    with pytest.raises(Unavailable):
        it.send(item(1))

    assert it.now_s < 11


def test_one_document_that_is_too_large_is_found_by_halving() -> None:
    it = Resending()
    it.elastic.bytes_max = 400

    it.send(item(1), item(2), item(3, b'{"a":"%b"}' % (b"x" * 500)), item(4))

    assert it.report.fates == {"indexed": 3, "refused": 1}
    ((index, error_type), group) = it.report.refusals.popitem()
    assert (index, error_type, group.examples[0].origin.offset) == ("i", "status_413", 3)


def test_one_document_that_spoils_the_request_is_found_by_halving() -> None:
    """Elasticsearch refuses a whole request for one document: the others must not suffer."""
    it = Resending()
    spoilt = Reply(400, b"", "illegal_argument_exception", "id is too long")
    it.elastic.answer(spoilt, spoilt)

    it.send(item(1), item(2))

    assert it.report.fates == {"indexed": 1, "refused": 1}
    assert set(it.elastic.documents()) == {"2"}


def test_a_bulk_that_stays_over_the_indexing_pressure_is_sent_in_parts() -> None:
    it = Resending()
    it.elastic.answer(BUSY, BUSY, BUSY)

    it.send(item(1), item(2))

    assert it.report.fates == {"indexed": 2}
    assert [body.count(b"\n") for body in it.elastic.bodies] == [4, 4, 4, 2, 2]


def test_bulks_are_cut_by_documents_and_by_bytes() -> None:
    items = [item(n, b"x" * 100) for n in range(5)]

    assert [len(c) for c in chunks(items, 2, 10**6)] == [2, 2, 1]
    assert [len(c) for c in chunks(items, 10, 300)] == [2, 2, 1]
    assert [len(c) for c in chunks(items, 10, 1)] == [1] * 5
    assert list(chunks([], 10, 10)) == []
