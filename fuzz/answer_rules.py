"""
An independent judge of bulk answers: what may count as success, and what may be given up.

It parses every answer and knows nothing of how the sink judges.
Source: Elasticsearch 8.19, "Bulk API", items[].<op>.status and .error.type.
"""

import json
import sys
from typing import Any, NamedTuple

from fuzz.broken import must
from sink.core.outcome import Answer, Outcome, Request

_DEPTH_MAX = 20_000
_CONFLICT = "version_conflict_engine_exception"
_GIVEN_UP = frozenset({Outcome.DEAD, Outcome.UNCLEAR})
_SUCCESS = frozenset({Outcome.INDEXED, Outcome.DUPLICATE, Outcome.DROPPED})


class Item(NamedTuple):
    """
    What an answer says of one document.
    """

    op_type: str
    status: int
    error: Any
    failure_store: Any


def check_answer(answer: Answer, documents: int) -> None:
    """
    Hold the sink's judgement against what the answer says.

    Raises:
        Broken: A document counts as done, or is given up, without Elasticsearch saying so.
    """
    reply = answer.reply
    if answer.request is not Request.ANSWERED:
        _check_refused(answer)
        return
    must(reply.status == 200, f"status {reply.status} is no answer to a bulk")
    items = items_of(reply.body)
    told = f"{documents} documents, {reply.body[:600]!r}"
    must(items is not None, f"an answer that cannot be read settles documents: {told}")
    assert items is not None
    must(len(items) == documents, f"{len(items)} items settle {told}")
    verdicts = answer.verdicts
    outcomes = [Outcome.INDEXED] * documents if verdicts is None else [v.outcome for v in verdicts]
    must(len(outcomes) == documents, f"{len(outcomes)} verdicts of {told}")
    for outcome, item in zip(outcomes, items, strict=True):
        must(outcome not in _SUCCESS or outcome is success(item), f"{item} counts as {outcome}")
        must(outcome not in _GIVEN_UP or may_be_given_up(item), f"{item} is given up as {outcome}")


def items_of(body: bytes) -> list[Item] | None:
    """
    Read the items of an answer; None where it is no answer of a bulk.
    """
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(_DEPTH_MAX)
    try:
        return [_item(each) for each in json.loads(body)["items"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    finally:
        sys.setrecursionlimit(limit)


def success(item: Item) -> Outcome | None:
    """
    Tell what kind of success an item is; None where it is none.
    """
    if item.failure_store == "used":
        return None
    if item.error is not None:
        conflict = isinstance(item.error, dict) and item.error.get("type") == _CONFLICT
        # Of `index` it is one with an external version: what is there is as new, or newer.
        there = conflict and item.status == 409 and item.op_type in ("create", "index")
        return Outcome.DUPLICATE if there else None
    return {
        (201, "create"): Outcome.INDEXED,
        (201, "index"): Outcome.INDEXED,
        (200, "index"): Outcome.INDEXED,
        (200, "create"): Outcome.DROPPED,
    }.get((item.status, item.op_type))


def may_be_given_up(item: Item) -> bool:
    """
    Tell whether an item may be a document's own fault. A busy or broken server never is.
    """
    broken = item.status == 429 or item.status >= 500
    refused = item.error is not None or item.status >= 400
    return (refused and not broken) or item.failure_store == "used"


def _check_refused(answer: Answer) -> None:
    must(not answer.verdicts, f"verdicts in an answer that is none: {answer}")
    halved = answer.request is Request.HALVE
    must(not halved or answer.reply.status in (400, 413), f"halved for {answer.reply}")
    # Halving finds a document alone, and gives it up.
    must(halved or answer.reply.status != 413, f"too large, and sent again as it is: {answer}")


def _item(told: Any) -> Item:
    ((op_type, result),) = told.items()
    if type(result["status"]) is not int:
        raise TypeError(result)
    return Item(op_type, result["status"], result.get("error"), result.get("failure_store"))
