"""
A field that holds something else in each record makes no index a record.
"""

from collections.abc import Mapping
from typing import Any

import pytest
import structlog

from sink.errors import Unauthorized, Unavailable
from tests.flow.pipeline import (
    ORDERS,
    Pipeline,
    everything_is_accounted_for,
    running,
)
from tests.waiting import wait_until

ROUTE = {"index": {"name": "logs-{service}-%Y", "new_per_hour_max": 3}}


def services(begin: int, end: int) -> list[bytes]:
    return [b'{"service":"s%d","n":%d}' % (n, n) for n in range(begin, end)]


def _names(pipeline: Pipeline) -> dict[str, int]:
    return {index: len(held) for index, held in pipeline.elastic.indices.items() if held}


def test_what_is_beyond_the_cap_goes_to_one_index_and_is_counted_and_told() -> None:
    pipeline = Pipeline(route=ROUTE)
    pipeline.broker.produce(ORDERS.topic, *services(0, 20))
    with structlog.testing.capture_logs() as logs, running(pipeline):
        pipeline.until_all_is_committed()
        pipeline.broker.produce(ORDERS.topic, *services(0, 5))
        pipeline.until_all_is_committed()

        found = _names(pipeline)
        assert len(found) == 4
        assert found["logs-overflow-2026"] == 25 - sum(
            found[index] for index in found if index != "logs-overflow-2026"
        )
        assert pipeline.fates()["displaced:overflow"] == found["logs-overflow-2026"]
        assert pipeline.fates()["indexed"] == 25
        everything_is_accounted_for(pipeline)
    told = [each for each in logs if "too many new indices" in each["event"]]
    assert [(each["log_level"], each["instead"]) for each in told] == [
        ("error", "logs-overflow-2026")
    ]


def test_indices_that_are_there_already_are_not_new() -> None:
    """After a restart all names are unknown to the sink, and none of them is new."""
    pipeline = Pipeline(route=ROUTE)
    for n in range(20):
        pipeline.elastic.indices[f"logs-s{n}-2026"] = {}
    pipeline.broker.produce(ORDERS.topic, *services(0, 20))
    with running(pipeline):
        pipeline.until_all_is_committed()

        assert _names(pipeline) == {f"logs-s{n}-2026": 1 for n in range(20)}
        assert len(pipeline.indices.asked) == 20


def test_a_name_is_asked_for_once() -> None:
    pipeline = Pipeline(route=ROUTE)
    pipeline.broker.produce(ORDERS.topic, *services(0, 3))
    with running(pipeline):
        pipeline.until_all_is_committed()
        pipeline.broker.produce(ORDERS.topic, *services(0, 3))
        pipeline.until_all_is_committed()

        assert sorted(pipeline.indices.asked) == [f"logs-s{n}-2026" for n in range(3)]


def test_where_it_may_not_be_asked_nothing_is_held_back_and_it_is_said_once() -> None:
    pipeline = Pipeline(route=ROUTE)
    pipeline.indices.failure = Unauthorized("view_index_metadata")
    pipeline.broker.produce(ORDERS.topic, *services(0, 10))
    with structlog.testing.capture_logs() as logs, running(pipeline):
        pipeline.until_all_is_committed()
        pipeline.broker.produce(ORDERS.topic, *services(10, 20))
        pipeline.until_all_is_committed()

        assert len(_names(pipeline)) == 20
    assert len([each for each in logs if "are not limited" in each["event"]]) == 1


def test_while_nobody_answers_the_documents_wait() -> None:
    pipeline = Pipeline(route=ROUTE)
    pipeline.indices.failure = Unavailable("away")
    pipeline.broker.produce(ORDERS.topic, *services(0, 2))
    with running(pipeline):
        wait_until(lambda: len(pipeline.indices.asked) > 4, 20, "it to be asked again")
        assert pipeline.elastic.indices == {}

        pipeline.indices.failure = None
        pipeline.until_all_is_committed()
        assert len(_names(pipeline)) == 2


@pytest.mark.parametrize("route", [{}, {"index": {"prefix": "sag-"}}])
def test_routes_without_a_cap_ask_nothing(route: Mapping[str, Any]) -> None:
    pipeline = Pipeline(route=route)
    pipeline.broker.produce(ORDERS.topic, *services(0, 5))
    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.indices.asked == []


def test_documents_without_the_field_or_a_believed_time_are_counted_and_told_once() -> None:
    route = {"index": {"name": "logs-{service}-%Y", "time_field": "at"}}
    pipeline = Pipeline(route=route)
    pipeline.broker.produce(ORDERS.topic, b"{}", b'{"service":"a","at":0}')
    with structlog.testing.capture_logs() as logs, running(pipeline):
        pipeline.until_all_is_committed()
        pipeline.broker.produce(ORDERS.topic, b"{}", b'{"service":17,"at":"2026-11-01"}')
        pipeline.until_all_is_committed()

        fates = pipeline.fates()
        assert (fates["displaced:unknown"], fates["displaced:undated"]) == (3, 1)
        assert fates["indexed"] == fates["consumed"] == 4
        everything_is_accounted_for(pipeline)
    told = [each["index"] for each in logs if "another index" in each["event"]]
    assert sorted(told) == ["…undated…", "…unknown…"]
