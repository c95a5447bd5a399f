"""
What becomes of documents when a program is killed, and when Elasticsearch refuses some for good.

Each document carries a number, and the null Elasticsearch notes which numbers it took: what is
lost and what came twice is counted, not guessed.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypedDict

from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import TopicPartition

from bench import load
from bench.candidates import Candidate, Place
from bench.course import Course
from bench.null_server import Counted, NullElasticsearch
from bench.runner import RunFailed, started

_DELAY_MS = 400  # of an answer, so that the load lasts beyond the programs' first commits
_STALL_S = 30  # longer than the session of the killed member, which is 10 s for all
_COMMITTED_S = 8  # until the last commits are made; librdkafka's own interval is 5 s
_SESSION = {"SINK__KAFKA__CLIENT": json.dumps({"session.timeout.ms": 10_000})}


class Killed(TypedDict):
    """
    What one SIGKILL under load, and a restart, did.
    """

    killed_at: int  # documents that had come
    lost: int  # documents that never came
    twice: int  # documents that came again
    load: float


class Refused(TypedDict):
    """
    What became of documents that were refused with 400.
    """

    refused: int
    sent: int  # how often they came, all together
    taken: int  # other documents
    kept: int  # refused documents found again: in the dead letters, in an error file
    lag: int  # records that the group had not committed in the end
    load: float


def kill(course: Course, candidate: Candidate, number: int, share: float) -> Killed:
    """
    Kill a program when a share of the documents has come, start it again, count what came.
    """
    place_of, folder, load_average = _placing(course, f"{candidate.name}-kill-{number}")
    with NullElasticsearch(
        course.null_elasticsearch, folder / "null.log", marked=True, delay_ms=_DELAY_MS
    ) as server:
        command = _command(candidate, place_of(server))
        at = round(course.documents * share)
        with started(candidate.name, command, folder / "output.log") as process:
            _await(candidate.name, server, lambda counted: counted["docs"] >= at)
            process.send_signal(signal.SIGKILL)
            process.wait()
        killed_at = server.counted()["docs"]
        with started(candidate.name, command, folder / "output.log"):
            counted = _await(
                candidate.name,
                server,
                lambda counted: counted["distinct"] >= course.documents,
            )
    lost = course.documents - counted["distinct"]
    twice = counted["docs"] - counted["distinct"]
    return Killed(killed_at=killed_at, lost=lost, twice=twice, load=load_average)


def refuse(course: Course, candidate: Candidate, every: int) -> Refused:
    """
    Refuse each document of a number, whenever it comes, and see whether the rest goes on.
    """
    place_of, folder, load_average = _placing(course, f"{candidate.name}-refuse")
    with NullElasticsearch(
        course.null_elasticsearch, folder / "null.log", marked=True, refuse=every
    ) as server:
        place = place_of(server)
        with started(candidate.name, _command(candidate, place), folder / "output.log"):
            _await(
                candidate.name,
                server,
                lambda counted: counted["distinct"] + counted["refused"] >= course.documents,
            )
            time.sleep(_COMMITTED_S)
            counted = server.counted()
            lag = _lag(place)
    return Refused(
        refused=counted["refused"],
        sent=counted["docs"] - counted["distinct"],
        taken=counted["distinct"],
        kept=_KEPT[candidate.name](place),
        lag=lag,
        load=load_average,
    )


def _placing(course: Course, name: str) -> tuple[Callable[[NullElasticsearch], Place], Path, float]:
    folder = course.folder / name
    folder.mkdir()

    def place(server: NullElasticsearch) -> Place:
        return Place(course.bootstrap_servers, server.address, f"bench-{name}", folder)

    return place, folder, os.getloadavg()[0]


def _command(candidate: Candidate, place: Place) -> list[str]:
    given = [f"{name}={value}" for name, value in _SESSION.items()]
    return ["/usr/bin/env", *given, *candidate.command(place)]


def _await(name: str, server: NullElasticsearch, done: Callable[[Counted], bool]) -> Counted:
    """
    Wait until something is reached, or nothing came for a while.

    Raises:
        RunFailed: Not one document came.
    """
    seen, until = -1, time.monotonic() + _STALL_S
    while True:
        counted = server.counted(server.counted()["docs"] + 1, 200)
        if counted["distinct"] > seen:
            seen, until = counted["distinct"], time.monotonic() + _STALL_S
        if done(counted) or time.monotonic() > until:
            if not counted["docs"]:
                raise RunFailed(f"{name}: not one document came in {_STALL_S} s")
            return counted


def _lag(place: Place) -> int:
    consumer = KafkaConsumer(
        {"bootstrap.servers": place.bootstrap_servers, "group.id": place.group_id}
    )
    partitions = [
        TopicPartition(topic, number)
        for topic, count in load.TOPICS.items()
        for number in range(count)
    ]
    try:
        committed = sum(max(0, each.offset) for each in consumer.committed(partitions, 10))
    finally:
        consumer.close()
    return load.ends(place.bootstrap_servers, load.TOPICS) - committed


def _letters(place: Place) -> int:
    return load.ends(place.bootstrap_servers, {f"sink-dlq.{place.group_id}": 3})


def _error_file(place: Place) -> int:
    file = place.folder / "errors.json"
    said = file.read_text(errors="replace") if file.exists() else ""
    return said.count("document_parsing_exception")


_KEPT: Mapping[str, Callable[[Place], int]] = {
    "sink": _letters,
    "rsyslog": _error_file,
    "otel": lambda _: 0,  # it has no place for them
}
