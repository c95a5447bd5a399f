"""
The measurements: a backlog in many partitions, idling, starting, several processes.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from bench import candidates, measure, runner
from bench.candidates import CANDIDATES, Place
from bench.course import Course
from bench.null_server import Counted, NullElasticsearch
from bench.runner import RunFailed, started
from bench.scale.result import Grouped, Grown, Idle, Started

_SINK = next(each for each in CANDIDATES if each.name == "sink")
_ARRIVE_S = 180
_SETTLE_S = 15  # librdkafka and the garbage collector come to rest
_LOUD = {"SINK__LOG__LEVEL": "info", "SINK__LOG__FORMAT": "json"}


def topics(shape: tuple[int, int]) -> dict[str, int]:
    """
    Name the topics of a shape.
    """
    return {f"bench-{number:04}": shape[1] for number in range(shape[0])}


def grow(course: Course, number: int) -> Grown:
    """
    Read a backlog once.
    """
    sample = runner.run(course, _SINK, number, strict=False)
    moving_s = sample["cpu_s"] - sample["start_cpu_s"]
    return Grown(
        us_per_record=moving_s / course.documents * 1e6,
        start_cpu_s=sample["start_cpu_s"],
        rss_mib=sample["rss_mib"],
        load=sample["load"],
    )


def idle(course: Course, number: int, seconds: float) -> Idle:
    """
    Have a daemon read what is there, and watch it do nothing.
    """
    load = os.getloadavg()[0]
    with (
        _placed(course, f"idle-{number}") as (server, place),
        started("sink", candidates.sink(place), place.folder / "output.log") as process,
    ):
        _arrived(server, course.documents)
        time.sleep(_SETTLE_S)
        before_s, began = measure.cpu_s(process.pid), time.monotonic()
        time.sleep(seconds)
        share = (measure.cpu_s(process.pid) - before_s) / (time.monotonic() - began)
        return Idle(cpu_share=share, rss_mib=measure.resident_mib(process.pid), load=load)


def start(course: Course, number: int) -> Started:
    """
    Time `sink --help`, and `sink run` from its first assignment to its first bulk.
    """
    load = os.getloadavg()[0]
    program = str(Path(sys.executable).with_name("sink"))
    began = time.monotonic()
    subprocess.run([program, "--help"], check=True, capture_output=True)
    help_s = time.monotonic() - began
    told = [f"{name}={value}" for name, value in _LOUD.items()]
    with _placed(course, f"start-{number}") as (server, place):
        command = ["/usr/bin/env", *told, *candidates.sink(place)]
        log = place.folder / "output.log"
        with started("sink", command, log):
            counted = _arrived(server, 1)
        assigned = min(_assignments(log))
    return Started(help_s=help_s, first_s=counted["first_ns"] / 1e9 - assigned, load=load)


def group(course: Course, processes: int, number: int) -> Grouped:
    """
    Read a backlog with some processes of one group.
    """
    load = os.getloadavg()[0]
    with _placed(course, f"group-{processes}-{number}") as (server, place), ExitStack() as all_of:
        running = []
        for each in range(processes):
            log = place.folder / f"output-{each}.log"
            running.append(all_of.enter_context(started("sink", candidates.sink(place), log)))
        _arrived(server, 1)
        began_s = sum(measure.cpu_s(process.pid) for process in running)
        counted = _arrived(server, course.documents)
        used_s = sum(measure.cpu_s(process.pid) for process in running) - began_s
        return Grouped(
            us_per_record=used_s / course.documents * 1e6,
            records_per_s=course.documents * 1e9 / (counted["last_ns"] - counted["first_ns"]),
            rss_mib=sum(measure.rss_mib(process.pid) for process in running),
            load=load,
        )


def _assignments(log: Path) -> Iterator[float]:
    for line in log.read_text().splitlines():
        if '"assigned"' in line:
            yield datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp()


@contextmanager
def _placed(course: Course, name: str) -> Iterator[tuple[NullElasticsearch, Place]]:
    folder = course.folder / name
    folder.mkdir()
    with NullElasticsearch(course.null_elasticsearch, folder / "null.log") as server:
        yield server, Place(course.bootstrap_servers, server.address, f"bench-{name}", folder)


def _arrived(server: NullElasticsearch, documents: int) -> Counted:
    counted = server.counted(documents, _ARRIVE_S * 1000)
    if counted["docs"] < documents:
        raise RunFailed(f"only {counted['docs']} of {documents} documents came in {_ARRIVE_S} s")
    return counted
