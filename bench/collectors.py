"""
What collectors and shapes cost beside the default: `python -m bench.collectors`. No broker.

CPU seconds for a million records, from polled messages to documents and their action lines: the
part of the sink's work that a collector makes up. Reading from Kafka and sending are left out, and
so is whatever a second copy of the values costs the processor's cache. The records are the samples
of the tests, a poll of 5,000 of one kind, each time in another millisecond after 200.

The last line of output is JSON.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import click
from confluent_kafka import Message

from bench.load import values
from bench.measure import spread
from sink.collectors import COLLECTORS
from sink.config import Config
from sink.core.collect import runs
from sink.core.collector import Collector
from sink.core.shape import Rule, Shape, shaped
from sink.core.target import Target
from sink.routes import routes_of

_SAMPLES = Path(__file__).parents[1] / "tests" / "fixtures" / "records"
_POLL = 5000
_TIME_MS = 1_795_252_441_945
_TOPIC = "bench"
_MILLION = 1_000_000
_GATEWAY_BYTES = 1533  # of the sample of Kong


_CONSTANTS = {"env": b'"production"', "datacenter": b'"fra1"'}
_SHAPES = {
    "constants added": Shape(add=_CONSTANTS),
    "topic, partition added": Shape(
        metadata={"kafka.topic": "topic", "kafka.partition": "partition"}
    ),
    "offset added": Shape(metadata={"kafka.offset": "offset"}),
    "key added": Shape(metadata={"kafka.key": "key"}),
    "a header added": Shape(metadata={"trace": "headers.trace"}),
    "constants, all have one": Shape(add={**_CONSTANTS, "level": b'"INFO"'}),
    "a field dropped": Shape(drop=("threadname",)),
    "renamed and added": Shape(rename={"level": "log.level"}, add=_CONSTANTS),
    "a rule that drops none": Shape(drop_records=(Rule("debug", {"level": ("TRACE",)}),)),
}


class Case(NamedTuple):
    """
    A collector, what it reads and what is done to its documents.
    """

    what: str
    collector: str
    values: list[bytes]
    shape: Shape = Shape()


def _sample(name: str, bytes_min: int = 0) -> bytes:
    """
    Read an object, with a field of its own at the end where it is shorter than it should be.
    """
    value = (_SAMPLES / name).read_bytes().strip()
    missing = bytes_min - len(value) - len(b',"pad":""')
    return value if missing < 0 else value[:-1] + b',"pad":"%b"}' % (b"x" * missing)


def _cases() -> Iterator[Case]:
    lines = list(values(_POLL))
    yield Case("lines of a service", "log", lines)
    own = b'{"@timestamp":"2026-11-21T09:14:01.945Z",'
    yield Case("lines with @timestamp", "log", [own + line[1:] for line in lines])
    yield Case("lines of a service", "raw", lines)
    yield Case("entry of Kong", "kong", [_sample("kong-kafka-log.json")] * _POLL)
    yield Case("older entry of Kong", "kong", [_sample("kong-kafka-log-older.json")] * _POLL)
    yield Case("entry", "apisix", [_sample("apisix-default.json", _GATEWAY_BYTES)] * _POLL)
    yield Case("array of three", "apisix", [_sample("apisix-default-batch.json")] * _POLL)
    yield Case("raw request", "apisix", [_sample("apisix-origin.txt")] * _POLL)
    yield Case("seconds", "zap", [_sample("go-zap.json")] * _POLL)
    yield Case("ISO 8601", "zap", [_sample("go-zap-iso8601.json")] * _POLL)
    yield Case("lines of a service", "logstash", lines)
    yield Case("lines with @timestamp", "logstash", [own + line[1:] for line in lines])
    for what, shape in _SHAPES.items():
        yield Case(what, "log", lines, shape)


def cpu_s(collector: Collector, polled: list[Message], rounds: int) -> list[float]:
    """
    Measure the CPU seconds that a million such records would take, once a round.
    """
    table = {"name": "bench", "topics": [_TOPIC], "index": {"prefix": "bench-"}}
    (route,) = routes_of(Config.model_validate({"routes": [table]}))
    target = Target(_TOPIC, replace(route, collector=collector), "vLyfh7CfRX6NyCEoDNvR4A")
    found = []
    for _ in range(rounds):
        began = time.process_time()
        for run in runs(cast("list[Any]", polled)):
            for _ in target.pieces(run, _POLL):
                pass
        found.append((time.process_time() - began) / len(polled) * _MILLION)
    return found


def _polled(its: list[bytes]) -> list[Message]:
    return [
        Message(
            topic=_TOPIC,
            partition=0,
            offset=n,
            value=v,
            timestamp=(1, _TIME_MS + n // 200),
            key=b"k%d" % n,
            headers=[("trace", b"1")],
        )
        for n, v in enumerate(its)
    ]


@click.command()
@click.option("--rounds", default=15, show_default=True, type=click.IntRange(3))
def main(rounds: int) -> None:
    """
    Measure each collector, and the default one on the same records.
    """
    last = {}
    click.echo(f"{'collector':<10}{'record':<24}{'bytes':>6}{'s':>8}{'log':>8}{'times':>7}")
    for case in _cases():
        size = len(case.values[0])
        polled = _polled(case.values)
        own, default = (
            spread(cpu_s(collector, polled, rounds))
            for collector in (shaped(COLLECTORS[case.collector], case.shape), COLLECTORS["log"])
        )
        times = own.median / default.median
        click.echo(
            f"{case.collector:<10}{case.what:<24}{size:>6}{own.median:>8.2f}"
            f"{default.median:>8.2f}{times:>7.2f}"
        )
        last[f"{case.collector}: {case.what}"] = [round(own.median, 3), round(times, 3)]
    click.echo(json.dumps(last))


if __name__ == "__main__":
    main()
