"""
What is made of the parked topic's records: the documents they were, under the ids they had.
"""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.core.bulk import Bound
from sink.core.collect import Run
from sink.core.collector import Answer, Drop, Refused, Source
from sink.core.dead_letter import DeadLetter
from sink.core.parked import ParkedTarget
from sink.core.record import Headers, Partition, Record
from sink.core.target import Target
from sink.testing import FakeRecord
from tests.core.parked_records import (
    PARKED,
    TOPIC,
    collecting,
    keeps_its_name,
    letters_of,
    make,
    parked,
    record_of,
    target_of_topic,
    unmade,
    written,
)

VALUES = [
    b'{"n":1}',
    b'{"n":\n1}',
    b"plain text",
    b"\xff\xfe no UTF-8",
    b'[{"a":0},{"b":\n1},17]',
    b'[{"a":0}]',
    b'{"a":0}\n{"b":1}\n',
    b"17",
    "\ufeff{}".encode(),
]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("headers", [None, [("trace", b"\xff"), ("sink.index", b"forged")]])
def test_a_parked_document_is_the_document_it_was(value: bytes, headers: Headers | None) -> None:
    record = record_of(value, headers=headers)
    letters = letters_of(record)

    (made,) = make(*written(*letters))

    target = target_of_topic(TOPIC, "T")
    assert target is not None
    run = Run(Partition(TOPIC, 0), [record], 7, 8)
    ((_, documents, actions),) = target.pieces(run, 10**9)
    assert letters
    assert [d.action for d in made.documents] == list(map(orjson.loads, actions.lines))
    assert [d.source for d in made.documents] == documents.sources
    assert made.rejected == []
    for document in made.documents:
        assert document.record.key() == b"k"
        assert document.record.headers() == (headers or [])
        assert (document.record.topic(), document.record.offset()) == (TOPIC, 7)
        assert document.bound == Bound("sag-order_1970-01-01", TOPIC, "T")


@pytest.mark.parametrize("value", VALUES)
def test_one_that_is_parked_again_is_still_the_document_it_was(value: bytes) -> None:
    letters = letters_of(record_of(value))
    (first,) = make(*written(*letters))
    again = [
        DeadLetter(
            document.record,
            "park",
            "x",
            "y",
            index=document.bound.index,
            id=document.action["create"]["_id"],
            positions=letter.positions,
            topic_id="T",
        )
        for document, letter in zip(first.documents, letters, strict=True)
    ]

    (second,) = make(*written(*again))

    told = [[(d.action, d.source, d.bound) for d in made.documents] for made in (first, second)]
    assert told[0] == told[1]


def test_a_document_that_elasticsearch_names_is_sent_as_its_route_says() -> None:
    def unnamed(topic: str, topic_id: str) -> Target | None:
        return target_of_topic(topic, topic_id, id="none", op_type="index")

    letters = letters_of(record_of(b'{"n":1}'), id="none", op_type="index")

    (made,) = make(*written(*letters), target=ParkedTarget(unnamed))

    assert made.documents[0].action == {"index": {"_index": "sag-order_1970-01-01"}}


def test_a_document_goes_where_it_was_bound_and_not_where_its_route_points_today() -> None:
    (made,) = make(parked(7, "an-older-index"))

    assert made.documents[0].action["create"]["_index"] == "an-older-index"
    assert made.documents[0].action["create"]["_id"] == "T-7"


def test_a_long_run_is_made_in_pieces_that_are_its_records_in_order() -> None:
    records = [parked(offset) for offset in range(7)]
    run = Run(PARKED, [*records], 0, 7)

    pieces = [piece for piece, _, _ in ParkedTarget(target_of_topic).pieces(run, 3)]

    assert [(piece.first, piece.next_offset) for piece in pieces] == [(0, 3), (3, 6), (6, 7)]
    assert [record for piece in pieces for record in piece.records] == records


def _junk() -> list[FakeRecord]:
    whole = parked(7)
    headers = whole.headers() or []
    return [
        FakeRecord(*PARKED, 0, b"no envelope"),
        FakeRecord(*PARKED, 0, None),
        FakeRecord(*PARKED, 0, b"{}", headers=[("sink.topic", TOPIC)]),
        FakeRecord(*PARKED, 0, b"{}", headers=[h for h in headers if h[0] != "sink.index"]),
    ]


@pytest.mark.parametrize("junk", _junk())
def test_what_the_sink_did_not_park_is_dead_and_the_next_is_made(junk: FakeRecord) -> None:
    (made,) = make(junk, parked(1))

    (rejected,) = made.rejected
    assert rejected.record is junk
    assert (rejected.error_type, rejected.positions) == ("reject", ())
    assert rejected.reason.startswith(("no envelope of the sink", "no parked document"))
    assert len(made.documents) == 1


def test_a_stub_is_dead_for_it_is_not_the_document() -> None:
    """
    Its beginning would be indexed as text, under the id of the whole.
    """
    record = parked(7)
    stub = FakeRecord(
        *PARKED, 0, b'{"n":', headers=[*(record.headers() or []), ("sink.truncated", b"true")]
    )

    (made,) = make(stub)

    assert made.documents == []
    (rejected,) = made.rejected
    assert "only the beginning" in rejected.reason


def test_a_document_of_a_topic_that_no_route_takes_any_more_is_dead_under_its_own_name() -> None:
    """
    Without its id no audit finds it in the dead letters, and no replay can send it.
    """
    gone = ParkedTarget(lambda _topic, _topic_id: None)

    (made,) = make(parked(7), target=gone)

    (rejected,) = made.rejected
    assert rejected.error_type == "no_route"
    assert TOPIC in rejected.reason
    assert (rejected.record.topic(), rejected.record.offset()) == (TOPIC, 7)
    assert keeps_its_name(rejected)


def test_a_document_that_its_collector_takes_no_more_is_dead_under_its_own_name() -> None:
    def refuse(record: Record) -> Answer:
        raise ValueError(record.offset())

    (made,) = make(parked(7), target=collecting(refuse))

    (rejected,) = made.rejected
    assert rejected.error_type == "collector_exception"
    assert "ValueError: 7" in rejected.reason
    assert keeps_its_name(rejected)


def test_a_document_that_its_collector_drops_now_is_dropped_by_that_rule() -> None:
    (made,) = make(parked(7), target=collecting(lambda _: Drop("noise")))

    assert (made.documents, made.dropped, made.rejected) == ([], {"noise": 1}, [])


@pytest.mark.parametrize("answer", [[{"half": 1}, {"half": 2}], [{"half": 1}, Refused("17")]])
def test_a_record_that_its_collector_makes_several_of_now_is_dead_and_none_of_them_lost(
    answer: list[Source | Refused],
) -> None:
    """
    They would have one id between them: the second would be taken for there already.
    """
    (made,) = make(parked(7), target=collecting(lambda _: answer))

    assert made.documents == []
    (rejected,) = made.rejected
    assert rejected.error_type == "not_one_document"
    assert "makes 2 documents" in rejected.reason
    assert keeps_its_name(rejected)


def test_an_element_whose_value_is_none_is_dead_under_its_own_name() -> None:
    letter = DeadLetter(
        record_of(b"17"), "park", "x", "y", index="may", id="T-7", positions=(3,), topic_id="T"
    )

    (made,) = make(*written(letter))

    (rejected,) = made.rejected
    assert (rejected.error_type, rejected.positions) == ("not_an_object", (3,))
    assert "not one JSON object" in rejected.reason
    assert keeps_its_name(rejected)


def test_a_record_that_became_no_document_may_become_one_under_the_id_it_would_have_had() -> None:
    (made,) = make(unmade(b"17"), target=collecting(lambda _: b'{"now":1}'))

    (document,) = made.documents
    assert document.action == {"create": {"_index": "sag-order_1970-01-01", "_id": "T-0-5-7"}}
    assert document.bound == Bound("sag-order_1970-01-01", TOPIC, "T")
    assert document.source == b'{"now":1}'


@pytest.mark.parametrize(("number", "offset"), [(0, 0), (3, 7)])
def test_it_has_that_id_also_where_it_is_the_first_of_its_partition(
    number: int, offset: int
) -> None:
    record = FakeRecord(TOPIC, number, offset, b"17", timestamp_ms=1, leader_epoch=5)
    letter = DeadLetter(record, "collect", "x", "y", topic_id="T")

    (made,) = make(*written(letter), target=collecting(lambda _: b'{"now":1}'))

    assert made.documents[0].action["create"]["_id"] == f"T-{number}-5-{offset}"


def test_a_record_that_became_no_document_may_be_dropped_by_a_rule_by_now() -> None:
    (made,) = make(unmade(b"17"), target=collecting(lambda _: Drop("noise")))

    assert (made.documents, made.dropped, made.rejected) == ([], {"noise": 1}, [])


def test_an_element_keeps_its_position_in_its_record() -> None:
    """
    Refused again its letter tells which document of the record it was.
    """
    letters = letters_of(record_of(b'[{"a":0},{"b":1}]'))

    (made,) = make(*written(*letters))

    assert [getattr(document.record, "position", None) for document in made.documents] == [0, 1]


def test_an_element_needs_no_route_it_is_sent_as_it_was_made() -> None:
    letters = letters_of(record_of(b'[{"a":0},{"b":1}]'))
    gone = ParkedTarget(lambda _topic, _topic_id: None)

    (made,), (before,) = make(*written(*letters), target=gone), make(*written(*letters))

    assert made.rejected == []
    assert [each[:2] for each in made.documents] == [each[:2] for each in before.documents]


def test_parked_documents_go_through_the_pipeline_of_their_route_and_are_shaped_once() -> None:
    more: dict[str, object] = {
        "pipeline": "p",
        "shape": {"add": {"env": "prod"}, "rename": {"n": "m"}},
    }
    records = record_of(b'{"n":1}', 7), record_of(b'[{"n":2}]', 8)
    letters = [letter for record in records for letter in letters_of(record, **more)]
    target = ParkedTarget(lambda topic, topic_id: target_of_topic(topic, topic_id, **more))

    (made,) = make(*written(*letters), target=target)

    assert [each.source for each in made.documents] == [
        b'{"env":"prod","@timestamp":"1970-01-01T00:00:00.001Z","m":%d}' % n for n in (1, 2)
    ]
    assert [each.action for each in made.documents] == [
        {"create": {"pipeline": "p", "_index": "sag-order_1970-01-01", "_id": id_}}
        for id_ in ("T-0-5-7", "T-0-5-8-0")
    ]


def test_elements_that_became_no_documents_are_dead_by_their_positions() -> None:
    (made,) = make(unmade(b"[17,18]", (0, 1)))

    (rejected,) = made.rejected
    assert (rejected.error_type, rejected.positions) == ("not_an_object", (0, 1))
    assert (rejected.record.topic(), rejected.record.offset()) == (TOPIC, 7)
    assert rejected.topic_id == "T"


@pytest.mark.parametrize("positions", [(), (3,)])
def test_no_value_breaks_out_of_its_line(positions: tuple[int, ...]) -> None:
    """
    Whoever may write into the parked topic could delete any document otherwise.
    """
    value = b'{"n":1\n}'
    letter = DeadLetter(
        record_of(value), "park", "x", "y", index="may", id="T-7", positions=positions, topic_id="T"
    )

    (made,) = make(*written(letter))

    assert [document.source for document in made.documents] == [
        b'{"n":1 }' if positions else b'{"@timestamp":"1970-01-01T00:00:00.001Z","n":1 }'
    ]


HEADER = st.tuples(
    st.sampled_from(["trace", "sink.topic", "sink.id", "sink.command", "sink.positions"]),
    st.none() | st.binary(max_size=6),
)


@given(st.lists(HEADER, max_size=8), st.none() | st.binary(max_size=20))
def test_no_record_of_the_parked_topic_is_left_out_whatever_it_holds(
    headers: Headers, value: bytes | None
) -> None:
    (made,) = make(FakeRecord(*PARKED, 0, value, headers=headers))

    assert len(made.documents) + sum(made.dropped.values()) + len(made.rejected) == 1


def test_a_parked_document_keeps_the_version_that_its_offset_gives() -> None:
    """Without it an older record that comes back from there would replace a newer one."""
    by_field = {"id": "field", "id_field": "k", "op_type": "index", "version": "offset"}

    def versioned(topic: str, topic_id: str) -> Target | None:
        return target_of_topic(topic, topic_id, **by_field)

    target = ParkedTarget(versioned)
    for value in (b'{"k":"a"}', b'[{"k":"a"}]'):
        (made,) = make(*written(*letters_of(record_of(value), **by_field)), target=target)

        ((op_type, told),) = made.documents[0].action.items()
        assert (op_type, told["_id"], told["version_type"]) == ("index", "a", "external_gte")
        assert told["version"] == made.documents[0].record.offset()
