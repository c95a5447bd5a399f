"""
Documents whose field does not fit the mapping, on their way through the whole sink.
"""

import json
from typing import Any

from tests.accounting import document_id
from tests.flow.parking import JANUARY, OTHER, PARKED, until_aside
from tests.flow.pipeline import (
    ORDERS,
    TOPIC,
    Pipeline,
    everything_is_accounted_for,
    running,
    values,
)
from tests.waiting import wait_until

_PARSING = "document_parsing_exception"
_REASON = (
    "[1:6] failed to parse field [{}] of type [long] in document with id 'x'. "
    "Preview of field's value: 'x'"
)
_REPAIR = {"repair": "conflict_field"}
_CONFLICT = b'{"n":"x","msg":"three"}'


def _refuse(pipeline: Pipeline, marker: bytes = b'"n":"x"', field: str = "n") -> None:
    pipeline.elastic.refuse(marker, 400, _PARSING, _REASON.format(field))


def _source(pipeline: Pipeline, record: Any) -> Any:
    return json.loads(pipeline.elastic.documents()[document_id(record)])


def test_a_field_in_conflict_is_kept_beside_under_the_same_id() -> None:
    pipeline = Pipeline(route=_REPAIR)
    _refuse(pipeline)
    records = pipeline.broker.produce(TOPIC, *values(3), _CONFLICT)

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert _source(pipeline, records[3]) == {
        "sink.repaired": ["n"],
        "@timestamp": "2026-11-21T09:14:01.945Z",
        "msg": "three",
        "n_conflict": "x",
    }
    assert pipeline.dead_letters.letters == []
    assert pipeline.fates() == {"consumed": 4, "indexed": 3, "repaired": 1}
    assert len(pipeline.elastic.bodies) == 2
    assert pipeline.handoff.outstanding() == (0, 0)


def test_a_repaired_document_that_is_refused_again_is_dead_as_it_came() -> None:
    pipeline = Pipeline(route=_REPAIR)
    _refuse(pipeline)
    _refuse(pipeline, b'"msg":"three"', "msg")
    records = pipeline.broker.produce(TOPIC, *values(3), _CONFLICT)

    with running(pipeline):
        pipeline.until_all_is_committed()

    (letter,) = pipeline.dead_letters.letters
    assert letter.record is records[3]
    assert "[msg]" in letter.reason
    assert letter.attempts == 2
    assert pipeline.fates() == {"consumed": 4, "indexed": 3, "dead": 1}
    everything_is_accounted_for(pipeline)


def test_an_element_that_cannot_be_repaired_is_dead_as_it_came() -> None:
    pipeline = Pipeline(route=_REPAIR)
    _refuse(pipeline)
    _refuse(pipeline, b"three", "msg")
    pipeline.broker.produce(TOPIC, b'[{"n":"x"},%b]' % _CONFLICT)

    with running(pipeline):
        pipeline.until_all_is_committed()

    (letter,) = pipeline.dead_letters.letters
    assert letter.positions == (1,)
    assert b"sink.repaired" not in (letter.record.value() or b"")
    assert pipeline.fates() == {"consumed": 2, "repaired": 1, "dead": 1}


def test_a_document_that_is_there_repaired_is_a_duplicate_when_it_comes_again() -> None:
    before = Pipeline(route=_REPAIR)
    _refuse(before)
    records = before.broker.produce(TOPIC, _CONFLICT)
    with running(before):
        before.until_all_is_committed()
    source = _source(before, records[0])
    after = Pipeline(route=_REPAIR)
    after.elastic.indices = before.elastic.indices
    _refuse(after)
    after.broker.produce(TOPIC, _CONFLICT)

    with running(after):
        after.until_all_is_committed()

    assert after.fates() == {"consumed": 1, "duplicate": 1}
    assert _source(after, records[0]) == source


def test_documents_to_be_repaired_and_to_be_sent_again_go_together() -> None:
    pipeline = Pipeline(route=_REPAIR)
    _refuse(pipeline)
    pipeline.elastic.refuse(b'"n":1', 429, "es_rejected_execution_exception", times=1)
    pipeline.broker.produce(TOPIC, *values(3), _CONFLICT)

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert [body.count(b'"_id"') for body in pipeline.elastic.bodies] == [4, 2]
    assert pipeline.fates() == {"consumed": 4, "indexed": 3, "repaired": 1}


def test_a_bulk_that_is_halved_is_repaired_and_counted_in_its_parts() -> None:
    pipeline = Pipeline(route=_REPAIR)
    pipeline.elastic.bytes_max = 400
    _refuse(pipeline)
    pipeline.broker.produce(TOPIC, *[_CONFLICT] * 4)

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.fates() == {"consumed": 4, "repaired": 4}
    assert pipeline.handoff.outstanding() == (0, 0)


def test_parked_documents_are_repaired_when_their_index_is_well() -> None:
    pipeline = Pipeline(route=_REPAIR, park={"ms_max": 86_400_000})
    for topic in (TOPIC, OTHER, PARKED):
        pipeline.broker.create_topic(topic)
    _refuse(pipeline)
    pipeline.elastic.block(JANUARY)
    pipeline.broker.produce(TOPIC, *[_CONFLICT] * 3, timestamp_ms=0)

    with running(pipeline):
        until_aside(pipeline)
        pipeline.elastic.unblock(JANUARY)
        pipeline.until_all_is_committed()

    assert sum(pipeline.fates().get(fate, 0) for fate in ("indexed", "repaired")) == 3
    assert len(pipeline.elastic.documents()) == 3
    assert pipeline.dead_letters.letters == []


def test_a_repaired_document_that_is_parked_is_repaired_when_it_is_the_one_that_asks() -> None:
    pipeline = Pipeline(route=_REPAIR, park={"ms_max": 86_400_000})
    for topic in (TOPIC, PARKED):
        pipeline.broker.create_topic(topic)
    _refuse(pipeline)
    pipeline.elastic.refuse(b"n_conflict", 403, "cluster_block_exception", "blocked", times=2)
    pipeline.broker.produce(TOPIC, _CONFLICT)

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.fates() == {"consumed": 1, "repaired": 1}


def test_without_the_setting_nothing_is_repaired() -> None:
    pipeline = Pipeline()
    _refuse(pipeline)
    pipeline.broker.produce(TOPIC, _CONFLICT)

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.fates() == {"consumed": 1, "dead": 1}


def test_documents_dropped_by_a_rule_of_the_route_are_accounted_for() -> None:
    shape = {"drop_records": {"odd": {"n": [1, 3]}}, "add": {"env": "prod"}}
    pipeline = Pipeline(route={"shape": shape})
    pipeline.broker.produce(TOPIC, *values(5), b'[{"n":3},{"n":3}]')

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.fates() == {"consumed": 7, "indexed": 3, "dropped:odd": 4}
    assert all(b'"env":"prod"' in source for source in pipeline.elastic.documents().values())
    assert pipeline.broker.committed() == {ORDERS: 6}
    assert pipeline.handoff.outstanding() == (0, 0)


def test_a_missing_ingest_pipeline_parks_its_documents() -> None:
    """The dry run that tells whether the index is fit asks for the pipeline as well."""
    pipeline = Pipeline(route={"pipeline": "logs"}, park={"ms_max": 86_400_000})
    for topic in (TOPIC, PARKED):
        pipeline.broker.create_topic(topic)
    reason = "pipeline with id [logs] does not exist"
    pipeline.elastic.block(JANUARY, 400, "illegal_argument_exception", reason)
    pipeline.broker.produce(TOPIC, *values(3), timestamp_ms=0)

    with running(pipeline):
        wait_until(lambda: JANUARY in pipeline.handoff.parked, 10, "it to be parked")
        pipeline.elastic.unblock(JANUARY)
        pipeline.until_all_is_committed()

    named = [body.count(b'"pipeline":"logs"') for body in pipeline.elastic.bodies]
    assert named == [body.count(b'"_index"') for body in pipeline.elastic.bodies]
    assert pipeline.fates() == {"consumed": 3, "indexed": 3}
