"""
Elasticsearch refuses documents or whole bulks with 429; what it refused has not been sent on.
"""

import threading
import time
from collections import Counter, defaultdict
from itertools import pairwise
from statistics import fmean

from tests.engines.brokering import until_committed
from tests.engines.producing import create_topics, numbered, produce
from tests.faults.scenario import scenario
from tests.faults.stage import Stage
from tests.faults.tampering import Answer, Bulk, Tampering, refusal
from tests.waiting import wait_until

_TOO_MANY = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "full"}}
_RETRY_AFTER_S = 2
_TOLERANCE_S = 0.1  # several are refused at nearly the same time
_UNDER_WAY_S = 0.5  # a request that began so soon was sent before the refusal came


@scenario(
    "4",
    "Every tenth document of each bulk is refused twice with 429, within answers of 200",
    "only those are sent again, after waits that grow and differ",
)
def every_tenth_document_is_refused(stage: Stage) -> None:
    first, sent = stage.random.randrange(10), Counter[str]()

    def refuse(position: int, id_: str) -> bool:
        refused = sent[id_] in (1, 2) or (not sent[id_] and position % 10 == first)
        sent[id_] += 1
        return refused and sent[id_] <= 2

    with Tampering(stage.elasticsearch) as front:
        front.tamper = lambda bulk: bulk.forward_without(refuse, _TOO_MANY)
        # A slot for each, or the waits would be those for a slot.
        bulk = "docs_max = 250\nin_flight = 40\nretry_initial_ms = 1000"
        setup = stage.setup(url=front.url, bulk=bulk)
        create_topics(setup, {"a": 4})
        sink = stage.sink(setup)
        sink.until_shared_out()
        produce(setup, "a", numbered(0, 10_000))
        until_committed(setup, "a", 10_000)
        assert sink.terminate() == 0
        sendings = front.sendings()
        refusals = Counter(id_ for bulk in front.bulks for id_ in bulk.refused)
        again = {id_ for id_, bulks in sendings.items() if len(bulks) > 1}
        assert again == refusals.keys(), f"{len(again ^ refusals.keys())} sent again unrefused"
        assert len(refusals) > 800
        assert set(refusals.values()) == {2}
        waits = _waits_s([sendings[id_] for id_ in refusals])
        stage.note(f"{len(refusals)} documents refused twice; waits {_shown(waits)} on average")
        assert fmean(waits[1]) > fmean(waits[0]), f"the waits do not grow: {_shown(waits)}"
        different = {round(wait_s, 2) for wait_s in waits[1]}
        assert len(different) > len(waits[1]) / 2, "the waits are alike"
    assert stage.judge(setup, ["a"]) == 10_000


def _waits_s(histories: list[list[Bulk]]) -> list[list[float]]:
    """
    Tell the waits before the first, the second … sending again, one for each bulk.
    """
    waits: dict[int, dict[float, float]] = defaultdict(dict)
    for bulks in histories:
        for number, (before, after) in enumerate(pairwise(bulks)):
            waits[number][before.ended_s] = after.began_s - before.ended_s
    return [list(waits[number].values()) for number in sorted(waits)]


def _shown(waits: list[list[float]]) -> str:
    return " then ".join(f"{fmean(each):.2f} s" for each in waits)


@scenario(
    "5",
    "Bulks are refused whole with 429 and Retry-After, first all, then by chance",
    "no request before that time; requests at once fall to 1, and rise again",
)
def whole_bulks_are_refused(stage: Stage) -> None:
    share = [0.0]
    drawing = threading.Lock()

    def tamper(bulk: Bulk) -> Answer:
        time.sleep(0.02)  # long enough to see how many are under way at once
        with drawing:
            refused = stage.random.random() < share[0]
        if refused:
            told = {"retry-after": str(_RETRY_AFTER_S)}
            return refusal(429, "es_rejected_execution_exception", told)
        time.sleep(0.1)  # good answers come after the refusal of what was sent with them
        return bulk.forward()

    with Tampering(stage.elasticsearch) as front:
        front.tamper = tamper
        setup = stage.setup(url=front.url, bulk="docs_max = 100")
        create_topics(setup, {"a": 4})
        produce(setup, "a", numbered(0, 20_000))
        sink = stage.sink(setup)
        wait_until(lambda: len(front.bulks) > 20, 40, "the first bulks")
        share[0] = 1.0
        wait_until(lambda: "elasticsearch" in sink.reasons(), 20, "it to say that it is not ready")
        wait_until(lambda: _refused(front) >= 10, 60, "several refusals")
        share[0] = 0.0
        stage.healed()
        wait_until(lambda: not sink.reasons(), 20, "it to be ready")
        stage.recovered()
        _until_more(front, 10)
        # Few: the good answers between two refusals are what must not end the wait.
        share[0] = stage.random.uniform(0.08, 0.15)
        wait_until(lambda: _refused(front) >= 16, 90, "refusals among good answers")
        share[0] = 0.0
        until_committed(setup, "a", 20_000, 60)
        assert sink.terminate() == 0
        _obeyed(stage, front)
    assert stage.judge(setup, ["a"]) == 20_000


def _refused(front: Tampering) -> int:
    return sum(bulk.status == 429 for bulk in front.bulks)


def _until_more(front: Tampering, count: int) -> None:
    goal = len(front.bulks) + count
    wait_until(lambda: len(front.bulks) >= goal, 40, f"{count} more bulks")


def _obeyed(stage: Stage, front: Tampering) -> None:
    bulks = sorted(front.bulks, key=lambda bulk: bulk.began_s)
    refused = [bulk for bulk in bulks if bulk.status == 429]
    early = [
        bulk.began_s - no.ended_s
        for no in refused
        for bulk in bulks
        if _UNDER_WAY_S < bulk.began_s - no.ended_s < _RETRY_AFTER_S - _TOLERANCE_S
    ]
    last = refused[-1].ended_s
    after = max(_at_once(bulks, bulk) for bulk in bulks if bulk.began_s > last)
    stage.note(f"{len(refused)} refused, {len(early)} too early; {after} at once afterwards")
    assert not early, f"{len(early)} requests too early, the first after {min(early):.2f} s"
    assert {_at_once(bulks, no) for no in refused[8:10]} == {1}, "others beside the one that asks"
    assert after > 1, "it goes on sending one bulk at a time"


def _at_once(bulks: list[Bulk], one: Bulk) -> int:
    return sum(each.began_s <= one.began_s < each.ended_s for each in bulks)
