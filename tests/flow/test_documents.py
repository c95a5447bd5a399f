"""
What Elasticsearch says of single documents: the others go on.
"""

import pytest

from sink.core.record import Partition
from sink.testing import operations
from tests.accounting import document_id
from tests.flow.pipeline import (
    ORDERS,
    TOPIC,
    Pipeline,
    everything_is_accounted_for,
    running,
    values,
)
from tests.making import stamped
from tests.waiting import wait_until


def test_records_become_documents_and_their_offsets_are_committed() -> None:
    pipeline = Pipeline()
    records = pipeline.broker.produce(TOPIC, *values(10))

    with running(pipeline):
        pipeline.until_all_is_committed()

    index = pipeline.elastic.indices["sag-order_2026-11-01"]
    assert index == dict(zip(map(document_id, records), stamped(*values(10)), strict=True))
    assert pipeline.broker.committed() == {ORDERS: 10}
    assert pipeline.fates() == {"consumed": 10, "indexed": 10}
    everything_is_accounted_for(pipeline)


def test_a_refused_document_is_sent_again_alone() -> None:
    pipeline = Pipeline()
    pipeline.elastic.refuse(b'"n":3', 429, "es_rejected_execution_exception", times=2)
    pipeline.broker.produce(TOPIC, *values(10))

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert [operations(body).total() for body in pipeline.elastic.bodies] == [10, 1, 1]
    assert all(b'"n":3' in body for body in pipeline.elastic.bodies[1:])
    assert pipeline.fates() == {"consumed": 10, "indexed": 10}
    everything_is_accounted_for(pipeline)


def test_a_document_with_a_mapping_error_is_dead_and_the_rest_is_indexed() -> None:
    pipeline = Pipeline()
    pipeline.elastic.refuse(b'"n":3', 400, "document_parsing_exception", "failed to parse [n]")
    records = pipeline.broker.produce(TOPIC, *values(10), headers=[("trace", b"x")])

    with running(pipeline):
        pipeline.until_all_is_committed()

    (letter,) = pipeline.dead_letters.letters
    assert letter.record is records[3]
    assert (letter.error_type, letter.reason) == (
        "document_parsing_exception",
        "failed to parse [n]",
    )
    assert (letter.index, letter.id) == ("sag-order_2026-11-01", document_id(records[3]))
    assert len(pipeline.elastic.documents()) == 9
    assert pipeline.fates() == {"consumed": 10, "indexed": 9, "dead": 1}
    everything_is_accounted_for(pipeline)


def test_retried_dead_and_good_documents_of_one_bulk_each_find_their_end() -> None:
    pipeline = Pipeline()
    pipeline.elastic.refuse(b'"n":1}', 500, "i_o_exception", times=2)
    pipeline.elastic.refuse(b'"n":2}', 400, "document_parsing_exception")
    pipeline.elastic.refuse(b'"n":4}', 429, "es_rejected_execution_exception", times=1)
    pipeline.elastic.refuse(b'"n":4}', 400, "strict_dynamic_mapping_exception")
    pipeline.broker.produce(TOPIC, *values(6))

    with running(pipeline):
        pipeline.until_all_is_committed()

    dead = {letter.record.offset(): letter.attempts for letter in pipeline.dead_letters.letters}
    assert dead == {2: 1, 4: 2}
    assert pipeline.fates() == {"consumed": 6, "indexed": 4, "dead": 2}
    everything_is_accounted_for(pipeline)


def test_an_offset_waits_for_a_document_that_is_sent_again() -> None:
    """
    The documents after it are indexed; their offsets are not committed past it.
    """
    pipeline = Pipeline(docs_max=1)
    pipeline.elastic.refuse(b'"n":3', 503, "unavailable_shards_exception")
    pipeline.broker.produce(TOPIC, *values(6))

    with running(pipeline):
        wait_until(lambda: len(pipeline.elastic.documents()) == 5, 10, "the others to be indexed")
        wait_until(lambda: pipeline.broker.committed() == {ORDERS: 3}, 10, "the first to commit")
        everything_is_accounted_for(pipeline, through=False)

        pipeline.elastic.accept()
        pipeline.until_all_is_committed()

    everything_is_accounted_for(pipeline)


@pytest.mark.parametrize(
    ("status", "error_type"),
    [(403, "cluster_block_exception"), (404, "index_not_found_exception"), (500, "i_o_exception")],
)
def test_an_index_that_takes_nothing_for_a_while_loses_nothing(
    status: int, error_type: str
) -> None:
    pipeline = Pipeline()
    pipeline.elastic.refuse(b'"n"', status, error_type, times=40)
    pipeline.broker.produce(TOPIC, *values(20))

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.dead_letters.letters == []
    assert pipeline.fates() == {"consumed": 20, "indexed": 20}
    everything_is_accounted_for(pipeline)


def test_what_is_already_there_counts_as_a_duplicate_and_is_committed() -> None:
    pipeline = Pipeline()
    records = pipeline.broker.produce(TOPIC, *values(4))
    there = dict(zip(map(document_id, records[:3]), stamped(*values(3)), strict=True))
    pipeline.elastic.indices["sag-order_2026-11-01"] = there

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.fates() == {"consumed": 4, "indexed": 1, "duplicate": 3}
    everything_is_accounted_for(pipeline)


def test_records_that_are_no_json_are_indexed_dropped_or_dead_by_the_collectors_rules() -> None:
    pipeline = Pipeline()
    batch = b'[{"a":1},"no object",{"b":2}]'
    pipeline.broker.produce(TOPIC, b"plain text", b"", None, batch, b'{"ok":true}')

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.fates() == {
        "consumed": 7,
        "indexed": 4,
        "dead": 1,
        "dropped:empty": 1,
        "dropped:tombstone": 1,
    }
    (letter,) = pipeline.dead_letters.letters
    assert (letter.positions, letter.stage) == ((1,), "collect")
    everything_is_accounted_for(pipeline)


def test_a_poll_of_nothing_but_dropped_records_is_committed() -> None:
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, None, b"", None)

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.elastic.bodies == []
    everything_is_accounted_for(pipeline)


def test_a_poll_of_nothing_but_dead_records_is_committed_once_they_are_written() -> None:
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, b"[17]", b'["no object"]')

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.elastic.bodies == []
    assert len(pipeline.dead_letters.letters) == 2
    everything_is_accounted_for(pipeline)


def test_a_value_that_would_delete_a_document_deletes_none() -> None:
    pipeline = Pipeline()
    pipeline.broker.produce(
        TOPIC, *values(1), b'{"msg":"x"}\n{"delete":{"_index":"sag-order_2026-11-01","_id":"v"}}'
    )
    pipeline.elastic.indices["sag-order_2026-11-01"] = {"v": b"{}"}

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert set().union(*map(operations, pipeline.elastic.bodies)) == {"create"}
    assert len(pipeline.elastic.documents()) == 4


def test_one_bulk_holds_the_documents_of_several_topics_and_counts_each() -> None:
    pipeline = Pipeline()
    pipeline.elastic.refuse(b"poison", 400, "document_parsing_exception")
    pipeline.broker.produce(TOPIC, *values(3), b'{"poison":1}')
    pipeline.broker.produce("ekk-bill", *values(5))

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.fates(TOPIC) == {"consumed": 4, "indexed": 3, "dead": 1}
    assert pipeline.fates("ekk-bill") == {"consumed": 5, "indexed": 5}
    assert set(pipeline.elastic.indices) == {"sag-order_2026-11-01", "sag-bill_2026-11-01"}
    everything_is_accounted_for(pipeline)


def test_a_gap_in_the_offsets_is_committed_past() -> None:
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(3))
    pipeline.broker.skip(ORDERS, 100)
    pipeline.broker.produce(TOPIC, *values(3))

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.broker.committed() == {ORDERS: 106}
    everything_is_accounted_for(pipeline)


def test_a_topic_that_no_route_takes_is_neither_read_nor_committed() -> None:
    pipeline = Pipeline()
    pipeline.broker.produce("other", *values(3))
    pipeline.broker.produce(TOPIC, *values(3))

    with running(pipeline):
        wait_until(lambda: pipeline.broker.committed() == {ORDERS: 3}, 10, "the commit")
        assert Partition("other", 0) in pipeline.source.paused

    assert pipeline.broker.committed() == {ORDERS: 3}
    assert pipeline.consumed() == 3


def test_many_records_on_several_threads_all_arrive() -> None:
    pipeline = Pipeline(threads=2, docs_max=50)
    pipeline.elastic.refuse(b"7}", 429, "es_rejected_execution_exception", times=100)
    pipeline.elastic.refuse(b"99}", 400, "document_parsing_exception")
    for number in range(4):
        for topic in (TOPIC, "ekk-bill"):
            pipeline.broker.produce(topic, *values(500), partition=number)
    pipeline.broker.assigns = False

    with running(pipeline):
        wait_until(lambda: len(pipeline.broker.sources) == 2, 10, "both consumers")
        for place, partition in enumerate(pipeline.broker.ends()):
            pipeline.broker.sources[place % 2].assign(partition)
        pipeline.until_all_is_committed()

    assert len(pipeline.dead_letters.letters) == 8 * 5
    everything_is_accounted_for(pipeline)


def test_a_refused_element_of_an_array_is_dead_alone_and_not_with_its_whole_record() -> None:
    """
    A letter as large as its record for each of its documents would fill the topic.
    """
    pipeline = Pipeline()
    pipeline.elastic.refuse(b"bad", 400, "document_parsing_exception", "failed to parse")
    pipeline.broker.produce(TOPIC, b'[{"n":0},{"n":"bad 1"},{"n":"bad 2"},17,18]', key=b"k")

    with running(pipeline):
        pipeline.until_all_is_committed()

    told = [(x.stage, x.record.value(), x.positions) for x in pipeline.dead_letters.letters]
    whole = b'[{"n":0},{"n":"bad 1"},{"n":"bad 2"},17,18]'
    assert sorted(told) == [
        ("collect", whole, (3, 4)),
        ("index", *stamped(b'{"n":"bad 1"}'), (1,)),
        ("index", *stamped(b'{"n":"bad 2"}'), (2,)),
    ]
    assert pipeline.fates() == {"consumed": 5, "indexed": 1, "dead": 4}
    everything_is_accounted_for(pipeline)


def test_a_poll_of_arrays_is_handed_over_piece_by_piece() -> None:
    """
    The first bulks are sent while the later records are not yet documents.
    """
    pipeline = Pipeline(docs_max=10, places=1, in_flight=1)
    records = [b"[" + b",".join([b"{}"] * 25) + b"]" for _ in range(20)]
    pipeline.broker.produce(TOPIC, *records)

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.fates() == {"consumed": 500, "indexed": 500}
    assert pipeline.broker.committed() == {ORDERS: 20}
    everything_is_accounted_for(pipeline)
