"""
Elasticsearch answers bulks with nonsense, and with errors that nobody has seen.
"""

import json
from collections import Counter
from collections.abc import Callable
from itertools import cycle

from tests.engines.brokering import until_committed
from tests.engines.oracle import headers_of, read_topic
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import SinkProcess
from tests.faults.scenario import scenario
from tests.faults.stage import Stage
from tests.faults.tampering import DRY_RUN, Answer, Bulk, Tampering

_NEW = "quantum_decoherence_exception"
_UNKNOWN: tuple[dict[str, object], ...] = (
    {"status": 500, "error": {"type": _NEW, "reason": "new"}},
    {"status": 599, "error": {"type": _NEW}},
    {"status": 201, "error": {"type": _NEW, "reason": "a status that says yes"}},
    {"status": 200, "error": {"type": _NEW, "reason": "a status that says yes"}},
    {"status": 299},
    {"status": 302, "error": {}},
    {"status": 999, "error": "not even an object"},
)
_ODD = {"status": 418, "error": {"type": _NEW, "reason": "for good"}}


@scenario(
    "11",
    "Documents are refused with an error type and statuses that nobody has seen",
    "none of them counts as indexed: sent again, or with 4xx dead-lettered under that type",
)
def an_unknown_error(stage: Stage) -> None:
    kinds, sent = cycle(stage.random.sample(_UNKNOWN, len(_UNKNOWN))), Counter[str]()
    for_good: set[str] = set()

    def tamper(bulk: Bulk) -> Answer:
        if bulk.actions[0][1] == DRY_RUN:
            return bulk.forward()
        if bulk.ids[0] not in sent:
            for_good.update(bulk.ids[3:4])
        sent.update(bulk.ids)
        again = {id_ for at, id_ in enumerate(bulk.ids) if at % 20 == 5 and sent[id_] == 1}
        if again:
            return bulk.forward_without(lambda _, id_: id_ in again, next(kinds))
        return bulk.forward_without(lambda _, id_: id_ in for_good, _ODD)

    with Tampering(stage.elasticsearch) as front:
        front.tamper = tamper
        setup = stage.setup(url=front.url, bulk="docs_max = 200")
        create_topics(setup, {"a": 4})
        produce(setup, "a", numbered(0, 8_000))
        sink = stage.sink(setup)
        until_committed(setup, "a", 8_000, 60)
        assert sink.terminate() == 0
    letters = read_topic(setup, [setup.dead_letter_topic])
    stage.note(f"{len(letters)} dead letters")
    assert {headers_of(letter)["sink.error_type"] for letter in letters} == {_NEW}
    assert stage.judge(setup, ["a"]) == 8_000


def _cut(answer: Answer) -> Answer:
    return answer._replace(hangs_up_after=len(answer.body) // 2)


def _shortened(answer: Answer) -> Answer:
    return answer.with_body(answer.body[: len(answer.body) // 2])


def _with_items(change: Callable[[list[object]], list[object]]) -> Callable[[Answer], Answer]:
    def spoil(answer: Answer) -> Answer:
        told = json.loads(answer.body)
        told["items"] = change(told["items"])
        return answer.with_body(json.dumps(told, separators=(",", ":")).encode())

    return spoil


_SPOILED: dict[str, Callable[[Answer], Answer]] = {
    "cut": _cut,
    "shortened": _shortened,
    "empty": lambda answer: answer.with_body(b""),
    "garbled": lambda answer: answer.with_body(
        answer.body.replace(b'"status"', b'"sta\xff\xfe"', 1)
    ),
    "twice": lambda answer: answer.with_body(answer.body * 2),
    "a page": lambda answer: answer.with_body(b"<html>all is well</html>"),
    "null": lambda answer: answer.with_body(b"null"),
    "an item less": _with_items(lambda items: items[:-1]),
    "an item more": _with_items(lambda items: [*items, items[-1]]),
    "no items": _with_items(lambda _: []),
    "items of nothing": _with_items(lambda items: [{}] * len(items)),
}


@scenario(
    "15",
    "Answers of bulks that were indexed are cut, garbled, no JSON or of another length",
    "those bulks are sent again with the same ids, and what was indexed stands there once",
    quick=True,
)
def answers_are_spoiled(stage: Stage) -> None:
    names = iter(stage.random.sample(sorted(_SPOILED), len(_SPOILED)))
    spoiled: list[Bulk] = []

    def tamper(bulk: Bulk) -> Answer:
        answer = bulk.forward()
        if len(front.bulks) % 2 or len(bulk.actions) < 2 or not (name := next(names, "")):
            return answer
        spoiled.append(bulk)
        return _SPOILED[name](answer)

    with Tampering(stage.elasticsearch) as front:
        front.tamper = tamper
        setup = stage.setup(url=front.url, bulk="docs_max = 100\nin_flight = 2")
        create_topics(setup, {"a": 4})
        produce(setup, "a", numbered(0, 5_000))
        sink = stage.sink(setup)
        until_committed(setup, "a", 5_000, 60)
        sendings = front.sendings()
        assert len(spoiled) == len(_SPOILED)
        believed = [id_ for bulk in spoiled for id_ in bulk.ids if len(sendings[id_]) < 2]
        assert not believed, f"{len(believed)} documents of spoiled answers were not sent again"
        _counted_as_there(stage, sink, setup.topic("a"), 5_000)
        assert sink.terminate() == 0
    assert stage.judge(setup, ["a"]) == 5_000


def _counted_as_there(stage: Stage, sink: SinkProcess, topic: str, records: int) -> None:
    fates = sink.fates(topic)
    stage.note(f"{fates['duplicate']:,} documents were there already when they were sent again")
    assert fates["indexed"] + fates["duplicate"] == records, f"counted as {fates}"
