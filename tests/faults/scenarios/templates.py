"""
Index templates are missing, in the way of another's, or deleted.
"""

import urllib.error
from contextlib import ExitStack, suppress
from typing import Any

from tests.engines.brokering import committed_of, until_committed
from tests.engines.oracle import ask
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup
from tests.faults.scenario import scenario
from tests.faults.stage import PATIENCE_S, Stage
from tests.waiting import wait_until

_OURS = "ekk"
_COMPONENTS = ["sink-settings", "sink-dynamic", "ekk-mappings"]
_PRIORITY = 90  # of the sink's own template
_ROUND = 1_000
_MONTHS_MS = [1_767_300_000_000, 1_770_000_000_000, 1_772_500_000_000, 1_775_200_000_000]
_UNTIL_COMPARED = (
    3  # the month of 2026, from 0, whose index is made between deletion and comparison
)


@scenario(
    "36",
    "the index template is missing at the start; a foreign one has the same pattern, of the same "
    "and of a lower priority; the own one is deleted while the sink runs",
    "no index is made without its mapping while a start waits or after it; the foreign one stays; "
    "whatever the mapping, no document is lost",
    size="a template that is deleted is put back within ten minutes, which is not waited for: "
    "the sink is started again",
)
def templates_in_trouble(stage: Stage) -> None:
    setup = stage.setup()
    create_topics(setup, {"a": 2})
    _delete(setup)
    with ExitStack() as ends:
        equal, lower = (
            _put_foreign(setup, ends, f"{setup.name}-{word}", priority)
            for word, priority in (("equal", _PRIORITY), ("lower", stage.random.randint(0, 89)))
        )
        _waits_for_the_foreign_one(stage, setup, equal)
        assert _foreign(setup, "lower") == lower
        assert _is_mapped(setup, 0)
    _deleted_while_it_runs(stage, setup)
    assert stage.judge(setup, ["a"]) == 5 * _ROUND


def _waits_for_the_foreign_one(stage: Stage, setup: Setup, foreign: Any) -> None:
    """
    Start while a foreign template of the same pattern and priority forbids the sink's own.
    """
    produce(setup, "a", numbered(0, _ROUND), timestamp=_MONTHS_MS[0])
    sink = stage.sink(setup)
    wait_until(lambda: "same priority" in str(sink.reasons()), 40, "the sink to say what it lacks")
    assert not sum(committed_of(setup, "a").values())
    assert not _indices(setup)
    assert _foreign(setup, "equal") == foreign
    ask(setup, "DELETE", f"/_index_template/{setup.name}-equal")
    stage.healed()
    until_committed(setup, "a", _ROUND, PATIENCE_S)
    stage.recovered()
    assert sink.terminate() == 0


def _deleted_while_it_runs(stage: Stage, setup: Setup) -> None:
    """
    Delete the sink's templates: what is there keeps its mapping, and a start puts them back.
    """
    sink = stage.sink(setup)
    produce(setup, "a", numbered(_ROUND, _ROUND), timestamp=_MONTHS_MS[1])
    until_committed(setup, "a", 2 * _ROUND, PATIENCE_S)
    _delete(setup)
    for turn, month in ((2, 1), (3, _UNTIL_COMPARED)):
        produce(setup, "a", numbered(turn * _ROUND, _ROUND), timestamp=_MONTHS_MS[month])
        until_committed(setup, "a", (turn + 1) * _ROUND, PATIENCE_S)
    assert sink.terminate() == 0
    produce(setup, "a", numbered(4 * _ROUND, _ROUND), timestamp=_MONTHS_MS[2])
    sink = stage.sink(setup)
    until_committed(setup, "a", 5 * _ROUND, PATIENCE_S)
    assert sink.terminate() == 0
    assert all(_is_mapped(setup, number) for number in range(3))
    assert len(_indices(setup)) == 4
    if not _is_mapped(setup, _UNTIL_COMPARED):
        stage.note("an index made while the template was deleted has Elasticsearch's own mapping")


def _put_foreign(setup: Setup, ends: ExitStack, name: str, priority: int) -> Any:
    """
    Put a template of somebody else for the sink's indices, and give it as Elasticsearch tells it.
    """
    mappings = {"properties": {"level": {"type": "text"}}}
    body = {
        "index_patterns": [f"{setup.name}-*"],
        "priority": priority,
        "template": {"mappings": mappings, "settings": {"number_of_replicas": 0}},
    }
    ask(setup, "PUT", f"/_index_template/{name}", body)
    ends.callback(_without, setup, f"/_index_template/{name}")
    return ask(setup, "GET", f"/_index_template/{name}")


def _foreign(setup: Setup, word: str) -> Any:
    return ask(setup, "GET", f"/_index_template/{setup.name}-{word}")


def _delete(setup: Setup) -> None:
    """
    Delete all that the sink has installed.
    """
    _without(setup, f"/_index_template/{_OURS}")
    for name in _COMPONENTS:
        _without(setup, f"/_component_template/{name}")


def _without(setup: Setup, path: str) -> None:
    with suppress(urllib.error.HTTPError):  # 404: there is none
        ask(setup, "DELETE", path)


def _indices(setup: Setup) -> list[str]:
    return sorted(ask(setup, "GET", f"/{setup.name}-*"))


def _is_mapped(setup: Setup, month: int) -> bool:
    index = f"{setup.name}-a_2026-0{month + 1}-01"
    fields = ask(setup, "GET", f"/{index}/_mapping")[index]["mappings"]["properties"]
    kinds: dict[str, Any] = {"level": "keyword", "logtime": "date"}
    return all(fields[name]["type"] == kind for name, kind in kinds.items())
