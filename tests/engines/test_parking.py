"""
An index that takes none, on the real Elasticsearch: its documents wait, all others flow, and it
resumes by itself.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tests.engines.oracle import ask, check, committed, dead_places, documents, parked_places
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

PARK = "[park]\nms_max = {ms_max}\n"
AT_MS = time.time_ns() // 1_000_000  # an older record would be deleted by retention


def _index(setup: Setup, user_topic: str) -> str:
    return f"{setup.name}-{user_topic}_{datetime.fromtimestamp(AT_MS / 1000, UTC):%Y-%m}-01"


def _settings(setup: Setup, index: str, **settings: object) -> None:
    ask(setup, "PUT", f"/{index}/_settings", {"index": settings})


def _cluster(setup: Setup, **settings: object) -> None:
    named = {key.replace("__", "."): value for key, value in settings.items()}
    ask(setup, "PUT", "/_cluster/settings", {"persistent": named})


@dataclass(frozen=True)
class Fault:
    """
    What makes an index take no document, and what makes it well again.
    """

    error_type: str
    provoke: Callable[[Setup, str], Any]
    heal: Callable[[Setup, str], Any]


def _with_index(**settings: object) -> Callable[[Setup, str], Any]:
    return lambda setup, index: ask(
        setup, "PUT", f"/{index}?wait_for_active_shards=0", {"settings": {"index": settings}}
    )


def _without(*settings: str) -> Callable[[Setup, str], Any]:
    return lambda setup, index: _settings(setup, index, **dict.fromkeys(settings))


def _closed(setup: Setup, index: str) -> None:
    ask(setup, "PUT", f"/{index}")
    ask(setup, "POST", f"/{index}/_close")


def _alias_without_write_index(setup: Setup, index: str) -> None:
    for number in (1, 2):
        ask(setup, "PUT", f"/{index}-{number}", {"aliases": {index: {}}})


def _name_the_write_index(setup: Setup, index: str) -> None:
    add = {"index": f"{index}-2", "alias": index, "is_write_index": True}
    ask(setup, "POST", "/_aliases", {"actions": [{"add": add}]})


def _blocked(name: str) -> Fault:
    return Fault("cluster_block_exception", _with_index(**{name: True}), _without(name))


FAULTS = {
    "write block": _blocked("blocks.write"),
    "read only": _blocked("blocks.read_only"),
    "flood stage": _blocked("blocks.read_only_allow_delete"),
    "closed": Fault(
        "index_closed_exception",
        _closed,
        lambda setup, index: ask(setup, "POST", f"/{index}/_open"),
    ),
    "auto-create off": Fault(
        "index_not_found_exception",
        lambda setup, index: _cluster(setup, action__auto_create_index=f"-{index},+*"),
        lambda setup, _: _cluster(setup, action__auto_create_index=None),
    ),
    "no write index": Fault(
        "illegal_argument_exception", _alias_without_write_index, _name_the_write_index
    ),
    "missing pipeline": Fault(
        "illegal_argument_exception",
        _with_index(default_pipeline="missing"),
        _without("default_pipeline"),
    ),
    "red": Fault(
        "unavailable_shards_exception",
        _with_index(**{"routing.allocation.require._name": "nobody"}),
        _without("routing.allocation.require._name"),
    ),
    # The last: it would forbid the indices of the others.
    "shard limit": Fault(
        "validation_exception",
        lambda setup, _: _cluster(setup, cluster__max_shards_per_node=1),
        lambda setup, _: _cluster(setup, cluster__max_shards_per_node=None),
    ),
}


def _settled(sink: SinkProcess, topic: str) -> int:
    fates = sink.ledger().get(topic, {})
    return fates.get("indexed", 0) + fates.get("duplicate", 0)


def test_indices_that_take_none_wait_each_alone_and_resume_by_themselves(setup: Setup) -> None:
    """
    All at once, so that each is an other for each.
    """
    sick = {name: f"sick{number}" for number, name in enumerate(FAULTS)}
    topics = {name: setup.topic(user_topic) for name, user_topic in sick.items()}
    well = setup.topic("well")
    create_topics(setup, dict.fromkeys([*sick.values(), "well"], 1))
    produce(setup, "well", numbered(0, 1), timestamp=AT_MS)
    with SinkProcess(setup) as sink, ExitStack() as healing:
        wait_until(lambda: _settled(sink, well) == 1, 40, "an index for the other topic")
        for name, fault in FAULTS.items():
            index = _index(setup, sick[name])
            fault.provoke(setup, index)
            healing.callback(fault.heal, setup, index)
        for number, user_topic in enumerate(sick.values(), 1):
            produce(setup, user_topic, numbered(1000 * number, 300), timestamp=AT_MS)
        produce(setup, "well", numbered(1, 500), timestamp=AT_MS)
        wait_until(lambda: _settled(sink, well) == 501, 40, "the other topic to flow")
        expected = {_index(setup, sick[name]): fault.error_type for name, fault in FAULTS.items()}
        wait_until(lambda: _parked(sink) == expected, 40, "each to be parked for its reason")
        assert set(committed(setup, [*topics.values()]).values()) == {0}
        healing.close()
        for topic in topics.values():
            wait_until(partial(_is_through, setup, topic), 60, f"all of {topic}")
        assert _parked(sink) == {}
        assert sink.terminate() == 0
    assert dead_places(setup) == parked_places(setup) == set()
    assert check(setup, [*sick.values(), "well"]) == 501 + 300 * len(FAULTS)


def _is_through(setup: Setup, topic: str) -> bool:
    return committed(setup, [topic])[topic, 0] == 300


def _parked(sink: SinkProcess) -> dict[str, str]:
    return {each["index"]: each["error_type"] for each in sink.get("/parked")[1]}


def test_what_waits_too_long_goes_to_the_parked_topic_and_is_indexed_after_a_restart(
    setup: Setup,
) -> None:
    setup.settings["more"] = PARK.format(ms_max=500)
    create_topics(setup, {"sick": 2, "well": 1})
    produce(setup, "sick", numbered(0, 1), timestamp=AT_MS)
    index, topic = _index(setup, "sick"), setup.topic("sick")
    with SinkProcess(setup) as sink:
        wait_until(lambda: _settled(sink, topic) == 1, 40, "the first")
        _settings(setup, index, **{"blocks.write": True})
        produce(setup, "sick", numbered(1, 3000), timestamp=AT_MS)
        produce(setup, "well", numbered(5000, 1000), timestamp=AT_MS)
        wait_until(lambda: sink.ledger()[topic].get("parked") == 3000, 40, "all to be parked")
        wait_until(lambda: sum(committed(setup, [topic]).values()) == 3001, 20, "the offset")
        wait_until(lambda: _settled(sink, setup.topic("well")) == 1000, 20, "the other topic")
        assert len(parked_places(setup)) == 3000
        assert check(setup, ["sick", "well"]) == 4001
        assert sink.terminate() == 0

    with SinkProcess(setup, 1) as sink:
        wait_until(lambda: sink.get("/parked")[1], 20, "the index to be parked again")
        _settings(setup, index, **{"blocks.write": None})
        parked_topic = setup.parked_topic
        wait_until(
            lambda: sum(committed(setup, [parked_topic]).values()) >= 3000, 60, "what was parked"
        )
        assert sink.terminate() == 0
    assert len(documents(setup)) == 4001
    assert check(setup, ["sick", "well"]) == 4001
    assert dead_places(setup) == set()
