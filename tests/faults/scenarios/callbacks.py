"""
What the Kafka client does behind the sink's back: prefetch that is thrown away, broken callbacks.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Producer

from engines import Kafka
from engines.ports import HOST, free_ports
from tests.engines.brokering import create_topic, until_committed
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.faults.membership import held
from tests.faults.relay import CountingRelay
from tests.faults.scenario import scenario
from tests.faults.stage import Stage
from tests.faults.steady import Steady
from tests.waiting import wait_until

_PARTITIONS = 4
_BROKE = "consumer broke, a new one is built; nothing is committed"
# A dead member is given up after 6 s, not 45.
_SHORT_SESSION = "client = { 'session.timeout.ms' = 6000, 'heartbeat.interval.ms' = 300 }"


@scenario(
    "s1",
    "Elasticsearch is the slower side: frozen again and again for 1.5 to 4 s, so that each bulk "
    "waits",
    "a wait throws no prefetched record away: the brokers send at most 1.1 times the topic's bytes",
)
def short_waits(stage: Stage) -> None:
    records, random = 16_000, stage.random
    with _counted_kafka(stage) as (kafka, relay):
        setup = stage.setup(kafka=kafka, bulk="docs_max = 500\nqueue_slots = 2\nin_flight = 2")
        create_topics(setup, {"a": _PARTITIONS})
        values = [_padded(value, 700) for value in numbered(0, records)]
        sink = stage.sink(setup)
        sink.until_shared_out()
        before = relay.sent
        _produce_small_batches(setup, values)
        waits = 0
        while (done := _settled(sink, setup)) < records:
            stage.elasticsearch.freeze()
            time.sleep(random.uniform(1.5, 4))  # how long it is frozen is the fault
            stage.elasticsearch.thaw()
            waits += 1
            more = min(done + random.randrange(500, 3_000), records)
            wait_until(lambda: _settled(sink, setup) >= more, 40, "documents to pass")  # noqa: B023
        share = (relay.sent - before) / sum(map(len, values))
        stage.note(f"{waits} waits, {share:.2f} times the topic's bytes were read")
        assert share <= 1.1, f"{share:.2f} times the topic's bytes were read"
        until_committed(setup, "a", records)
        assert sink.terminate() == 0
        assert stage.judge(setup, ["a"]) == records


@scenario(
    "s2",
    "Elasticsearch is frozen for long, and meanwhile the other sink of the group is killed: its "
    "partitions come to a sink whose pipeline is full",
    "they are paused at once: next to nothing is read of them until Elasticsearch is back",
)
def assigned_while_holding(stage: Stage) -> None:
    records = 160
    with _counted_kafka(stage) as (kafka, relay):
        setup = stage.setup(kafka=kafka, bulk="docs_max = 2\nqueue_slots = 1\nin_flight = 1")
        setup.settings["kafka"] = (
            f"queued_kbytes = 4000\nfetch_bytes_max = 1000000\n{_SHORT_SESSION}"
        )
        create_topic(setup, "a", _PARTITIONS)
        stays, dies = stage.sink(setup), stage.sink(setup)
        topic = setup.topic("a")
        wait_until(lambda: held(stays, topic) and held(dies, topic), 60, "each to have some")
        wait_until(lambda: len(held(stays, topic)) == 2, 60, "each to have its half")
        stage.elasticsearch.freeze()
        for value in numbered(0, records):
            produce(setup, "a", [_padded(value, 400_000)])
        _until_quiet(relay)
        dies.kill()
        wait_until(lambda: len(held(stays, topic)) == _PARTITIONS, 40, "its partitions to move")
        before, rss_mib = relay.sent, stays.rss_mib()
        time.sleep(8)  # a member that does not pause reads on all the time
        read = relay.sent - before
        grew_mib = stays.rss_mib() - rss_mib
        stage.note(f"{read / 1e6:.1f} MB read in 8 s, memory grew by {grew_mib:.1f} MiB")
        stage.elasticsearch.thaw()
        stage.healed()
        until_committed(setup, "a", records, 120)
        stage.recovered()
        assert read <= 10_000_000, f"{read:,} bytes were read although all should be paused"
        assert stays.terminate() == 0
        assert stage.judge(setup, ["a"]) == records


def _until_quiet(relay: CountingRelay) -> None:
    """
    Wait until both sinks read nothing for 5 s.

    A thread that waits keeps a record of 400 kB a second; with more than 1 MB of them it pauses.
    """
    seen, since_s = relay.sent, time.monotonic()

    def quiet() -> bool:
        nonlocal seen, since_s
        if relay.sent > seen + 100_000:
            seen, since_s = relay.sent, time.monotonic()
        return time.monotonic() > since_s + 5

    wait_until(quiet, 60, "the sinks to pause")


def _produce_small_batches(setup: Setup, values: list[bytes]) -> None:
    """
    Produce so that what a fetch cuts off, and the next one gives again, is next to nothing.
    """
    producer = Producer(
        {"bootstrap.servers": setup.kafka.bootstrap_servers, "batch.size": 10_000, "acks": "all"}
    )
    for value in values:
        producer.produce(setup.topic("a"), value)
    assert producer.flush(60) == 0


def _padded(value: bytes, size: int) -> bytes:
    words = b" ".join([b"word"] * ((size - len(value)) // 5))
    return value[:-1] + b',"text":"%s"}' % words


def _settled(sink: SinkProcess, setup: Setup) -> int:
    told = sink.ledger().get(setup.topic("a"), {})
    return told.get("consumed", 0) - told.get("in_flight", 0)


@contextmanager
def _counted_kafka(stage: Stage) -> Iterator[tuple[Kafka, CountingRelay]]:
    """
    Start a broker of the scenario's own whose clients all go through a relay that counts.
    """
    (port,) = free_ports(1)
    through = {"advertised.listeners": f"PLAINTEXT://{HOST}:{port}"}
    kafka = Kafka(stage.folder / "kafka", heap="256m", fast_start=True, settings=through)
    with CountingRelay(port, kafka.port) as relay:
        stage.started(kafka)
        yield kafka, relay


@scenario(
    "s3",
    "the sink's own callbacks raise in the middle of a poll, when partitions are given to it or "
    "taken away: the error is planted into the process",
    "no record of that poll is skipped: a new consumer reads from what is committed",
)
def broken_callbacks(stage: Stage) -> None:
    setup, random = stage.setup(bulk="docs_max = 200\nqueue_slots = 4\nin_flight = 2"), stage.random
    setup.settings["kafka"] = _SHORT_SESSION
    create_topics(setup, {"a": _PARTITIONS})
    topic = setup.topic("a")
    with Steady(setup, ["a"], 1_500, random=random) as load:
        with _planted(stage):
            broken = stage.sink(setup)
        wait_until(lambda: _settled(broken, setup) > 500, 60, "the first documents")
        for _ in range(2):
            other = stage.sink(setup)
            wait_until(lambda: held(other, topic), 60, "the other to have some")  # noqa: B023
            time.sleep(random.uniform(0, 2))
            assert other.terminate() == 0
        stage.healed()
        records = load.end()
    until_committed(setup, "a", records, 90)
    stage.recovered()
    errors = broken.events(_BROKE)
    assert any("planted" in str(line["exception"]) for line in errors), "no callback was broken"
    stage.note(f"{len(errors)} callbacks raised")
    assert broken.terminate() == 0
    assert stage.judge(setup, ["a"]) == records


_BREAKING = """
import sink.reading.ownership

def breaks(name, calls, before):
    body, seen = getattr(sink.reading.ownership.Ownership, name), [0]
    def broken(self, partitions):
        seen[0] += 1
        if seen[0] in calls and before:
            raise ZeroDivisionError("planted")
        body(self, partitions)
        if seen[0] in calls:
            raise ZeroDivisionError("planted")
    setattr(sink.reading.ownership.Ownership, name, broken)
"""


@contextmanager
def _planted(stage: Stage) -> Iterator[None]:
    """
    Let sinks that are started now raise in some calls of their callbacks, before or after the body.
    """
    folder, random = stage.folder / "planted", stage.random
    folder.mkdir()
    lines = [_BREAKING]
    for name in ("on_assign", "on_revoke"):
        calls = sorted(random.sample(range(2, 5), 2))
        lines.append(f"breaks({name!r}, {calls}, {random.random() < 0.5})\n")
    (folder / "sitecustomize.py").write_text("".join(lines))  # what Python imports at its start
    path = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(folder).resolve()), path]))
    try:
        yield
    finally:
        os.environ["PYTHONPATH"] = path
