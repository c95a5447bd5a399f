"""
Routes, topics and collectors to try values with.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sink.collectors import COLLECTORS as BUILT_IN
from sink.collectors.log import LOG
from sink.config import Config
from sink.core.collector import Answer, Collector, Drop, Refused
from sink.core.record import Record
from sink.core.shape import Rule, Shape, shaped
from sink.edge.kafka.admin import NO_TOPIC_ID
from sink.errors import Reject
from sink.reading.targets import Targets
from sink.routes import routes_of

TOPICS = (
    "log-order",
    "log-..Kong_LOG-e",
    "log-" + "A.b-" * 61,
    "log-_" + "-" * 40,
)
_TOPIC_ID = "vLyfh7CfRX6NyCEoDNvR4A"


@dataclass(frozen=True, eq=False)
class Way:
    """
    One configuration of a route.

    Args:
        table: As it stands in the configuration.
        topic_id: As the brokers tell it.
    """

    table: Mapping[str, Any]
    topic_id: str

    @property
    def with_ids(self) -> bool:
        """
        Tell whether its documents have ids of the sink.
        """
        return bool(self.table.get("id") != "none")

    @property
    def op_type(self) -> str:
        """
        Tell its action.
        """
        return str(self.table.get("op_type", "create"))


def _way(topic_id: str = _TOPIC_ID, index: dict[str, str] | None = None, **more: str) -> Way:
    return Way({"name": "fuzz", "prefix": "log-", "index": index or {}, **more}, topic_id)


WAYS = (
    _way(),
    _way(index={"prefix": "sag-", "period": "week", "zone": "Pacific/Chatham"}),
    _way(index={"period": "day", "zone": "America/St_Johns"}, op_type="index"),
    _way(index={"name": "logstash-{topic}-%Y.%m.%d"}),
    _way(index={"name": "%G-%V-{topic}.%H%p", "zone": "Australia/Lord_Howe"}),
    _way(index={"name": "-{topic}{topic}/%d %a"}),
    _way(id="none"),
    _way(id="none", op_type="index", index={"prefix": "." * 200}),
    _way(NO_TOPIC_ID, index={"prefix": "É" * 200, "period": "day"}),
)

_ROUTES = {way: routes_of(Config.model_validate({"routes": [way.table]})) for way in WAYS}


def targets_of(way: Way, collector: Collector, topic: str) -> Targets:
    """
    Learn the target of a topic.
    """
    routes = [replace(route, collector=collector) for route in _ROUTES[way]]
    targets = Targets(routes, lambda topics: dict.fromkeys(topics, way.topic_id), "fuzz")
    targets.learn([topic])
    return targets


def _as_it_is(record: Record) -> Answer:
    return record.value()  # type: ignore[return-value]  # whatever it is


def _in_lines(record: Record) -> Answer:
    return [*(record.value() or b"").split(b"\n")]  # type: ignore[arg-type]


def _read(record: Record) -> Answer:
    """
    Give what the value says as JSON, whatever it is; where it is none, json's error is raised.
    """
    answer: Answer = json.loads(record.value() or b"null")
    return answer


def _by_turns(record: Record) -> Answer:
    """
    Give each kind of answer that a collector may give, by the length of the value.
    """
    value = record.value() or b""
    text = value.decode(errors="surrogateescape") if isinstance(value, bytes) else value
    kinds: tuple[Callable[[], Answer], ...] = (
        lambda: Drop(text),
        lambda: [Refused(text), {"text": text}, b"{}", Refused(text)],
        lambda: {"text": text, "number": 10 ** len(text)},
        list,
        lambda: None,
        lambda: _reject(text),
        lambda: {"a": float("nan"), 1: 2},  # type: ignore[dict-item]
    )
    return kinds[len(text) % len(kinds)]()


def _reject(reason: str) -> Answer:
    raise Reject(reason)


_SHAPES = (
    Shape(
        add={"env": b'"prod"', "request.size": b"1"},
        metadata={"o": "offset", "p": "partition", "h": "headers", "t": "timestamp"},
    ),
    Shape(
        drop_records=(Rule("one", {"a": (1, "x", None), "a.b": (1, True)}),),
        drop=("b", "a.c"),
        rename={"level": "a.d", "msg": "message"},
        add={"a": b"{}"},
    ),
    Shape(keep=("a", "a.b", "msg", "request.headers"), metadata={"k": "key", "x": "headers.x"}),
)

COLLECTORS = (
    LOG,
    replace(LOG, batch=None),
    Collector("as_it_is", _as_it_is),
    Collector("in_lines", _in_lines),
    Collector("read", _read),
    Collector("by_turns", _by_turns),
    *(collector for collector in BUILT_IN.values() if collector is not LOG),
    *(shaped(collector, shape) for collector in (LOG, BUILT_IN["kong"]) for shape in _SHAPES),
    shaped(Collector("by_turns", _by_turns), _SHAPES[0]),
)
