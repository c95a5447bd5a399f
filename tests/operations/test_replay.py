"""
What a replay of a range sends: what the daemon would, into the same index or a shadow one.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import orjson
import pytest

from sink.config import Config
from sink.errors import ConfigError
from sink.operations.replay import Pace, Wanted, items_of, target
from sink.operations.report import Report
from sink.testing import FakeBroker, FakeRecord, topic_id

if TYPE_CHECKING:
    from sink.edge.kafka.admin import Brokers


class Topics:
    """Brokers with one topic."""

    def topics(self) -> list[str]:
        return ["ekk-a", "other"]

    def topic_ids(self, topics: Iterable[str]) -> dict[str, str]:
        return {topic: topic_id(topic) for topic in topics}


def sent(
    *values: bytes | None, route: dict[str, Any] | None = None, shadow: str | None = None
) -> tuple[list[tuple[str, str | None]], Report]:
    report = Report()
    made = target_of(Wanted("ekk-a", 0, shadow=shadow), route)
    records = FakeBroker().produce("ekk-a", *values, leader_epoch=4)
    found = []
    for item in items_of(records, made, 5000, report):
        ((_, told),) = orjson.loads(item.action).items()
        assert told["_index"] == item.index
        found.append((item.index, told.get("_id")))
    return found, report


def target_of(wanted: Wanted, route: dict[str, Any] | None = None) -> Any:
    given = {"name": "ekk", "prefix": "ekk-", "index": {"prefix": "sag-"}} | (route or {})
    config = Config.model_validate({"routes": [given]})
    return target(config, cast("Brokers", Topics()), wanted)


def test_index_and_id_are_those_of_the_daemon() -> None:
    found, _ = sent(b'{"a":1}', b'[{"a":2},{"a":3}]')

    name = f"{topic_id('ekk-a')}-0-4"
    assert found == [
        ("sag-a_2026-11-01", f"{name}-0"),
        ("sag-a_2026-11-01", f"{name}-1-0"),
        ("sag-a_2026-11-01", f"{name}-1-1"),
    ]


def test_a_shadow_changes_the_index_and_not_the_id() -> None:
    plain, _ = sent(b'{"a":1}', b"text")
    found, _ = sent(b'{"a":1}', b"text", shadow="new-")

    assert found == [(f"new-{index}", id_) for index, id_ in plain]


def test_what_gives_no_document_is_told() -> None:
    _, report = sent(None, b'[1,{"a":1}]')

    assert report.fates == {"dropped:tombstone": 1, "refused": 1}
    (group,) = report.refusals.values()
    assert str(group.examples[0].origin) == "ekk-a/0/1"


def test_a_route_without_ids_is_only_replayed_into_a_shadow_and_has_ids_there() -> None:
    """Into the same index every document would be doubled."""
    with pytest.raises(ConfigError, match="would double"):
        sent(b"{}", route={"id": "none"})

    found, _ = sent(b"{}", route={"id": "none"}, shadow="new-")
    assert found[0][1] == f"{topic_id('ekk-a')}-0-4-0"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted("ekk-aa", 0), "no topic ekk-aa; did you mean ekk-a?"),
        (Wanted("zzz", 0), "no topic zzz; see `sink check`"),
        (Wanted("other", 0), "no route takes other"),
        (Wanted("ekk-a", 0, shadow=""), "cannot begin an index name"),
        (Wanted("ekk-a", 0, shadow="_x"), "cannot begin an index name"),
        (Wanted("ekk-a", 0, shadow="Big"), "cannot begin an index name"),
    ],
)
def test_what_cannot_be_replayed_is_refused_before_anything_is_read(
    wanted: Wanted, said: str
) -> None:
    with pytest.raises(ConfigError, match=said.replace("?", r"\?")):
        target_of(wanted)


def test_a_shadow_name_longer_than_elasticsearch_takes_is_refused() -> None:
    made = target_of(Wanted("ekk-a", 0, shadow="x" * 60), {"index": {"prefix": "p" * 200}})

    with pytest.raises(ConfigError, match="255 bytes"):
        list(items_of([FakeRecord("ekk-a", 0, 0, b"{}")], made, 10, Report()))


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    for begin, end in (
        (9, 3),
        (datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
    ):
        with pytest.raises(ConfigError, match="lies before"):
            Wanted("ekk-a", begin, end)
    Wanted("ekk-a", 3, datetime(2026, 1, 1, tzinfo=UTC))


def test_records_are_kept_to_the_rate_and_lost_time_is_not_made_up_for() -> None:
    now_s = [0.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now_s[0] += seconds

    pace = Pace(100, lambda: now_s[0], sleep)
    pace.wait(50)
    now_s[0] += 10  # a slow bulk
    pace.wait(50)
    pace.wait(100)

    assert slept == [0.5, 0.0, 1.0]
    assert pace.records_max == 100
    Pace(0, lambda: now_s[0], sleep).wait(10**6)
    assert len(slept) == 3


BY_FIELD = {"id": "field", "id_field": "k", "index": {"name": "x"}}


def test_a_route_whose_documents_are_replaced_is_replayed_with_versions_only() -> None:
    """Older documents would come into the place of newer ones."""
    with pytest.raises(ConfigError, match="older documents"):
        sent(b'{"k":1}', route=BY_FIELD | {"op_type": "index"})

    versioned = BY_FIELD | {"op_type": "index", "version": "offset"}
    for route in (BY_FIELD, versioned):
        assert sent(b'{"k":1}', route=route)[0] == [("x", "1")]
    assert sent(b'{"k":1}', route=BY_FIELD | {"op_type": "index"}, shadow="new-")[0] == [
        ("new-x", "1")
    ]


def test_a_document_knows_where_it_is_if_its_index_was_one_too_many() -> None:
    made = target_of(Wanted("ekk-a", 0), {"index": {"name": "x-{s}-%Y"}})
    records = FakeBroker().produce("ekk-a", b'{"s":"a"}', b"{}")

    items = list(items_of(records, made, 10, Report()))

    assert [(item.index, item.overflow) for item in items] == [
        ("x-a-2026", "x-overflow-2026"),
        ("x-unknown-2026", "x-overflow-2026"),
    ]
    shadow = target_of(Wanted("ekk-a", 0, shadow="n-"), {"index": {"name": "x-{s}-%Y"}})
    (item, _) = items_of(records, shadow, 10, Report())
    assert (item.index, item.overflow) == ("n-x-a-2026", None)
