"""
Parked indices beside each other, in full rooms, in outages; and what the parked topic gives back.
"""

import pytest

import sink.edge.handoff
from sink.core.bulk import Bulk
from sink.core.dead_letter import DeadLetter
from sink.core.record import Partition
from sink.testing import FakeRecord, operations
from sink.writing.sender import ASIDE_IN_FLIGHT
from tests.accounting import document_id
from tests.flow.parking import (
    FEBRUARY,
    FEBRUARY_MS,
    JANUARY,
    OTHER,
    PARKED,
    all_is_well,
    parking,
    until_aside,
)
from tests.flow.pipeline import (
    ORDERS,
    TOPIC,
    Pipeline,
    running,
    values,
)
from tests.making import stamped
from tests.waiting import wait_until


def test_the_indices_of_one_bulk_are_parked_and_resume_each_in_its_time() -> None:
    pipeline = parking(docs_max=100)
    topics = ["ekk-a", "ekk-b", "ekk-c"]
    indices = [f"sag-{topic[4:]}_1970-01-01" for topic in topics]
    refusals = [
        (403, "cluster_block_exception", "blocked"),
        (429, "es_rejected_execution_exception", "queue is full"),
        (400, "illegal_argument_exception", "no write index is defined for alias [x]"),
    ]
    for index, refusal in zip(indices, refusals, strict=True):
        pipeline.elastic.block(index, *refusal)
    for topic in (*topics, TOPIC):
        pipeline.broker.produce(topic, *values(10), timestamp_ms=1)

    with running(pipeline):
        wait_until(lambda: pipeline.handoff.parked == set(indices), 10, "the three to be parked")
        wait_until(lambda: pipeline.handoff.outstanding() == (0, 0), 10, "their place to be free")
        wait_until(lambda: pipeline.fates(TOPIC).get("indexed") == 10, 10, "the healthy one")
        while topics:
            pipeline.elastic.unblock(indices.pop())
            well = Partition(topics.pop(), 0)
            wait_until(lambda: pipeline.broker.committed().get(well) == 10, 10, f"{well} to resume")  # noqa: B023
            blocked = [pipeline.broker.committed().get(Partition(t, 0), 0) for t in topics]
            assert blocked == [0] * len(topics)
            assert pipeline.handoff.parked == set(indices)
        pipeline.until_all_is_committed()

    assert pipeline.dead_letters.letters == pipeline.parked.letters == []
    all_is_well(pipeline, 1)


def test_a_run_that_spans_two_indices_waits_for_the_parked_one_and_others_do_not() -> None:
    pipeline = parking(docs_max=100)
    pipeline.elastic.block(JANUARY)
    with pipeline.broker.changed:  # one poll, one bulk
        pipeline.broker.produce(TOPIC, *values(5), timestamp_ms=1)
        pipeline.broker.produce(TOPIC, *values(5, 5), timestamp_ms=FEBRUARY_MS)
        pipeline.broker.produce(OTHER, *values(5), timestamp_ms=1)

    with running(pipeline):
        wait_until(
            lambda: len(pipeline.elastic.indices.get(FEBRUARY, ())) == 5, 10, "the healthy index"
        )
        until_aside(pipeline)
        wait_until(lambda: pipeline.broker.committed().get(Partition(OTHER, 0)) == 5, 10, "bills")
        assert operations(pipeline.elastic.bodies[0]).total() == 15
        assert pipeline.broker.committed().get(ORDERS, 0) == 0
        assert len(pipeline.elastic.indices[FEBRUARY]) == 5
        assert pipeline.in_flight() == {TOPIC: 5}

        pipeline.elastic.unblock(JANUARY)
        pipeline.until_all_is_committed()

    assert pipeline.fates() == {"consumed": 10, "indexed": 10}
    assert pipeline.elastic.created == 15
    all_is_well(pipeline, 1)


def test_more_parts_than_there_is_room_for_go_to_the_parked_topic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sink.edge.handoff, "ASIDE_PARTS_MAX", 3)
    pipeline = parking(docs_max=1)
    pipeline.elastic.block(JANUARY)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *values(20), timestamp_ms=1)
        wait_until(
            lambda: pipeline.source.paused or pipeline.fates().get("parked"), 10, "no more room"
        )
        assert pipeline.handoff.aside()[0] <= 3
        pipeline.elastic.unblock(JANUARY)
        pipeline.until_all_is_committed()
    all_is_well(pipeline, 1)


def test_what_is_set_aside_keeps_within_its_bytes_and_the_rest_is_parked() -> None:
    pipeline = parking(docs_max=3, bytes_max=10_000)
    most = _watched(pipeline)
    pipeline.elastic.block(JANUARY)
    pipeline.elastic.block(FEBRUARY)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *values(12), timestamp_ms=1)
        until_aside(pipeline)
        pipeline.broker.produce(TOPIC, *values(40, 12), timestamp_ms=FEBRUARY_MS)
        wait_until(
            lambda: pipeline.source.paused or pipeline.fates().get("parked"), 10, "no more room"
        )
        wait_until(lambda: pipeline.handoff.outstanding() == (0, 0), 10, "the places to be free")
        pipeline.elastic.unblock(JANUARY)
        pipeline.elastic.unblock(FEBRUARY)
        pipeline.until_all_is_committed()
    assert 5_000 < max(most) <= 10_000
    all_is_well(pipeline, 1)


def _watched(pipeline: Pipeline) -> list[int]:
    """
    Note the bytes after each part that was set aside.
    """
    most: list[int] = []
    set_aside = pipeline.handoff.set_aside

    def watched(part: Bulk) -> bool:
        taken = set_aside(part)
        most.append(pipeline.handoff.aside()[1])
        return taken

    pipeline.handoff.set_aside = watched  # type: ignore[method-assign]
    return most


def test_whatever_the_values_were_the_parked_documents_come_back_as_they_would_have_been() -> None:
    records = [
        (b'{"n":0}', None),
        (b"plain text", [("trace", b"\xff"), ("sink.index", b"forged"), ("none", None)]),
        (b"\xff\xfe no UTF-8", [("sink.command", b"drop")]),
        (b'[{"a":0},{"a":\n1},17]', [("sink.note", b"\xff")]),
        (b'[{"a":0}]', None),
        (b'{"n":1}\n{"n":2}\n', None),
        (None, None),
        (b"", None),
    ]
    healthy, parked = parking(), parking(bytes_max=0)
    parked.elastic.block(JANUARY)
    for pipeline in (healthy, parked):
        for value, headers in records:
            pipeline.broker.produce(TOPIC, value, headers=headers, key=b"k", timestamp_ms=1)
    with running(healthy):
        healthy.until_all_is_committed()
    with running(parked):
        wait_until(lambda: parked.broker.committed().get(ORDERS) == 8, 10, "the offset")
        wait_until(lambda: parked.fates(PARKED).get("parked"), 10, "them to be left there")
        parked.elastic.unblock(JANUARY)
        parked.until_all_is_committed()

    assert parked.elastic.indices == healthy.elastic.indices
    assert len(parked.elastic.documents()) == 8
    assert [x.positions for x in parked.dead_letters.letters] == [(2,)]
    all_is_well(parked, 1)


def test_an_array_of_which_some_elements_are_dead_parks_the_others_alone() -> None:
    pipeline = parking(bytes_max=0)
    pipeline.elastic.block(JANUARY)
    with running(pipeline):
        (record,) = pipeline.broker.produce(TOPIC, b'[{"n":0},{"n":"bad"},{"n":2}]', timestamp_ms=1)
        wait_until(lambda: pipeline.fates().get("parked") == 3, 10, "all to be parked")
        pipeline.elastic.refuse(b"bad", 400, "document_parsing_exception", "failed to parse")
        pipeline.elastic.unblock(JANUARY)
        pipeline.until_all_is_committed()

    assert set(pipeline.elastic.documents()) == {document_id(record, s) for s in ("-0", "-2")}
    (letter,) = pipeline.dead_letters.letters
    assert (letter.id, letter.positions) == (document_id(record, "-1"), (1,))
    assert [letter.record.value()] == stamped(b'{"n":"bad"}', time_ms=1)
    assert (letter.record.topic(), letter.record.offset()) == (TOPIC, 0)
    all_is_well(pipeline, 1)


def test_a_parked_document_whose_route_is_gone_is_dead_and_the_next_is_indexed() -> None:
    pipeline = parking()
    gone = FakeRecord("formerly-order", 0, 3, b"{}")
    there = FakeRecord(TOPIC, 0, 3, b'{"n":3}')
    pipeline.parked.write(
        [
            DeadLetter(r, "park", "x", "y", index=JANUARY, id=f"id-{n}", topic_id="T")
            for n, r in enumerate((gone, there))
        ]
    )
    with running(pipeline):
        pipeline.until_all_is_committed()

    (letter,) = pipeline.dead_letters.letters
    assert (letter.error_type, letter.id, letter.topic_id) == ("no_route", "id-0", "T")
    assert pipeline.elastic.documents() == {"id-1": stamped(b'{"n":3}')[0]}
    all_is_well(pipeline, 1)


@pytest.mark.parametrize(
    "headers",
    [
        None,
        [("sink.topic", b"\xff")],
        [("sink.topic", b"ekk-order"), ("sink.partition", b"zero")],
        [
            (f"sink.{name}", b"1")
            for name in ("topic", "partition", "offset", "timestamp", "stage", "error_type")
        ],
    ],
)
def test_what_others_write_into_the_parked_topic_is_dead_and_stops_nothing(
    headers: list[tuple[str, bytes | str | None]] | None,
) -> None:
    pipeline = parking()
    (junk,) = pipeline.broker.produce(PARKED, b"junk", headers=headers)
    pipeline.broker.produce(TOPIC, *values(5))
    with running(pipeline):
        pipeline.until_all_is_committed()

    (letter,) = pipeline.dead_letters.letters
    assert letter.record is junk
    assert pipeline.fates(PARKED) == {"consumed": 1, "dead": 1}
    assert len(pipeline.elastic.documents()) == 5
    assert len(pipeline.broker.sources) == 1, "a consumer broke"


def test_in_an_outage_parked_indices_ask_no_more_than_all_others_do() -> None:
    pipeline = parking(docs_max=1)
    pipeline.elastic.block(JANUARY)
    pipeline.elastic.block(FEBRUARY)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *values(5), timestamp_ms=1)
        pipeline.broker.produce(TOPIC, *values(5), timestamp_ms=FEBRUARY_MS)
        wait_until(lambda: len(pipeline.handoff.parked) == 2, 10, "both to be parked")
        until_aside(pipeline)
        pipeline.elastic.latency_s = 0.002
        pipeline.elastic.down()
        wait_until(lambda: "elasticsearch" in pipeline.readiness.reasons(), 10, "a failure")
        pipeline.broker.produce(OTHER, *values(20), timestamp_ms=1)
        wait_until(lambda: pipeline.handoff.outstanding()[0] > 4, 10, "others to wait as well")
        pipeline.elastic.concurrent_max = 0
        begun = len(pipeline.elastic.bodies)
        wait_until(lambda: len(pipeline.elastic.bodies) > begun + 10, 10, "some probes")
        assert pipeline.elastic.concurrent_max == 1

        pipeline.elastic.up()
        wait_until(lambda: pipeline.fates(OTHER).get("indexed") == 20, 10, "the others to flow")
        assert len(pipeline.handoff.parked) == 2
        pipeline.elastic.unblock(JANUARY)
        pipeline.elastic.unblock(FEBRUARY)
        pipeline.until_all_is_committed()
    all_is_well(pipeline, 1)


def test_fifty_parked_indices_ask_a_few_at_a_time_and_leave_the_others_their_slots() -> None:
    pipeline = parking(docs_max=100)
    topics = [f"ekk-{n}" for n in range(50)]
    indices = [f"sag-{topic[4:]}_1970-01-01" for topic in topics]
    for topic, index in zip(topics, indices, strict=True):
        pipeline.elastic.block(index)
        pipeline.broker.produce(topic, *values(3), timestamp_ms=1)
    with running(pipeline):
        wait_until(lambda: pipeline.handoff.parked == set(indices), 10, "all to be parked")
        pipeline.elastic.latency_s = 0.005
        pipeline.elastic.concurrent_max = 0
        for begin in range(0, 1000, 100):
            pipeline.broker.produce(OTHER, *values(100, begin), timestamp_ms=1)
        wait_until(lambda: pipeline.fates(OTHER).get("indexed") == 1000, 10, "the healthy one")
        assert 1 < pipeline.elastic.concurrent_max <= 4 + ASIDE_IN_FLIGHT
        for index in indices:
            pipeline.elastic.unblock(index)
        pipeline.until_all_is_committed()
        assert pipeline.elastic.concurrent_max <= 4 + ASIDE_IN_FLIGHT
    all_is_well(pipeline, 1)
