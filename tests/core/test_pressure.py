"""
Which 429 mean that a bulk is too large for the node.
"""

import json
from pathlib import Path

import pytest

from sink.core.outcome import Reply
from sink.core.pressure import exceeds_node, may_exceed_node

_KEPT = Path(__file__).parents[1] / "fixtures" / "answers" / "indexing_pressure.json"
_TYPE = "es_rejected_execution_exception"


def _refused(own: int, most: int) -> Reply:
    reason = (
        "rejected execution of coordinating operation [coordinating_and_primary_bytes=0, "
        f"all_bytes=0, coordinating_operation_bytes={own}, max_coordinating_bytes={most}]"
    )
    return Reply(429, b"", _TYPE, reason)


def test_a_bulk_that_is_larger_than_the_node_takes_is_told_from_a_busy_node() -> None:
    assert exceeds_node(_refused(2_000_001, 2_000_000))
    assert not exceeds_node(_refused(2_000_000, 2_000_000))


@pytest.mark.parametrize(
    "reply",
    [
        Reply(429, b"", _TYPE, "rejected execution: queue capacity = 10000"),
        Reply(429),
        Reply(503, b"", _TYPE, _refused(2, 1).reason),
    ],
)
def test_other_refusals_say_nothing_of_the_size(reply: Reply) -> None:
    assert not exceeds_node(reply)


def test_the_answers_of_real_servers_are_read() -> None:
    told = {
        version: exceeds_node(Reply(kept["status"], b"", kept["error_type"], kept["reason"]))
        for version, kept in json.loads(_KEPT.read_text("utf-8")).items()
    }

    assert told == {"8.19.21": True, "9.5.3": False}  # that one was busy with another bulk


@pytest.mark.parametrize(
    ("status", "error_type", "may"),
    [
        (429, "circuit_breaking_exception", True),
        (429, _TYPE, False),
        (503, "circuit_breaking_exception", False),
        (503, "", False),
    ],
)
def test_a_node_short_of_memory_may_have_met_a_bulk_that_is_too_large(
    status: int, error_type: str, *, may: bool
) -> None:
    assert may_exceed_node(Reply(status, b"", error_type, "Data too large")) is may
