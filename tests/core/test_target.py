"""
The action line of each document: its index by the record's time, its id by where it stands.
"""

from typing import Any, cast

import orjson
from hypothesis import given
from hypothesis import strategies as st

from sink.collectors.log import LOG
from sink.config import Config
from sink.core.bulk import Actions
from sink.core.collect import Run
from sink.core.record import Partition, Record
from sink.core.target import Target
from sink.routes import routes_of
from sink.testing import FakeRecord
from tests.making import documents

NOVEMBER = 1_793_491_200_000  # 2026-11-01T00:00Z
DECEMBER = 1_796_083_200_000
# (offset, time, leader epoch) of each record; epochs only grow, as they do in a partition.
STAMPS = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from([-1, 0, NOVEMBER - 1, NOVEMBER, NOVEMBER + 1, DECEMBER - 1, DECEMBER])
        | st.integers(0, 2 * DECEMBER),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=12,
)


def _target(**more: object) -> Target:
    table = {"name": "r", "prefix": "ekk-", "index": {"prefix": "sag-"}, **more}
    (route,) = routes_of(Config.model_validate({"routes": [table]}))
    return Target("ekk-order", route, "TOPICID")


def _actions(target: Target, *records: FakeRecord) -> list[dict[str, Any]]:
    last = records[-1].offset()
    run = Run(
        Partition("ekk-order", 3), cast("list[Record]", [*records]), records[0].offset(), last + 1
    )
    return list(map(orjson.loads, target.actions(run, documents(run, LOG)).lines))


def _record(offset: int, time_ms: int = NOVEMBER, epoch: int | None = 0, **more: Any) -> FakeRecord:
    value = more.pop("value", b"{}")
    return FakeRecord(
        "ekk-order", 3, offset, value, timestamp_ms=time_ms, leader_epoch=epoch, **more
    )


def test_index_and_id_say_topic_partition_epoch_and_offset() -> None:
    assert _actions(_target(), _record(7, epoch=5), _record(8, epoch=5)) == [
        {"create": {"_index": "sag-order_2026-11-01", "_id": f"TOPICID-3-5-{offset}"}}
        for offset in (7, 8)
    ]


def test_records_on_both_sides_of_a_months_end_go_to_both_indices() -> None:
    actions = _actions(_target(), _record(7, DECEMBER - 1), _record(8, DECEMBER), _record(9))

    assert [action["create"]["_index"] for action in actions] == [
        "sag-order_2026-11-01",
        "sag-order_2026-12-01",
        "sag-order_2026-11-01",
    ]


def test_the_documents_of_each_index_are_counted() -> None:
    times = [NOVEMBER - 1, NOVEMBER, NOVEMBER, DECEMBER, DECEMBER, DECEMBER]
    records: list[Record] = [_record(7 + n, time_ms) for n, time_ms in enumerate(times)]
    run = Run(Partition("ekk-order", 3), records, 7, 13)

    bounds = _target().actions(run, documents(run, LOG)).bounds

    assert [(bound.index, count) for bound, count in bounds] == [
        ("sag-order_2026-10-01", 1),
        ("sag-order_2026-11-01", 2),
        ("sag-order_2026-12-01", 3),
    ]
    assert {(bound.topic, bound.topic_id) for bound, _ in bounds} == {("ekk-order", "TOPICID")}


def test_after_a_truncation_the_same_offset_is_another_document() -> None:
    before = _actions(_target(), _record(7, epoch=1), _record(8, epoch=1))
    after = _actions(_target(), _record(7, epoch=1), _record(8, epoch=2))

    assert before[0] == after[0]
    assert before[1]["create"]["_id"] == "TOPICID-3-1-8"
    assert after[1]["create"]["_id"] == "TOPICID-3-2-8"


def test_a_broker_that_tells_no_leader_epoch_gives_ids_all_the_same() -> None:
    (action,) = _actions(_target(), _record(7, epoch=None))

    assert action["create"]["_id"] == "TOPICID-3-0-7"


def test_a_record_without_a_time_is_undated_wherever_it_stands() -> None:
    timed, untimed = _record(7), FakeRecord("ekk-order", 3, 8, b"{}", timestamp_ms=None)

    assert [a["create"]["_index"] for a in _actions(_target(), timed, untimed)] == [
        "sag-order_2026-11-01",
        "sag-order_undated",
    ]
    assert _actions(_target(), untimed)[0]["create"]["_index"] == "sag-order_undated"


def test_the_documents_of_one_record_share_its_index_and_differ_in_their_ids() -> None:
    actions = _actions(_target(), _record(7, value=b'[{"a":1},17,{"b":2}]'), _record(8))

    assert [action["create"]["_id"] for action in actions] == [
        "TOPICID-3-0-7-0",
        "TOPICID-3-0-7-2",
        "TOPICID-3-0-8",
    ]


def test_elasticsearch_picks_the_ids_where_the_route_says_so() -> None:
    (action,) = _actions(_target(id="none", op_type="index"), _record(7))

    assert action == {"index": {"_index": "sag-order_2026-11-01"}}


def test_a_run_that_gave_no_document_has_no_action() -> None:
    run = Run(Partition("ekk-order", 3), cast("list[Record]", [_record(7, value=b"")]), 7, 8)

    assert _target().actions(run, documents(run, LOG)) == Actions([], [])


@given(STAMPS, st.sampled_from(["day", "week", "month"]), st.sampled_from(["UTC", "Asia/Tokyo"]))
def test_a_record_read_again_in_any_company_has_the_same_index_and_id(
    stamps: list[tuple[int, int, int]], period: str, zone: str
) -> None:
    """
    A second reading begins elsewhere and is cut elsewhere. Any difference would make a duplicate.
    """
    index = {"prefix": "sag-", "period": period, "zone": zone}
    together, alone = _target(index=index), _target(index=index)
    offset = epoch = 0
    records = []
    for step, time_ms, raised in stamps:
        offset, epoch = offset + step, epoch + raised
        records.append(_record(offset, time_ms, epoch))

    actions = _actions(together, *records)

    assert actions == [_actions(alone, record)[0] for record in records]
    assert actions == [_actions(_target(index=index), record)[0] for record in records]
