"""
Runs one variant against a real Elasticsearch, and measures both sides.
"""

import json
import os
import time
import urllib.request
from datetime import UTC, datetime
from typing import Any, TypedDict

from bench import measure
from bench.candidates import Place
from bench.course import Course
from bench.engine.variants import Variant, command
from bench.runner import RunFailed, started
from engines import Elasticsearch

TOPICS = {"bench-orders": 12}
_POLL_S = 0.1
_LONGEST_S = 300
_ANSWER_S = 60


class Indexed(TypedDict):
    """
    One run of one variant. CPU is from the first document to the last, and their refresh.
    """

    engine_cpu_s: float
    sink_cpu_s: float
    wall_s: float
    store_mb: float
    load: float


def index(course: Course, engine: Elasticsearch, variant: Variant, number: int) -> Indexed:
    """
    Have all records indexed once, into an empty index.

    Raises:
        RunFailed: They were not all indexed in time.
    """
    name = f"{variant.name}-{number}"
    folder = course.folder / f"engine-{name}"
    folder.mkdir()
    place = Place(
        course.bootstrap_servers, engine.url.removeprefix("http://"), f"bench-{name}", folder
    )
    target = f"bench-orders_{datetime.now(UTC):%Y-%m}-01"
    _call(engine, "DELETE", f"{target}?ignore_unavailable=true")
    wanted = {"number_of_shards": variant.shards, "number_of_replicas": 0}
    _call(engine, "PUT", target, {"settings": wanted})
    load = os.getloadavg()[0]
    with started(name, command(variant, place), folder / "output.log") as process:
        _await(engine, target, 1)
        pid = engine.pid
        assert pid is not None
        began = time.monotonic()
        engine_s, sink_s = measure.cpu_s(pid), measure.cpu_s(process.pid)
        _await(engine, target, course.documents)
        wall_s = time.monotonic() - began
        sink_s = measure.cpu_s(process.pid) - sink_s
        _call(engine, "POST", f"{target}/_refresh")
        engine_s = measure.cpu_s(pid) - engine_s
    _call(engine, "POST", f"{target}/_flush")
    store = _call(engine, "GET", f"{target}/_stats/store")["_all"]["primaries"]["store"]
    return Indexed(
        engine_cpu_s=engine_s,
        sink_cpu_s=sink_s,
        wall_s=wall_s,
        store_mb=store["size_in_bytes"] / 1e6,
        load=load,
    )


def _await(engine: Elasticsearch, target: str, documents: int) -> None:
    deadline = time.monotonic() + _LONGEST_S
    while (seen := _indexed(engine, target)) < documents:
        if time.monotonic() > deadline:
            raise RunFailed(f"only {seen} of {documents} documents were indexed")
        time.sleep(_POLL_S)


def _indexed(engine: Elasticsearch, target: str) -> int:
    stats = _call(engine, "GET", f"{target}/_stats/indexing")["_all"]["primaries"]
    total: int = stats.get("indexing", {}).get("index_total", 0)
    return total


def _call(engine: Elasticsearch, method: str, path: str, body: object = None) -> Any:
    request = urllib.request.Request(
        f"{engine.url}/{path}",
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=_ANSWER_S) as answer:
        return json.load(answer)
