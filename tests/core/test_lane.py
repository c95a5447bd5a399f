"""
What waits for a parked index, and which document asks next.
"""

import orjson

from sink.core.lane import Aside, Lane, dry_run, topic_key
from sink.core.outcome import Outcome, Verdict
from sink.core.tally import Progress, Tally
from tests.core.placing import bulk_of, ticket_of

WHY = Verdict(Outcome.PARK, "cluster_block_exception", "index [may] blocked")


def _aside(documents: int, topic: str = "orders") -> Aside:
    bulk = bulk_of(("may", ticket_of(topic), documents))
    return Aside(bulk, Progress(Tally(bulk.tickets)))


def _lane(*asides: Aside) -> Lane:
    lane = Lane("may", WHY, bulk_of(("may", ticket_of("sample", 70), 1)), 5.0)
    for aside in asides:
        lane.hold(aside)
    return lane


def test_the_first_document_that_waits_asks_first() -> None:
    first = _aside(2)

    document, aside, position = _lane(first, _aside(3, "bills")).candidate()

    assert (document.lines[1], aside, position) == (b'{"n":0}', first, 0)
    assert len(document) == 1


def test_each_document_asks_in_its_turn_and_then_the_first_again() -> None:
    one, other = _aside(2), _aside(3, "bills")
    lane = _lane(one, other)
    asked = []
    for lane.cursor in range(6):
        document, aside, position = lane.candidate()
        assert aside is not None
        assert document.lines == aside.rest.part([position]).lines
        asked.append((aside, position))

    assert asked == [(one, 0), (one, 1), (other, 0), (other, 1), (other, 2), (one, 0)]


def test_one_that_is_decided_asks_no_more() -> None:
    aside = _aside(2)
    aside.take(0, Outcome.INDEXED)

    document, _, _ = _lane(aside).candidate()

    assert document.lines[1] == b'{"n":1}'


def test_where_nothing_waits_a_dry_run_asks_for_the_index() -> None:
    aside = _aside(1)
    aside.take(0, Outcome.INDEXED)

    for lane in (_lane(), _lane(aside)):
        document, none, _ = lane.candidate()

        assert none is None
        assert lane.sample is not None
        assert document.lines == dry_run(lane.sample).lines


def test_a_dry_run_is_no_document_and_names_the_index_alone() -> None:
    """
    Written under the id of a document it would stand for that document for ever.
    """
    bulk = bulk_of(("may", ticket_of("orders"), 1))

    probe = dry_run(bulk)

    action, source = probe.lines
    assert orjson.loads(action) == {"create": {"_index": "may", "_id": "sink-probe"}}
    assert "_source" in orjson.loads(source)
    assert len(probe) == 1
    assert probe.size_bytes == len(bytes(probe.body()))
    assert probe.sections == bulk.sections
    assert probe.tickets == [], "it settles nothing"
    assert probe.rejected == [], "it buries nothing"


def test_a_dry_run_goes_through_the_pipeline_of_the_documents() -> None:
    """A missing one is no document's fault."""
    bulk = bulk_of(("may", ticket_of("orders"), 1))
    bulk.lines[0] = b'{"create":{"pipeline":"geo","_index":"may","_id":"x"}}'

    told = {"pipeline": "geo", "_index": "may", "_id": "sink-probe"}
    assert orjson.loads(dry_run(bulk).lines[0]) == {"create": told}


def test_what_is_taken_is_counted_and_the_room_stays_that_of_the_whole() -> None:
    aside = _aside(3)

    aside.take(1, Outcome.DUPLICATE)

    assert aside.progress.fates == {("orders", "duplicate"): 1}
    assert aside.rest.lines[1::2] == [b'{"n":0}', b'{"n":2}']
    assert len(aside.part) == 3

    aside.take(0, Outcome.DUPLICATE)

    assert aside.progress.fates == {("orders", "duplicate"): 2}


def test_what_is_let_go_first_is_what_came_first_and_waits_no_more() -> None:
    one, other = _aside(3), _aside(2, "bills")
    lane = _lane(one, other)
    lane.take(one, 0, Outcome.INDEXED)
    assert one.progress.fates == {("orders", "indexed"): 1}
    assert (lane.documents, len(one.rest)) == (4, 2)

    assert lane.release() is one

    assert (lane.documents, lane.size_bytes) == (2, other.part.size_bytes)
    assert lane.release() is other
    assert (lane.documents, lane.size_bytes) == (0, 0)


def test_a_parked_topic_is_told_from_a_parked_index() -> None:
    lane = Lane(topic_key("orders"), WHY, None, 5.0)

    assert lane.topic == "orders"
    assert _lane().topic is None
    assert lane.state().index == "topic:orders"


def test_an_operator_is_told_what_waits_and_why() -> None:
    one, other = _aside(3), _aside(2, "bills")
    one.take(0, Outcome.INDEXED)
    lane = _lane(one, other)
    lane.spills = True

    state = lane.state()

    assert (state.index, state.error_type, state.reason) == ("may", WHY.error_type, WHY.reason)
    assert (state.since_s, state.documents) == (5.0, 4)
    assert state.size_bytes == one.part.size_bytes + other.part.size_bytes
    assert (state.blocks, state.spills) == (True, True)
