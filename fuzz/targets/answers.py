"""
Answers of any status, headers and body to a bulk, through the client to the verdicts.

An input: `<documents> <status>`, header lines, an empty line, the body.
"""

import json
import math
import random
from typing import Any

from fuzz.answer_rules import check_answer
from fuzz.answering import answered
from fuzz.broken import must
from fuzz.inputs import fields, headed
from fuzz.json_mutation import mutated
from fuzz.letters import check_letter
from fuzz.targets import Raw
from sink.core.body import Body
from sink.core.bulk import Bound, Bulk, Section
from sink.core.letters import letters_of_dead, letters_of_parked
from sink.core.offsets import Ticket
from sink.core.outcome import INDEXED, Answer, Outcome, Reply, Request, Verdict, judge
from sink.core.record import Partition, Record
from sink.core.sorting import sort
from sink.edge.retry import Backoff
from sink.testing import FakeRecord

_DOCUMENTS_MAX = 12
_TOPIC = "log-order"
_BACKOFF = Backoff(200, 30_000)
_WAIT_MAX_S = 600
_GOOD = b'2 200\n\n{"errors":false,"items":[{"create":{"status":201}},{"index":{"status":201}}]}'


def one(data: bytes) -> None:
    """
    Hold what must be true of any answer.
    """
    head, _, body = data.partition(b"\n\n")
    words, lines = headed(head)
    documents, status = words.number(0, 1, _DOCUMENTS_MAX, 1), words.number(1, 100, 999, 200)
    bulk = _bulk(documents)
    headers = {
        name: (value or b"").decode(errors="surrogateescape") for name, value in fields(lines)
    }
    reply = answered(status, headers, body, bulk.body())
    must(
        reply.status == status or not _is_told(status, headers),
        f"a refusal with status {status} is taken for no answer at all: {reply}",
    )
    wait_s = _BACKOFF.seconds(1, reply.retry_after_s)
    must(math.isfinite(wait_s) and 0 <= wait_s <= _WAIT_MAX_S, f"a wait of {wait_s} s")
    for each in (reply, Reply(status, body)):
        answer = judge(each, documents)
        check_answer(answer, documents)
        if answer.request is Request.ANSWERED:
            _check_sorted(bulk, answer)
        elif answer.request is Request.HALVE:
            _check_given_up(bulk, answer.reply)


def mutate(data: bytes, size_max: int, seed: int, raw: Raw) -> bytes:
    """
    Change the parsed body, and now and then any byte.
    """
    chance = random.Random(seed)  # noqa: S311  not for secrets
    head, _, body = data.partition(b"\n\n")
    if chance.random() < 0.3:
        return raw(data, size_max)
    try:
        answer = mutated(json.loads(body), chance)
        changed = json.dumps(answer, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return _GOOD if chance.random() < 0.1 else raw(data, size_max)
    if chance.random() < 0.5:
        first, _, rest = head.partition(b"\n")
        status = first.partition(b" ")[2] or b"200"
        head = b"\n".join(filter(None, [b"%d %b" % (_items(answer), status), rest]))
    whole = head + b"\n\n" + changed
    return whole if len(whole) <= size_max else raw(data, size_max)


def _is_told(status: int, headers: dict[str, str]) -> bool:
    """
    Tell whether the client tells of a status: of a refusal in text or some application's format.
    """
    kinds = [
        value.partition("/")[0] for name, value in headers.items() if name.lower() == "content-type"
    ]
    return status >= 300 and set(kinds) <= {"application", "text"}


def _items(answer: Any) -> int:
    items = answer.get("items") if isinstance(answer, dict) else None
    return len(items) if isinstance(items, list) else 1


def _check_sorted(bulk: Bulk, answer: Answer) -> None:
    """
    Hold that each document goes one way, and that a letter can be written of each.
    """
    verdicts = [INDEXED] * len(bulk) if answer.verdicts is None else answer.verdicts
    for fit in (False, True):
        found = sort(bulk, verdicts, index_is_fit=fit)
        ways = [*found.dead, *found.again, *found.parked, *found.unclear]
        must(len(ways) == len(set(ways)), f"a document goes two ways: {found}")
        must(len(ways) + found.fates.total() == len(bulk), f"of {len(bulk)} documents: {found}")
        refused = {position: verdicts[position] for position in ways}
        for letter in letters_of_dead(bulk, refused, 1):
            check_letter(letter)
    for verdict in verdicts:
        for letter in letters_of_parked(bulk.part([0]), verdict):
            check_letter(letter)


def _check_given_up(bulk: Bulk, reply: Reply) -> None:
    """
    Hold that a letter can be written of a document that is refused as a request of its own.
    """
    why = Verdict(Outcome.DEAD, reply.error_type or f"status_{reply.status}", reply.reason)
    for letter in letters_of_dead(bulk, {0: why}, 1):
        check_letter(letter)


def _bulk(documents: int) -> Bulk:
    """
    Make a bulk for two indices.
    """
    ticket = Ticket(Partition(_TOPIC, 0), 1, 0, documents, 1)
    first = (documents + 1) // 2
    shares = [("may", first), ("june", documents - first)]
    sections = [Section(Bound(name, _TOPIC, "T"), count, ticket) for name, count in shares if count]
    places = [name for name, count in shares for _ in range(count)]
    lines = [
        line
        for number, name in enumerate(places)
        for line in (
            b'{"create":{"_index":"%b","_id":"T-0-0-%d"}}' % (name.encode(), number),
            b"{}",
        )
    ]
    records: list[Record] = [FakeRecord(_TOPIC, 0, n, b"{}") for n in range(documents)]
    body = Body(lines)
    return Bulk(body, records, sections, [], [ticket], len(body))
