"""
Indices that take no document: what makes them so on a real Elasticsearch, and what mends them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.engines.oracle import ask
from tests.engines.running import Setup, SinkProcess

AT_MS = time.time_ns() // 1_000_000  # an older record would be deleted by retention


def index_of(setup: Setup, user_topic: str, at_ms: int = AT_MS) -> str:
    """
    Name the index of a topic's records of a time, as the documentation says it.
    """
    return f"{setup.name}-{user_topic}_{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m}-01"


def settle_index(setup: Setup, index: str, **settings: object) -> None:
    """
    Change settings of an index; None takes one back.
    """
    ask(setup, "PUT", f"/{index}/_settings", {"index": settings})


def settle_cluster(setup: Setup, **settings: object) -> None:
    """
    Change settings of the cluster: their keys have __ in place of the dots.
    """
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


def _with(**settings: object) -> Callable[[Setup, str], Any]:
    return lambda setup, index: settle_index(setup, index, **settings)


def _without(*settings: str) -> Callable[[Setup, str], Any]:
    return lambda setup, index: settle_index(setup, index, **dict.fromkeys(settings))


def _closed(setup: Setup, index: str) -> None:
    ask(setup, "PUT", f"/{index}")
    ask(setup, "POST", f"/{index}/_close")


def _open(setup: Setup, index: str) -> None:
    ask(setup, "POST", f"/{index}/_open")


def _alias_without_write_index(setup: Setup, index: str) -> None:
    for number in (1, 2):
        ask(setup, "PUT", f"/{index}-{number}", {"aliases": {index: {}}})


def _name_the_write_index(setup: Setup, index: str) -> None:
    add = {"index": f"{index}-2", "alias": index, "is_write_index": True}
    ask(setup, "POST", "/_aliases", {"actions": [{"add": add}]})


def _blocked(name: str) -> Fault:
    return Fault("cluster_block_exception", _with_index(**{name: True}), _without(name))


def _becoming_blocked(name: str) -> Fault:
    return Fault("cluster_block_exception", _with(**{name: True}), _without(name))


# Of an index that is not there yet.
NEW_INDEX = {
    "write block": _blocked("blocks.write"),
    "read only": _blocked("blocks.read_only"),
    "flood stage": _blocked("blocks.read_only_allow_delete"),
    "closed": Fault("index_closed_exception", _closed, _open),
    "auto-create off": Fault(
        "index_not_found_exception",
        lambda setup, index: settle_cluster(setup, action__auto_create_index=f"-{index},+*"),
        lambda setup, _: settle_cluster(setup, action__auto_create_index=None),
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
        lambda setup, _: settle_cluster(setup, cluster__max_shards_per_node=1),
        lambda setup, _: settle_cluster(setup, cluster__max_shards_per_node=None),
    ),
}

# Of an index that holds documents already.
INDEX_IN_USE = {
    "write block": _becoming_blocked("blocks.write"),
    "read only": _becoming_blocked("blocks.read_only"),
    "flood stage": _becoming_blocked("blocks.read_only_allow_delete"),
    "closed": Fault(
        "index_closed_exception",
        lambda setup, index: ask(setup, "POST", f"/{index}/_close"),
        _open,
    ),
}


def parked(sink: SinkProcess) -> dict[str, str]:
    """
    Give the indices that the sink says are parked, with their errors.
    """
    return {each["index"]: each["error_type"] for each in sink.get("/parked")[1]}
