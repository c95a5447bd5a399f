"""
Whatever befalls indices, partitions, consumers and the parked topic in whatever order: in the end
every document is accounted for, and nothing waits.
"""

from collections.abc import Callable
from random import Random

import pytest

import sink.edge.handoff
import sink.reading.worker
from sink.core.outcome import Reply
from sink.core.record import Partition
from sink.testing import BUSY, NO_ANSWER, UNAVAILABLE, FakeSource
from tests.flow.parking import FEBRUARY_MS, PARKED
from tests.flow.pipeline import Pipeline, everything_is_accounted_for, running
from tests.waiting import wait_until

TOPICS = ["ekk-a", "ekk-b", "ekk-c"]
INDICES = [f"sag-{t[4:]}_1970-{month}-01" for t in TOPICS for month in ("01", "02")]
REFUSALS = [
    (403, "cluster_block_exception", "blocked"),
    (429, "es_rejected_execution_exception", "queue is full"),
    (503, "unavailable_shards_exception", "primary is not active"),
    (400, "illegal_argument_exception", "no write index is defined for alias [x]"),
]
STEPS = 25


@pytest.fixture(autouse=True)
def little_room_and_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for wait in ("_REVOKE_S", "_KEEP_ALIVE_S", "_TICK_S"):
        monkeypatch.setattr(sink.reading.worker, wait, 0.01)
    monkeypatch.setattr(sink.edge.handoff, "ASIDE_PARTS_MAX", 20)


class Schedule:
    """
    Things that befall a sink of two workers, by a seed.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.produced = 0
        self.consumers = 2
        self.pipeline = self._made()
        for topic in (*TOPICS, PARKED):
            self.pipeline.broker.create_topic(topic, 2)

    def _made(self, before: Pipeline | None = None) -> Pipeline:
        park = {
            "bytes_max": self.random.choice([0, 5_000, 20_000, 10**6]),
            "ms_max": self.random.choice([1, 50, 86_400_000]),
        }
        # It stops two seconds before its deadline, with what an outage holds.
        pipeline = Pipeline(
            threads=2, docs_max=7, places=4, stop_ms=2_100, park=park, before=before
        )
        if before is not None:
            pipeline.dead_letters.letters += before.dead_letters.letters
        return pipeline

    def begin_anew(self) -> None:
        """
        Go on with another process.
        """
        self.consumers = 2 + len(self.pipeline.broker.sources)
        self.pipeline = self._made(self.pipeline)

    def befall(self) -> None:
        """
        Let something happen, and the sink work for a while.
        """
        self.random.choice(
            [
                self._produce,
                self._produce,
                self._produce,
                self._block,
                self._block,
                self._unblock,
                self._unblock,
                self._outage,
                self._parked_topic,
                self._move,
                self._break,
            ]
        )()
        self._work()

    def heal(self) -> None:
        """
        End what befell Elasticsearch and Kafka.
        """
        self.pipeline.elastic.up()
        self.pipeline.parked.up()
        for index in INDICES:
            self.pipeline.elastic.unblock(index)

    def _produce(self) -> None:
        topic, partition = self.random.choice(TOPICS), self.random.randrange(2)
        for _ in range(self.random.randint(1, 3)):
            count = self.random.randint(1, 15)
            begin, self.produced = self.produced, self.produced + count
            made = [self._value(n) for n in range(begin, begin + count)]
            self.pipeline.broker.produce(
                topic,
                *made,
                partition=partition,
                timestamp_ms=self.random.choice([1, FEBRUARY_MS]),
            )

    def _value(self, n: int) -> bytes:
        kinds = [b'{"n":%d}', b'{"n":%d}', b"text %d", b'[{"n":%d},{"m":0}]', b'{"dead":%d}']
        return self.random.choice(kinds) % n

    def _block(self) -> None:
        self.pipeline.elastic.block(self.random.choice(INDICES), *self.random.choice(REFUSALS))

    def _unblock(self) -> None:
        self.pipeline.elastic.unblock(self.random.choice(INDICES))

    def _outage(self) -> None:
        elastic = self.pipeline.elastic
        self._either(elastic.up, lambda: elastic.down(self._reply()))

    def _reply(self) -> Reply:
        return self.random.choice([BUSY, NO_ANSWER, UNAVAILABLE])

    def _parked_topic(self) -> None:
        self._either(self.pipeline.parked.up, self.pipeline.parked.down)

    def _either(self, *ways: Callable[[], None]) -> None:
        self.random.choice(ways)()

    def _alive(self) -> list[FakeSource]:
        return [source for source in self.pipeline.broker.sources if not source.closed]

    def _move(self) -> None:
        """
        Let a partition be another consumer's, or the same one's again.
        """
        alive = self._alive()
        owner = self.random.choice(alive)
        if len(alive) < 2 or not owner.assignment():
            return  # one that comes back would take what is free
        partition = self.random.choice(sorted(owner.assignment()))
        self._either(lambda: owner.revoke(partition), lambda: owner.lose(partition))
        wait_until(lambda: partition not in owner.promised(), 10, f"{partition} to be free")
        heir = self.random.choice(alive)
        heir.assign(partition)
        wait_until(lambda: partition in heir.assignment(), 10, f"{partition} to be assigned")

    def _break(self) -> None:
        """
        Break a consumer. The next is built once the bulk its worker sees through is settled.
        """
        if len(self._alive()) < 2:
            return
        broken = self.random.choice(self._alive())
        self.consumers += 1
        broken.fail(RuntimeError("the consumer broke"))
        wait_until(lambda: broken.closed, 10, "the consumer to be closed")

    def _work(self) -> None:
        elastic = self.pipeline.elastic
        begun, some = len(elastic.bodies), self.random.choice([0, 0, 2, 8])
        wait_until(
            lambda: len(elastic.bodies) >= begun + some or not self._busy(), 10, "some requests"
        )

    def _busy(self) -> bool:
        handoff = self.pipeline.handoff
        return bool(handoff.outstanding()[0] or handoff.parked)


@pytest.mark.parametrize("seed", range(8))
def test_in_the_end_all_is_accounted_for_and_nothing_waits(seed: int) -> None:
    schedule = Schedule(seed)
    schedule.pipeline.elastic.refuse(b"dead", 400, "document_parsing_exception", "failed to parse")
    with running(schedule.pipeline):
        _both_consumers(schedule)
        for _ in range(STEPS):
            schedule.befall()
    everything_is_accounted_for(schedule.pipeline, through=False)

    schedule.begin_anew()
    pipeline = schedule.pipeline
    with running(pipeline):
        _both_consumers(schedule)
        for _ in range(STEPS):
            schedule.befall()
        schedule.heal()
        pipeline.until_all_is_committed()
        wait_until(lambda: pipeline.handoff.aside() == (0, 0), 10, "all to come to its end")
        wait_until(lambda: not pipeline.handoff.parked, 10, "no index to be parked")
        wait_until(lambda: not pipeline.in_flight(), 10, "the ledger to be published")
    everything_is_accounted_for(pipeline)
    assert len(pipeline.broker.sources) == schedule.consumers, "a consumer broke by itself"


def _both_consumers(schedule: Schedule) -> None:
    """
    Wait for all partitions: a consumer that joins later takes only what is free.
    """
    everywhere = {Partition(t, n) for t in (*TOPICS, PARKED) for n in range(2)}
    wait_until(lambda: len(schedule._alive()) == 2, 10, "both consumers")
    wait_until(
        lambda: {p for source in schedule._alive() for p in source.assignment()} == everywhere,
        10,
        "all to be assigned",
    )
