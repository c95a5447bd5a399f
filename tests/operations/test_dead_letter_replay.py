"""
What is sent for a dead letter: under which index and id, and what cannot be sent.
"""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from sink.config import Config
from sink.core.dead_letter import DeadLetter
from sink.operations.dead_letter_replay import Planner
from sink.operations.dead_letters import Letter
from sink.operations.report import Report
from sink.routes import routes_of
from sink.testing import FakeRecord
from tests.making import stamped
from tests.operations.making import TOPIC_ID, letter, message, opened, refused, rejected

_ROUTE = {"name": "ekk", "prefix": "ekk-", "index": {"prefix": "sag-"}}
_ID = f"{TOPIC_ID}-0-2-5"


def planned(
    written: DeadLetter | Letter, route: Mapping[str, Any] | None = None
) -> tuple[list[tuple[str, str, str, bytes]], Report]:
    """What is sent, as (operation, index, id, source)."""
    report = Report()
    config = Config.model_validate({"routes": [_ROUTE | dict(route or {})]})
    planner = Planner(routes_of(config), 5000, report)
    sent = []
    given = letter(written) if isinstance(written, DeadLetter) else written
    for item in planner.items(given):
        ((operation, target),) = orjson.loads(item.action).items()
        assert target["_index"] == item.index
        sent.append((operation, item.index, target["_id"], item.source))
    return sent, report


def test_a_refused_document_gets_the_index_and_id_it_had() -> None:
    """Also when the route names another index today: there it would be a second document."""
    sent, _ = planned(refused(), {"index": {"prefix": "other-"}})

    assert sent == [("create", "sag-a_2026-11-01", _ID, *stamped(b'{"logtime":"garbage"}'))]


def test_a_letter_goes_through_the_pipeline_of_its_route_and_is_shaped_by_it() -> None:
    route = {"pipeline": "p", "shape": {"rename": {"logtime": "when"}}}
    planner = Planner(
        routes_of(Config.model_validate({"routes": [_ROUTE | route]})), 5000, Report()
    )
    element = refused(b'{"when":1}', positions=(3,), id=f"{_ID}-3")

    (whole,), (part,) = planner.items(letter(refused())), planner.items(letter(element))

    assert whole.action == b'{"create":{"pipeline":"p","_index":"sag-a_2026-11-01","_id":"%b"}}' % (
        _ID.encode()
    )
    assert b'"when":"garbage"' in whole.source
    assert b'"pipeline":"p"' in part.action
    assert part.source == b'{"when":1}'


def test_a_refused_record_is_collected_again_before_it_is_sent() -> None:
    """The letter holds the record as it came: a text is no document."""
    ((_, _, name, source),), _ = planned(refused(b"plain text"))

    assert name == _ID
    assert orjson.loads(source)["msg"] == "plain text"


def test_one_element_of_an_array_is_sent_as_it_is_under_its_own_id() -> None:
    element = refused(b'{"n":1,\n"m":2}', id=f"{_ID}-3", positions=(3,))

    sent, _ = planned(element)

    assert sent == [("create", "sag-a_2026-11-01", f"{_ID}-3", b'{"n":1, "m":2}')]


def test_a_record_the_collector_refused_gets_index_and_id_as_from_the_daemon() -> None:
    sent, _ = planned(rejected(b'{"a":1}'))

    assert sent == [("create", "sag-a_2026-11-01", _ID, *stamped(b'{"a":1}'))]


def test_of_an_array_only_the_elements_of_the_letter_are_sent() -> None:
    sent, report = planned(rejected(b'[{"n":0},{"n":1},2,3]', positions=(1, 2)))

    assert [(name, source) for _, _, name, source in sent] == [(f"{_ID}-1", *stamped(b'{"n":1}'))]
    assert report.fates == {"refused": 1}
    ((_, error_type),) = report.refusals
    assert error_type == "not_an_object"


def test_documents_without_ids_get_one_so_that_a_second_replay_adds_nothing() -> None:
    route = {"id": "none"}

    (whole,), _ = planned(refused(id=None), route)
    (element,), _ = planned(refused(b'{"n":1}', id=None, positions=(3,)), route)

    assert (whole[2], element[2]) == (_ID, f"{_ID}-3")


def test_the_operation_is_the_routes() -> None:
    for written in (refused(), refused(b'{"n":1}', positions=(3,))):
        (sent,), _ = planned(written, {"op_type": "index"})

        assert sent[0] == "index"


def test_an_element_needs_no_route_for_it_is_a_document_already() -> None:
    gone = refused(record=FakeRecord("gone", 0, 5, b'{"n":1}'), positions=(3,))

    assert [sent[:2] for sent in planned(gone)[0]] == [("create", "sag-a_2026-11-01")]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (refused(topic_id="", id=None), "no topic id"),
        (refused(record=FakeRecord("gone", 0, 5, b"{}")), "no route takes topic gone"),
        (refused(b"[1]", positions=(0,)), "no JSON object"),
    ],
)
def test_what_cannot_be_replayed_is_counted_with_its_reason(written: DeadLetter, why: str) -> None:
    sent, report = planned(written)

    assert sent == []
    assert report.fates == {"not_replayable": 1}
    ((said, documents),) = report.not_replayable.items()
    assert why in said and documents == 1
    assert not report.ok


def test_a_stub_is_never_sent() -> None:
    """Its value is the beginning of a document: as text it would be a document nobody wrote."""
    written = rejected(b"x" * 100)
    value, told = written.stub()
    record = message(written)
    stub = FakeRecord("dlq", 0, 0, value, headers=[*(record.headers() or []), *told])

    sent, report = planned(opened(stub))

    assert sent == []
    ((said, _),) = report.not_replayable.items()
    assert "only the beginning" in said


def test_a_record_that_is_dropped_by_rule_today_is_told_so() -> None:
    sent, report = planned(rejected(b"[]"))

    assert sent == []
    assert report.fates == {"dropped:empty_array": 1}


_BY_FIELD = {"id": "field", "id_field": "k", "op_type": "index", "version": "offset"}


def test_documents_that_bring_their_ids_keep_them_and_the_version_of_their_offset() -> None:
    report = Report()
    config = Config.model_validate({"routes": [_ROUTE | _BY_FIELD]})
    planner = Planner(routes_of(config), 5000, report)
    letters = [
        refused(b'{"k":"a"}', id="a"),
        refused(b'{"k":"b"}', id="b", positions=(1,)),
        rejected(b'[{"k":"c"},{"k":"d"}]', error_type="id_missing", positions=(0,)),
    ]

    items = [item for each in letters for item in planner.items(letter(each))]

    told = [orjson.loads(item.action)["index"] for item in items]
    assert [(each["_id"], each["version"]) for each in told] == [("a", 5), ("b", 5), ("c", 5)]


def test_a_document_that_still_has_no_id_is_told_so() -> None:
    sent, report = planned(rejected(b'{"n":1}', error_type="id_missing"), _BY_FIELD)

    assert sent == []
    assert report.fates == {"refused": 1}
