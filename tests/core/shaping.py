"""
Routes with a shape, and records to be shaped.
"""

from typing import Any

from sink.config import Config
from sink.core.collect import Run
from sink.core.collector import Collector
from sink.core.record import Partition, Record
from sink.routes import routes_of
from sink.testing import FakeRecord

TIME = "2026-11-21T09:14:01.945Z"  # of a FakeRecord


def route_collector(shape: dict[str, Any], collector: str = "log") -> Collector:
    route = {"name": "r", "topics": ["orders"], "collector": collector, "shape": shape}
    (made,) = routes_of(Config.model_validate({"routes": [route]}))
    return made.collector


def run_of(*values: bytes, **more: Any) -> Run:
    records: list[Record] = [
        FakeRecord("orders", 3, 7 + n, value, **more) for n, value in enumerate(values)
    ]
    return Run(Partition("orders", 3), records, 7, 7 + len(records))


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Elasticsearch refuses a field that stands twice."""
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)
