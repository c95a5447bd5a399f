"""
What is made of the parked topic's records: the documents they were, under the ids they had.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.config import Config
from sink.core.bulk import Bound
from sink.core.collect import Answer, Collector, Drop, Refused, Rejected, Run, Source
from sink.core.command import Command, Decision
from sink.core.dead_letter import DeadLetter, target_of
from sink.core.parked import ParkedTarget
from sink.core.record import Headers, Partition, Record
from sink.core.target import Target
from sink.routes import routes_of
from sink.testing import FakeRecord

PARKED = Partition("parked", 2)
TOPIC = "ekk-order"


def _target(topic: str, topic_id: str, **more: object) -> Target | None:
    table = {"name": "r", "prefix": "ekk-", "index": {"prefix": "sag-"}, **more}
    (route,) = routes_of(Config.model_validate({"routes": [table]}))
    return Target(topic, route, topic_id) if topic == TOPIC else None


def _collecting(collect: Callable[[Record], Answer]) -> ParkedTarget:
    """
    The same route, with another collector than when its documents were parked.
    """
    target = _target(TOPIC, "T")
    assert target is not None
    other = replace(target.route, collector=Collector("mine", collect))
    return ParkedTarget(lambda topic, topic_id: Target(topic, other, topic_id))


class Document(NamedTuple):
    """
    A document on its way to Elasticsearch, and the record it is of.
    """

    action: Mapping[str, Any]
    source: bytes
    record: Record
    bound: Bound


class Made(NamedTuple):
    documents: list[Document]
    dropped: Mapping[str, int]
    rejected: list[Rejected]


def _made(
    *records: FakeRecord, target: ParkedTarget | None = None, docs_max: int = 100
) -> list[Made]:
    run = Run(PARKED, [*records], records[0].offset(), records[-1].offset() + 1)
    pieces = []
    for _, documents, actions in (target or ParkedTarget(_target)).pieces(run, docs_max):
        bounds = [bound for bound, count in actions.bounds for _ in range(count)]
        lines = map(orjson.loads, actions.lines)
        each = zip(lines, documents.sources, documents.records, bounds, strict=True)
        pieces.append(Made([Document(*one) for one in each], documents.dropped, documents.rejected))
    return pieces


def _letters(record: FakeRecord, **more: object) -> list[DeadLetter]:
    """
    Give the letters of all documents of a record, as they are parked the first time.
    """
    target = _target(TOPIC, "T", **more)
    assert target is not None
    run = Run(Partition(TOPIC, 0), [record], record.offset(), record.offset() + 1)
    ((_, documents, actions),) = target.pieces(run, 10**9)
    letters = []
    for line, each in zip(actions.lines, documents.records, strict=True):
        index, id_ = target_of(line)
        position = getattr(each, "position", None)
        positions = () if position is None else (position,)
        letters.append(
            DeadLetter(
                each, "park", "x", "y", index=index, id=id_, positions=positions, topic_id="T"
            )
        )
    return letters


def _written(*letters: DeadLetter, first: int = 0) -> list[FakeRecord]:
    """
    Write letters to the parked topic.
    """
    return [
        FakeRecord(
            *PARKED,
            first + n,
            letter.record.value(),  # type: ignore[arg-type]
            key=letter.record.key(),  # type: ignore[arg-type]
            headers=letter.headers({}),
        )
        for n, letter in enumerate(letters)
    ]


def _record(value: bytes, offset: int = 7, headers: Headers | None = None) -> FakeRecord:
    return FakeRecord(
        TOPIC, 0, offset, value, key=b"k", headers=headers, timestamp_ms=1, leader_epoch=5
    )


def _parked(offset: int, index: str = "may", at: int | None = None) -> FakeRecord:
    letter = DeadLetter(
        _record(b'{"n":1}', offset), "park", "x", "y", index=index, id=f"T-{offset}", topic_id="T"
    )
    return _written(letter, first=offset if at is None else at)[0]


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
    record = _record(value, headers=headers)
    letters = _letters(record)

    (made,) = _made(*_written(*letters))

    target = _target(TOPIC, "T")
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
    letters = _letters(_record(value))
    (first,) = _made(*_written(*letters))
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

    (second,) = _made(*_written(*again))

    told = [[(d.action, d.source, d.bound) for d in made.documents] for made in (first, second)]
    assert told[0] == told[1]


def test_a_document_that_elasticsearch_names_is_sent_as_its_route_says() -> None:
    def target_of_topic(topic: str, topic_id: str) -> Target | None:
        return _target(topic, topic_id, id="none", op_type="index")

    letters = _letters(_record(b'{"n":1}'), id="none", op_type="index")

    (made,) = _made(*_written(*letters), target=ParkedTarget(target_of_topic))

    assert made.documents[0].action == {"index": {"_index": "sag-order_1970-01-01"}}


def test_a_document_goes_where_it_was_bound_and_not_where_its_route_points_today() -> None:
    (made,) = _made(_parked(7, "an-older-index"))

    assert made.documents[0].action["create"]["_index"] == "an-older-index"
    assert made.documents[0].action["create"]["_id"] == "T-7"


def test_a_long_run_is_made_in_pieces_that_are_its_records_in_order() -> None:
    records = [_parked(offset) for offset in range(7)]
    run = Run(PARKED, [*records], 0, 7)

    pieces = [piece for piece, _, _ in ParkedTarget(_target).pieces(run, 3)]

    assert [(piece.first, piece.next_offset) for piece in pieces] == [(0, 3), (3, 6), (6, 7)]
    assert [record for piece in pieces for record in piece.records] == records


def _junk() -> list[FakeRecord]:
    whole = _parked(7)
    headers = whole.headers() or []
    return [
        FakeRecord(*PARKED, 0, b"no envelope"),
        FakeRecord(*PARKED, 0, None),
        FakeRecord(*PARKED, 0, b"{}", headers=[("sink.topic", TOPIC)]),
        FakeRecord(*PARKED, 0, b"{}", headers=[h for h in headers if h[0] != "sink.index"]),
    ]


@pytest.mark.parametrize("junk", _junk())
def test_what_the_sink_did_not_park_is_dead_and_the_next_is_made(junk: FakeRecord) -> None:
    (made,) = _made(junk, _parked(1))

    (rejected,) = made.rejected
    assert rejected.record is junk
    assert len(made.documents) == 1


def test_a_stub_is_dead_for_it_is_not_the_document() -> None:
    """
    Its beginning would be indexed as text, under the id of the whole.
    """
    record = _parked(7)
    stub = FakeRecord(
        *PARKED, 0, b'{"n":', headers=[*(record.headers() or []), ("sink.truncated", b"true")]
    )

    (made,) = _made(stub)

    assert made.documents == []
    assert len(made.rejected) == 1


def _keeps_its_name(rejected: Rejected) -> bool:
    return (rejected.index, rejected.id, rejected.topic_id) == ("may", "T-7", "T")


def test_a_document_of_a_topic_that_no_route_takes_any_more_is_dead_under_its_own_name() -> None:
    """
    Without its id no audit finds it in the dead letters, and no replay can send it.
    """
    gone = ParkedTarget(lambda _topic, _topic_id: None)

    (made,) = _made(_parked(7), target=gone)

    (rejected,) = made.rejected
    assert rejected.error_type == "no_route"
    assert (rejected.record.topic(), rejected.record.offset()) == (TOPIC, 7)
    assert _keeps_its_name(rejected)


def test_a_document_that_its_collector_takes_no_more_is_dead_under_its_own_name() -> None:
    def refuse(record: Record) -> Answer:
        raise ValueError(record.offset())

    (made,) = _made(_parked(7), target=_collecting(refuse))

    (rejected,) = made.rejected
    assert rejected.error_type == "collector_exception"
    assert _keeps_its_name(rejected)


def test_a_document_that_its_collector_drops_now_is_dropped_by_that_rule() -> None:
    (made,) = _made(_parked(7), target=_collecting(lambda _: Drop("noise")))

    assert (made.documents, made.dropped, made.rejected) == ([], {"noise": 1}, [])


@pytest.mark.parametrize("answer", [[{"half": 1}, {"half": 2}], [{"half": 1}, Refused("17")]])
def test_a_record_that_its_collector_makes_several_of_now_is_dead_and_none_of_them_lost(
    answer: list[Source | Refused],
) -> None:
    """
    They would have one id between them: the second would be taken for there already.
    """
    (made,) = _made(_parked(7), target=_collecting(lambda _: answer))

    assert made.documents == []
    (rejected,) = made.rejected
    assert _keeps_its_name(rejected)


def test_an_element_whose_value_is_none_is_dead_under_its_own_name() -> None:
    letter = DeadLetter(
        _record(b"17"), "park", "x", "y", index="may", id="T-7", positions=(3,), topic_id="T"
    )

    (made,) = _made(*_written(letter))

    (rejected,) = made.rejected
    assert (rejected.error_type, rejected.positions) == ("not_an_object", (3,))
    assert _keeps_its_name(rejected)


def _unmade(value: bytes, positions: tuple[int, ...] = ()) -> FakeRecord:
    """
    A record that became no document, parked before it was dead.
    """
    return _written(
        DeadLetter(_record(value), "collect", "x", "y", positions=positions, topic_id="T")
    )[0]


def test_a_record_that_became_no_document_may_become_one_under_the_id_it_would_have_had() -> None:
    (made,) = _made(_unmade(b"17"), target=_collecting(lambda _: b'{"now":1}'))

    (document,) = made.documents
    assert document.action == {"create": {"_index": "sag-order_1970-01-01", "_id": "T-0-5-7"}}
    assert document.bound == Bound("sag-order_1970-01-01", TOPIC, "T")
    assert document.source == b'{"now":1}'


def test_elements_that_became_no_documents_are_dead_by_their_positions() -> None:
    (made,) = _made(_unmade(b"[17,18]", (0, 1)))

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
        _record(value), "park", "x", "y", index="may", id="T-7", positions=positions, topic_id="T"
    )

    (made,) = _made(*_written(letter))

    assert [document.source for document in made.documents] == [b'{"n":1 }']


def _told(offset: int, command: Command, index: str = "*") -> FakeRecord:
    return FakeRecord(*PARKED, offset, None, headers=Decision(command, index).headers())


def _obeyed(target: ParkedTarget, *records: FakeRecord) -> Made:
    (made,) = _made(*records, target=target)
    return made


def test_a_command_is_no_document_and_has_its_partition_read_again_once() -> None:
    target = ParkedTarget(_target)

    made = _obeyed(target, _parked(0), _told(1, Command.DROP))

    assert len(made.documents) == 1, "it was read before the command was known"
    assert made.dropped == {"command": 1}
    assert target.news() == {PARKED}
    _obeyed(target, _parked(0), _told(1, Command.DROP))
    assert target.news() == set(), "read again and again for ever"


def test_documents_before_a_command_to_drop_are_dropped_and_those_behind_it_are_not() -> None:
    target = ParkedTarget(_target)
    _obeyed(target, _told(2, Command.DROP, "may"))

    made = _obeyed(target, _parked(0), _parked(1, "june"), _told(2, Command.DROP), _parked(3))

    assert made.dropped == {"operator": 1, "command": 1}
    assert [document.action["create"]["_id"] for document in made.documents] == ["T-1", "T-3"]


def test_documents_moved_to_the_dead_letters_keep_their_names_and_say_by_whom() -> None:
    target = ParkedTarget(_target)
    _obeyed(target, _told(9, Command.TO_DLQ))

    made = _obeyed(target, _parked(7))

    (rejected,) = made.rejected
    assert _keeps_its_name(rejected)
    assert "by command" in rejected.reason
    assert rejected.error_type == "x"


def test_a_released_document_is_marked_and_the_next_is_not() -> None:
    target = ParkedTarget(_target)
    _obeyed(target, _told(9, Command.RELEASE, "may"))

    made = _obeyed(target, _parked(0), _parked(1, "june"))

    assert [document.bound.released for document in made.documents] == [True, False]


def test_of_two_commands_the_last_is_obeyed() -> None:
    target = ParkedTarget(_target)
    _obeyed(target, _told(8, Command.DROP), _told(9, Command.TO_DLQ, "may"))

    made = _obeyed(target, _parked(0), _parked(1, "june"))

    assert len(made.rejected) == 1
    assert made.dropped == {"operator": 1}


def test_a_command_is_about_its_partition_alone() -> None:
    target = ParkedTarget(_target)
    other = Partition("parked", 5)
    run = Run(other, [_told(9, Command.DROP)], 9, 10)
    list(target.pieces(run, 10))

    assert target.news() == {other}
    assert len(_obeyed(target, _parked(0)).documents) == 1


HEADER = st.tuples(
    st.sampled_from(["trace", "sink.topic", "sink.id", "sink.command", "sink.positions"]),
    st.none() | st.binary(max_size=6),
)


@given(st.lists(HEADER, max_size=8), st.none() | st.binary(max_size=20))
def test_no_record_of_the_parked_topic_is_left_out_whatever_it_holds(
    headers: Headers, value: bytes | None
) -> None:
    (made,) = _made(FakeRecord(*PARKED, 0, value, headers=headers))

    assert len(made.documents) + sum(made.dropped.values()) + len(made.rejected) == 1
