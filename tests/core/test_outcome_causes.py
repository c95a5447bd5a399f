"""
What an operator is told of a refusal, and of an answer that tells nothing.
"""

from typing import Any

import pytest
from elastic_transport import ConnectionTimeout

from sink.core.outcome import NO_ANSWER_IN_TIME, Outcome, Reply, Verdict, judge, judge_items
from tests.core.test_outcome import _body, _item


@pytest.mark.parametrize(
    ("item", "verdict"),
    [
        (_item(201), Verdict(Outcome.INDEXED)),
        (_item(200), Verdict(Outcome.DROPPED, "ingest_pipeline")),
        (_item(302), Verdict(Outcome.RETRY, "status_302", "unknown answer")),
        (_item(201, "odd"), Verdict(Outcome.RETRY, "odd", "because")),
        (_item(400), Verdict(Outcome.UNCLEAR)),
        (
            _item(201, failure_store="used"),
            Verdict(Outcome.DEAD, "failure_store", "kept in the failure store"),
        ),
        (
            _item(201, "odd", failure_store="used"),
            Verdict(Outcome.DEAD, "odd", "kept in the failure store"),
        ),
        (_item(201, failure_store="not_enabled"), Verdict(Outcome.INDEXED)),
    ],
)
def test_whoever_looks_for_the_cause_is_told_it(item: dict[str, Any], verdict: Verdict) -> None:
    assert judge_items(_body(item), 1) == [verdict]


def test_of_what_nothing_is_known_nothing_is_said() -> None:
    assert Reply(0) == Reply(0, b"", "", "", None)
    assert Verdict(Outcome.INDEXED) == Verdict(Outcome.INDEXED, "", "")


def test_the_error_of_an_answer_that_did_not_come_in_time_is_known_by_its_name() -> None:
    assert ConnectionTimeout.__name__ == NO_ANSWER_IN_TIME


def test_a_refusal_says_its_type_its_reason_and_the_cause() -> None:
    error = {"type": "a", "reason": "failed to parse", "caused_by": {"reason": "For input: x"}}
    verdicts = judge_items(_body({"create": {"status": 400, "error": error}}), 1)

    assert verdicts is not None
    assert (verdicts[0].error_type, verdicts[0].reason) == ("a", "failed to parse: For input: x")


def test_an_answer_that_tells_nothing_is_shown_by_its_beginning() -> None:
    answer = judge(Reply(200, b"<html>proxy</html>" + b"x" * 100_000), 2)

    assert "not of 2 items" in answer.reply.reason
    assert "<html>proxy</html>" in answer.reply.reason
    assert len(answer.reply.reason) < 300
