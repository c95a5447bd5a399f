"""
What an answer of Elasticsearch means for a request and for each document in it.

One function a scope, one table row a cause. Unknown answers are never success.
Source: Elasticsearch 8.19, "Bulk API", items[].<op>.status and .error.type; each row was seen on
the real server (tests/fixtures/answers) or stands in its documentation.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import orjson


class Outcome(StrEnum):
    """
    What became of one document.
    """

    INDEXED = "indexed"
    DUPLICATE = "duplicate"  # the id is there already, of an earlier delivery or a newer record
    DROPPED = "dropped"  # by an ingest pipeline of the cluster
    RETRY = "retry"  # the document, by itself
    PARK = "park"  # its index takes none: its documents wait together, and one of them asks again
    UNCLEAR = "unclear"  # of the document or of its index: a probe of the index tells
    DEAD = "dead"


class Request(StrEnum):
    """
    What to do with a request as a whole.
    """

    ANSWERED = "answered"  # each document has an answer of its own
    RETRY = "retry"  # nothing is known to have been done: send it again
    UNAUTHORIZED = "unauthorized"  # send it again, and tell that the credentials are refused
    HALVE = "halve"  # too large, or one document spoils it: send it in two parts
    SLOW = "slow"  # no answer in time, while others got theirs: one of its indices is not fit


@dataclass(frozen=True, slots=True)
class Reply:
    """
    What came back for a request, whatever it was.

    Args:
        status: The HTTP status; 0 when none came back (refused, reset, timed out).
        body: The raw answer.
        error_type: Elasticsearch's error.type, or the kind of transport error.
        reason: One sentence.
        retry_after_s: Seconds of the Retry-After header, where it was given.
    """

    status: int
    body: bytes = b""
    error_type: str = ""
    reason: str = ""
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    The outcome of one document, with what Elasticsearch said where it was refused.
    """

    outcome: Outcome
    error_type: str = ""
    reason: str = ""


NO_ANSWER_IN_TIME = "ConnectionTimeout"  # elastic_transport's name for it
INDEXED = Verdict(Outcome.INDEXED)
_DUPLICATE = Verdict(Outcome.DUPLICATE)
_PIPELINE_DROP = Verdict(Outcome.DROPPED, "ingest_pipeline", "dropped by an ingest pipeline")

# A request-level 400 that a single document can cause: one of these is worth bisecting for. Any
# other 400 (an unknown path, a refused media type) would refuse every document alike.
_SPOILED_BY_A_DOCUMENT = frozenset(
    {
        "action_request_validation_exception",
        "illegal_argument_exception",
        "json_parse_exception",
        "parse_exception",
        "parsing_exception",
        "x_content_parse_exception",
        "x_content_e_o_f_exception",
    }
)

_BLOCK = "cluster_block_exception"
_CONFLICT = "version_conflict_engine_exception"

# What `filter_path` leaves of a document that was created.
_CREATED = tuple(b'{"%b":{"status":201}}' % op_type for op_type in (b"create", b"index"))

# Item errors that are not of the document but of its index: waiting may mend them, and every
# other document of that index would meet the same. Dead-lettering them would empty a whole index
# into the dead letters.
_OF_THE_INDEX = frozenset(
    {
        _BLOCK,  # 403 write or read-only; 429 at the flood stage of the disk
        "index_closed_exception",
        "index_not_found_exception",  # auto-create is off; a data stream takes no `index` action
        "invalid_alias_name_exception",
        "invalid_index_name_exception",
        "no_shard_available_action_exception",
        "security_exception",
        "unavailable_shards_exception",
        "validation_exception",  # the limit of shards
    }
)

# 404 of a shard that moves, starts or fails: it is elsewhere or well in a moment. Source:
# Elasticsearch, ShardNotFoundException and IllegalIndexShardStateException with its subclasses.
_OF_A_SHARD = frozenset(
    {
        "illegal_index_shard_state_exception",
        "index_shard_closed_exception",
        "index_shard_not_recovering_exception",
        "index_shard_not_started_exception",
        "index_shard_recovering_exception",
        "index_shard_relocated_exception",
        "index_shard_started_exception",
        "shard_not_found_exception",  # seen while a shard failed on a full disk
        "shard_not_in_primary_mode_exception",
    }
)

# Item errors that are of the document and of nothing else: no other document would meet the same.
_OF_THE_DOCUMENT = frozenset(
    {
        "document_parsing_exception",
        "mapper_parsing_exception",
        "max_bytes_length_exceeded_exception",
        "strict_dynamic_mapping_exception",
        "x_content_e_o_f_exception",  # read by an ingest pipeline: no JSON, or a field twice
        "x_content_parse_exception",
    }
)

# Of the document (a number became an object), or of the index (an alias without write index, a
# missing pipeline). Where it names a cause, the type of that tells which.
_AMBIGUOUS = "illegal_argument_exception"


def judge_request(reply: Reply) -> Request:
    """
    Judge a reply as a whole.
    """
    if reply.status == 200:
        return Request.ANSWERED
    if reply.status == 401 or (reply.status == 403 and reply.error_type == "security_exception"):
        return Request.UNAUTHORIZED
    if reply.status == 413:
        return Request.HALVE
    if reply.status == 400 and reply.error_type in _SPOILED_BY_A_DOCUMENT:
        return Request.HALVE
    return Request.RETRY


@dataclass(frozen=True, slots=True)
class Answer:
    """
    A judged reply.

    Args:
        verdicts: One a document, by position; None when all were created.
    """

    request: Request
    reply: Reply
    verdicts: list[Verdict] | None = None


def judge(reply: Reply, documents: int) -> Answer:
    """
    Judge a reply: the request first, then each document.
    """
    request = judge_request(reply)
    if request is not Request.ANSWERED or all_created(reply.body, documents):
        return Answer(request, reply)
    verdicts = judge_items(reply.body, documents)
    if verdicts is None:
        reason = f"the answer is cut, unparsable or not of {documents} items: {reply.body[:200]!r}"
        return Answer(Request.RETRY, replace(reply, error_type="bad_answer", reason=reason))
    return Answer(request, reply, verdicts)


def all_created(answer: bytes, documents: int) -> bool:
    """
    Tell whether a filtered answer says that each document was created, without parsing it.

    Cost: 0.02 µs a document; parsing it takes 0.6. `filter_path` leaves one `"status":201` for
    each good item and nothing else: any other byte gives False, and the answer is parsed.
    """
    begin, end, apart = b'{"errors":false,"items":[', b"]}", b","
    return any(answer == begin + apart.join([item] * documents) + end for item in _CREATED)


def judge_items(answer: bytes, documents: int) -> list[Verdict] | None:
    """
    Judge each document of an answered bulk, by position.

    Args:
        answer: The raw body of a 200.
        documents: How many were sent.
    Returns:
        One verdict a document; None when the answer is cut, unparsable or of another length: then
        nothing is known, and the bulk is sent again.
    """
    try:
        verdicts = [_judge_item(item) for item in _parsed(answer)["items"]]
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        return None
    return verdicts if len(verdicts) == documents else None


def _parsed(answer: bytes) -> Any:
    """
    Parse an answer, also one that quotes half a surrogate pair out of a document.

    Elasticsearch takes the escape of a lone surrogate in a document and repeats it in its reason.
    orjson refuses that, so one such document would have its whole bulk sent again for ever.
    """
    try:
        return orjson.loads(answer)
    except orjson.JSONDecodeError:
        return json.loads(answer)


def _judge_item(item: dict[str, dict[str, Any]]) -> Verdict:
    ((op_type, result),) = item.items()
    status, error = result["status"], result.get("error")
    if type(status) is not int:
        raise TypeError(f"status {status!r} of an item is not a whole number")
    # An error without a type is an error all the same: never success.
    error_type = "" if error is None else _encodable(str(error.get("type") or "untyped_error"))
    reason = "" if error is None else _reason_of(error)
    if result.get("failure_store") == "used":
        return Verdict(Outcome.DEAD, error_type or "failure_store", "kept in the failure store")
    blamed = _cause_of(error) if error and error_type == _AMBIGUOUS else error_type
    for fits, verdict in _ITEM_TABLE:
        if fits(status, op_type, blamed):
            return Verdict(verdict.outcome, error_type or verdict.error_type, reason)
    return Verdict(Outcome.RETRY, error_type or f"status_{status}", reason or "unknown answer")


def _cause_of(error: dict[str, Any]) -> str:
    cause = error.get("caused_by")
    return str(cause.get("type") or _AMBIGUOUS) if isinstance(cause, dict) else _AMBIGUOUS


def _reason_of(error: dict[str, Any]) -> str:
    reason, cause = error.get("reason") or "", error.get("caused_by")
    whole = f"{reason}: {cause.get('reason') or ''}" if isinstance(cause, dict) else str(reason)
    return _encodable(whole)


def _encodable(text: str) -> str:
    # What has no UTF-8 can be neither logged nor put into a header.
    return text.encode(errors="replace").decode()


_OP_TYPES = ("create", "index")
_Row = tuple[Callable[[int, str, str], bool], Verdict]

# The first row that fits decides. Arguments: status, op_type, error.type (or that of its cause).
_ITEM_TABLE: tuple[_Row, ...] = (
    (lambda status, op, error: status == 201 and op in _OP_TYPES and not error, INDEXED),
    (lambda status, op, error: status == 200 and op == "index" and not error, INDEXED),
    (lambda status, op, error: status == 200 and op == "create" and not error, _PIPELINE_DROP),
    # An ingest pipeline may answer 409 too (a model that is not deployed): that is no duplicate.
    # Of `index` it is one with an external version: what is there is newer.
    (
        lambda status, op, error: status == 409 and error == _CONFLICT and op in _OP_TYPES,
        _DUPLICATE,
    ),
    # Lost in the midst of a bulk, the master is missing to every index alike.
    (lambda status, _, error: status == 503 and error == _BLOCK, Verdict(Outcome.RETRY)),
    (lambda _, __, error: error in _OF_THE_INDEX, Verdict(Outcome.PARK)),
    (lambda status, _, __: status == 429 or status >= 500, Verdict(Outcome.RETRY)),
    (lambda _, __, error: error in _OF_A_SHARD, Verdict(Outcome.RETRY)),
    (lambda _, __, error: error in _OF_THE_DOCUMENT, Verdict(Outcome.DEAD)),
    (lambda status, _, __: 400 <= status < 500, Verdict(Outcome.UNCLEAR)),
)
