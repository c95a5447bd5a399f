"""
What the sink writes to takes no more: its dead letters, Elasticsearch's disk, the disk of its log.
"""

import resource
import time
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Message
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from engines import Elasticsearch
from tests.engines.brokering import admin_of, until_committed
from tests.engines.oracle import Place, ask, committed, dead_places, examine, parked_places
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.faults.scenario import scenario
from tests.faults.stage import Stage
from tests.waiting import wait_until

_TURN = 5_000  # records of one round
_EVERY = 50  # one of so many cannot become a document
_BULK = "docs_max = 200\nqueue_slots = 2\nin_flight = 4\nretry_max_ms = 1000"
_IN_FLIGHT_MAX = (2 + 4 + 2) * 200  # places of the queue, on their way, the threads' own
_QUIET_S = 5
_BYTES_MAX = "max.message.bytes"


@scenario(
    "37",
    "the dead-letter topic takes no letter while one record in 50 needs one: no message of that "
    "size fits, later the topic is deleted, and the sink cannot make it again",
    "back-pressure, not loss: no offset passes such a record, not ready and saying why; all goes "
    "on by itself once the topic takes letters",
)
def dead_letters_cannot_be_written(stage: Stage) -> None:
    # More replicas than there are brokers: only the operator can make the topics.
    letters = "[dead_letter]\ndelivery_timeout_ms = 2000\nreplication_factor = 2"
    setup = stage.setup(bulk=_BULK, more=letters)
    create_topics(setup, {"a": 2})
    _create(setup, setup.dead_letter_topic, setup.parked_topic)
    produce(setup, "a", _with_bad_ones(0))
    sink = stage.sink(setup)
    until_committed(setup, "a", _TURN)

    usual = _bytes_max(setup)
    _configure(setup, _BYTES_MAX, "10")
    produce(setup, "a", _with_bad_ones(1))
    _is_held_up(stage, setup, sink)
    _configure(setup, _BYTES_MAX, usual)
    _goes_on(stage, setup, sink, 2 * _TURN)

    deleted = dead_places(setup)
    assert len(deleted) == 2 * _TURN // _EVERY
    _delete(setup, setup.dead_letter_topic)
    produce(setup, "a", _with_bad_ones(2))
    _is_held_up(stage, setup, sink, gone=deleted)
    _create(setup, setup.dead_letter_topic)
    _goes_on(stage, setup, sink, 3 * _TURN)
    assert sink.terminate() == 0
    assert len(dead_places(setup)) == _TURN // _EVERY
    # The letters of the first turns went with their topic: that was the operator's doing.
    assert stage.judge(setup, ["a"], dropped=_any_of(deleted)) == 3 * _TURN


def _with_bad_ones(turn: int) -> list[bytes]:
    """
    Make the records of a turn. A time that is none is refused by the index' mapping.
    """
    first = turn * _TURN
    values = numbered(first, _TURN)
    for n in range(0, _TURN, _EVERY):
        values[n] = b'{"logtime":"no time","n":%d}' % (first + n)
    return values


def _any_of(places: Set[Place]) -> Callable[[Message], bool]:
    return lambda record: (
        (record.topic() or "", record.partition() or 0, record.offset() or 0) in places
    )


def _is_held_up(
    stage: Stage, setup: Setup, sink: SinkProcess, gone: Set[Place] = frozenset()
) -> None:
    """
    Wait until the sink says that letters are refused, and look for a while that it only waits.
    """
    wait_until(lambda: "dead_letters" in sink.reasons(), 40, "not ready, for the dead letters")
    reason = sink.reasons().get("dead_letters", "")
    stage.note(reason.replace(setup.dead_letter_topic, "…")[:70])
    until_s = time.monotonic() + _QUIET_S
    while time.monotonic() < until_s:
        assert sink.get("/health/live")[0] == 200
        held = sum(fates["in_flight"] for fates in sink.ledger().values())
        assert held <= _IN_FLIGHT_MAX, f"{held} documents are held while none gets through"
        found = examine(setup, ["a"], dropped=_any_of(gone))
        assert not found.too_far, f"{len(found.too_far)} were committed past and are nowhere"


def _goes_on(stage: Stage, setup: Setup, sink: SinkProcess, offsets: int) -> None:
    stage.healed()
    until_committed(setup, "a", offsets, 60)
    stage.recovered()
    wait_until(lambda: sink.reasons() == {}, 30, "ready again")


def _resource(setup: Setup, *entries: ConfigEntry) -> ConfigResource:
    name = setup.dead_letter_topic
    return ConfigResource(ResourceType.TOPIC, name, incremental_configs=[*entries])


def _bytes_max(setup: Setup) -> str:
    admin = admin_of(setup)
    (future,) = admin.describe_configs([_resource(setup)]).values()
    return str(future.result(20)[_BYTES_MAX].value)


def _configure(setup: Setup, key: str, value: str) -> None:
    entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
    admin = admin_of(setup)
    (future,) = admin.incremental_alter_configs([_resource(setup, entry)]).values()
    future.result(20)


def _create(setup: Setup, *topics: str) -> None:
    admin = admin_of(setup)
    for future in admin.create_topics([NewTopic(topic, 2, 1) for topic in topics]).values():
        future.result(20)


def _delete(setup: Setup, topic: str) -> None:
    admin = admin_of(setup)
    (future,) = admin.delete_topics([topic]).values()
    future.result(20)
    wait_until(lambda: topic not in admin.list_topics(timeout=20).topics, 20, "the topic to go")


@scenario(
    "38",
    "no file of Elasticsearch may grow any more, as on a full disk, then no file of the sink: its "
    "log",
    "what Elasticsearch cannot write waits, and the sink says so; a log that cannot be written "
    "stops nothing, and does not change the exit code",
    size="RLIMIT_FSIZE in place of a full disk: it needs no root, and the error is of the write",
)
def disks_are_full(stage: Stage) -> None:
    node = Elasticsearch(stage.folder / "full", heap="512m", fast_start=True)
    stage.started(node)
    setup = stage.setup(elasticsearch=node, bulk=_BULK)
    create_topics(setup, {"a": 2})
    produce(setup, "a", numbered(0, 1_000))
    sink = stage.sink(setup)
    until_committed(setup, "a", 1_000)
    # Not a little more: where small writes still pass, Elasticsearch 8.19 starts the shard again
    # and again, and answers 201 and 409 for documents that are gone later (seen without a sink).
    with _files_of(node.pid, 1):
        produce(setup, "a", _wide(1_000, 5_000))
        told = wait_until(lambda: _told(sink), 40, "the sink to say what is amiss")
        stage.note(f"told: {told}")
        until_s = time.monotonic() + _QUIET_S
        while time.monotonic() < until_s:
            assert sink.get("/health/live")[0] == 200
        # What Elasticsearch has can hardly be looked for now: the judge looks when all is over.
        assert sum(committed(setup, [setup.topic("a")]).values()) < 6_000
    stage.healed()
    # Elasticsearch gives a shard up that failed five times; its operator tells it to try again.
    ask(setup, "POST", "/_cluster/reroute?retry_failed=true")
    until_committed(setup, "a", 6_000, 60)
    wait_until(lambda: not _told(sink), 40, "the sink to have nothing to say")
    stage.recovered()
    _a_full_disk_of_logs(setup, sink)
    assert stage.judge(setup, ["a"]) == 7_000
    dead = len(dead_places(setup))
    assert not dead, f"{dead} good records were dead-lettered"
    assert not parked_places(setup)


def _a_full_disk_of_logs(setup: Setup, sink: SinkProcess) -> None:
    """
    Let the sink take records, say things and end while no line of its log can be written.
    """
    said = len(sink.log())
    with _files_of(sink.process.pid, said):
        guest = SinkProcess(setup, 9)  # one that joins makes the other say what it gives away
        with guest:
            guest.until_assigned(1)
            produce(setup, "a", numbered(6_000, 1_000))
            until_committed(setup, "a", 7_000, 60)
            assert guest.terminate() == 0
        assert sink.terminate() == 0
    assert len(sink.log()) == said


def _wide(first: int, count: int) -> list[bytes]:
    filler = b"x" * 950
    return [b'{"n":%d,"msg":"%b"}' % (n, filler) for n in range(first, first + count)]


def _told(sink: SinkProcess) -> str:
    """
    Give what the sink says about Elasticsearch or an index; empty when nothing is amiss.
    """
    if reason := sink.reasons().get("elasticsearch"):
        return f"not ready: {reason[:100]}"
    parked = sink.get("/parked")[1]
    return f"parked: {parked[0]['error_type']}" if parked else ""


@contextmanager
def _files_of(pid: int | None, size_bytes: int) -> Iterator[None]:
    """
    Let no file of a process grow beyond a size for a while.
    """
    assert pid is not None
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        if Path(f"/proc/{pid}").exists():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
