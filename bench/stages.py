"""
Where each tenth of a microsecond of a record goes: `python -m bench.stages`. No broker.

CPU of one thread for each step that the sink takes with a poll, and for the floor loop's, on polls
that are held ready. Reading from Kafka is left out: both do the same there. The last line of output
is JSON.
"""

import asyncio
import gc
import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import click
from confluent_kafka import Message

from bench import floor, null_server
from bench.load import values
from bench.measure import spread
from bench.result import LATEST_STAGES, Stages, stages, write
from bench.stages_page import measured
from sink.config import Config, ElasticsearchSettings
from sink.core.bulk import Bulk
from sink.core.collect import Run, runs
from sink.core.draft import Draft
from sink.core.fields import strict
from sink.core.json_objects import plain_objects
from sink.core.offsets import OffsetTracker
from sink.core.record import Partition, Record
from sink.core.stamp import TIMESTAMP, Heads, stamp_all
from sink.core.target import Target
from sink.edge.elastic import Elastic
from sink.routes import routes_of

_POLL = 5000
_POLLS = 12
_STRETCH = 1250  # records in a row of one partition
_TOPIC = "bench"
_TIME_MS = 1_795_252_441_945
_SAME_TIME = 200
_FIRST = 5_000_000
_decode = strict((TIMESTAMP,), None, {})


class _Watch:
    """
    Adds up the CPU of each stage, in the order they were first met.
    """

    def __init__(self) -> None:
        self.spent_s: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        began_s = time.thread_time()
        yield
        self.spent_s[stage] = self.spent_s.get(stage, 0.0) + time.thread_time() - began_s

    def us_per_record(self) -> dict[str, float]:
        """
        Give the CPU a record of each stage.
        """
        return {name: spent / _POLL / _POLLS * 1e6 for name, spent in self.spent_s.items()}


def _polls() -> Iterator[list[Message]]:
    """
    Make polls as librdkafka gives them, one at a time.
    """
    for number, value in enumerate(values(_POLL * _POLLS)):
        if number % _POLL == 0:
            polled: list[Message] = []
        polled.append(
            Message(
                topic=_TOPIC,
                partition=number // _STRETCH % (_POLL // _STRETCH),
                offset=_FIRST + number,
                value=value,
                timestamp=(1, _TIME_MS + number // _SAME_TIME),
            )
        )
        if len(polled) == _POLL:
            yield polled


def _collected(watch: _Watch, run: Run) -> None:
    """
    Do what the default collector does with a run, step by step.
    """
    kind = type(run.records[0])
    with watch("values and times are read"):
        held = cast("list[bytes]", list(map(kind.value, run.records)))
        times_ms = [time_ms for _, time_ms in map(kind.timestamp, run.records)]
    with watch("each is one JSON object on one line, in UTF-8, without `@timestamp`"):
        plain_objects(held, _decode, 0)
    with watch("`@timestamp` is set in front"):
        stamp_all(held, map(Heads().__getitem__, times_ms))


def _made(watch: _Watch, polled: list[Message], target: Target) -> list[Bulk]:
    """
    Do with a poll what a worker does.
    """
    tracker, draft = OffsetTracker(), Draft()
    for number in range(_POLL // _STRETCH):
        tracker.assign(Partition(_TOPIC, number))
    with watch("errors are told from records"):
        any(map(Message.error, polled))
    with watch("runs of one partition"):
        found = list(runs(cast("list[Record]", polled)))
    for run in found:
        _collected(watch, run)
        ((_, documents, _),) = target.pieces(run, _POLL)
        with watch("index, id and action lines"):
            actions = target.actions(run, documents)
        with watch("joined"):
            draft.add(run, documents, actions)
    with watch("cut into bulks, offsets tracked"):
        return draft.bulks(tracker, _POLL, 10**9)


async def _sent(watch: _Watch, address: str, target: Target) -> None:
    settings = ElasticsearchSettings.model_validate({"hosts": [f"http://{address}"]})
    async with Elastic(settings) as elastic:
        await elastic.ping()
        for polled in _polls():
            for bulk in _made(watch, polled, target):
                with watch("sent, and answered"):
                    reply = await elastic.bulk(bulk.body())
                assert reply.status == 200


def _floor(watch: _Watch, address: str) -> None:
    connection = http.client.HTTPConnection(address)
    connection.connect()
    for polled in _polls():
        with watch("joined"):
            body = floor.body_of(polled)
        with watch("sent, and answered"):
            floor.send(connection, body)


def _target() -> Target:
    table = {"name": "bench", "topics": [_TOPIC], "index": {"prefix": "bench-"}}
    (route,) = routes_of(Config.model_validate({"routes": [table]}))
    return Target(_TOPIC, route, "vLyfh7CfRX6NyCEoDNvR4A")


def _turn(address: str, target: Target) -> tuple[dict[str, float], dict[str, float]]:
    own, floors = _Watch(), _Watch()
    gc.collect()
    gc.disable()  # as the daemon does
    asyncio.run(_sent(own, address, target))
    _floor(floors, address)
    return own.us_per_record(), floors.us_per_record()


@click.command()
@click.option("--rounds", default=9, show_default=True, type=click.IntRange(1))
def main(rounds: int) -> None:
    """
    Measure each step beside the floor loop's.
    """
    target = _target()
    try:
        program = null_server.build()
    except null_server.ToolMissing as failure:
        raise click.ClickException(str(failure)) from failure
    with (
        TemporaryDirectory() as folder,
        null_server.NullElasticsearch(program, Path(folder) / "server.log") as server,
    ):
        turns = [_turn(server.address, target) for _ in range(rounds)]
    one: Stages = stages(*(_medians([turn[n] for turn in turns]) for n in (0, 1)))
    click.echo(measured(one))
    write(one, LATEST_STAGES)
    click.echo("Written to bench/results/; `make docs` renders it.", err=True)
    click.echo(json.dumps({"sink": one["sink"], "floor": one["floor"]}))


def _medians(turns: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(spread([turn[name] for turn in turns]).median, 3) for name in turns[0]}


if __name__ == "__main__":
    main()
