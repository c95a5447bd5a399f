"""
An index that takes none, on the real Elasticsearch: its documents wait, all others flow, and it
resumes by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.engines.oracle import (
    ask,
    check,
    committed,
    create_topics,
    dead_places,
    documents,
    numbered,
    parked_places,
    produce,
)
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

PARK = "[park]\nms_max = {ms_max}\n"
AT_MS = 1_781_000_000_000  # June 2026


def _index(setup: Setup, user_topic: str) -> str:
    return f"{setup.name}-{user_topic}_2026-06-01"


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


def _block(name: str) -> tuple[Callable[[Setup, str], Any], Callable[[Setup, str], Any]]:
    return (
        lambda setup, index: _settings(setup, index, **{name: True}),
        lambda setup, index: _settings(setup, index, **{name: None}),
    )


def _no_more_shards(setup: Setup, index: str) -> None:
    ask(setup, "DELETE", f"/{index}")
    _cluster(setup, cluster__max_shards_per_node=1)


def _alias_without_write_index(setup: Setup, index: str) -> None:
    ask(setup, "DELETE", f"/{index}")
    for number in (1, 2):
        ask(setup, "PUT", f"/{index}-{number}", {"aliases": {index: {}}})


def _name_the_write_index(setup: Setup, index: str) -> None:
    add = {"index": f"{index}-2", "alias": index, "is_write_index": True}
    ask(setup, "POST", "/_aliases", {"actions": [{"add": add}]})


def _pipeline(setup: Setup, index: str) -> None:
    _settings(setup, index, default_pipeline=f"{setup.name}-missing")


FAULTS = {
    "write block": Fault("cluster_block_exception", *_block("blocks.write")),
    "flood stage": Fault("cluster_block_exception", *_block("blocks.read_only_allow_delete")),
    "closed": Fault(
        "index_closed_exception",
        lambda setup, index: ask(setup, "POST", f"/{index}/_close"),
        lambda setup, index: ask(setup, "POST", f"/{index}/_open"),
    ),
    "shard limit": Fault(
        "validation_exception",
        _no_more_shards,
        lambda setup, _: _cluster(setup, cluster__max_shards_per_node=None),
    ),
    "no write index": Fault(
        "illegal_argument_exception", _alias_without_write_index, _name_the_write_index
    ),
    "missing pipeline": Fault(
        "illegal_argument_exception",
        _pipeline,
        lambda setup, index: _settings(setup, index, default_pipeline=None),
    ),
}


def _settled(sink: SinkProcess, topic: str) -> int:
    fates = sink.ledger().get(topic, {})
    return fates.get("indexed", 0) + fates.get("duplicate", 0)


@pytest.mark.parametrize("name", FAULTS)
def test_an_index_that_takes_none_waits_alone_and_resumes_by_itself(
    name: str, setup: Setup
) -> None:
    fault = FAULTS[name]
    create_topics(setup, {"sick": 1, "well": 1})
    index = _index(setup, "sick")
    for begin, topic in ((0, "sick"), (1000, "well")):
        produce(setup, topic, numbered(begin, 10), timestamp=AT_MS)
    with SinkProcess(setup) as sink:
        wait_until(
            lambda: all(_settled(sink, setup.topic(t)) == 10 for t in ("sick", "well")), 40, "10"
        )
        fault.provoke(setup, index)
        try:
            for begin, topic in ((10, "sick"), (1010, "well")):
                produce(setup, topic, numbered(begin, 500), timestamp=AT_MS)
            wait_until(lambda: _settled(sink, setup.topic("well")) == 510, 20, "the other topic")
            (parked,) = wait_until(lambda: sink.get("/parked")[1], 20, "the index to be parked")
            assert (parked["index"], parked["error_type"]) == (index, fault.error_type)
            assert committed(setup, [setup.topic("sick")])[setup.topic("sick"), 0] <= 10
        finally:
            fault.heal(setup, index)
        sick = setup.topic("sick")
        wait_until(lambda: committed(setup, [sick])[sick, 0] == 510, 40, "the documents")
        assert sink.get("/parked")[1] == []
        assert sink.terminate() == 0
    assert dead_places(setup) == set()
    expected = 500 if "DELETE" in str(fault.provoke.__code__.co_consts) else 510
    assert len([d for d in documents(setup) if d["_source"]["n"] < 1000]) == expected


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
