"""
Producers that go on at a pace of their own while mishaps befall everything else.
"""

import threading
import time
from collections.abc import Sequence
from random import Random
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, Message, Producer

from tests.engines.producing import numbered
from tests.engines.running import Setup

_TICK_S = 0.05
_RUN = 20  # records in a row to one topic, so that batches fill
_FLUSH_S = 90


class Steady:
    """
    Produces numbered records at an even rate, on a thread. A context manager.

    After a pause (the broker is away and the queue is full) it makes up for it.

    Args:
        user_topics: Each run of records goes to one of them by chance.
        per_s: Records a second.
        first: The number of its first record; the others follow without a gap.
    """

    def __init__(
        self,
        setup: Setup,
        user_topics: Sequence[str],
        per_s: int,
        *,
        random: Random,
        first: int = 0,
    ) -> None:
        self._topics = [setup.topic(name) for name in user_topics]
        self._per_s = per_s
        self._random = Random(random.random())  # the thread has a generator of its own
        self._first = first
        self._made = 0
        self._acknowledged = 0
        self._failures: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._produce, name="steady", daemon=True)
        self._producer = Producer(
            {
                "bootstrap.servers": setup.kafka.bootstrap_servers,
                # A batch sent again to a broker that was killed must not stand there twice: the
                # judge would take it for two records of one number.
                "enable.idempotence": True,
                "message.timeout.ms": 600_000,
                "queue.buffering.max.messages": 1_000_000,
                "linger.ms": 20,
                "log_level": 0,  # that the broker is away is what the mishaps are for
            }
        )

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(_FLUSH_S)

    @property
    def acknowledged(self) -> int:
        """
        Count the records that the broker has.
        """
        return self._acknowledged

    @property
    def late_s(self) -> float:
        """
        Tell by how much it is behind its pace, in seconds of records that the broker has not yet.
        """
        return time.monotonic() - self._began - self._acknowledged / self._per_s

    def end(self) -> int:
        """
        Produce no more, and wait until the broker has all.

        Returns:
            How many records there are.
        Raises:
            AssertionError: The broker does not have all of them.
        """
        self._over.set()
        self._thread.join(_FLUSH_S)
        left = self._producer.flush(_FLUSH_S)
        assert not left, f"{left} records are still on their way to the broker"
        assert not self._failures, f"not all could be produced: {self._failures[0]}"
        return self._made

    def _produce(self) -> None:
        while not self._over.wait(_TICK_S):
            due = int((time.monotonic() - self._began) * self._per_s)
            while self._made < due and not self._over.is_set():
                self._run(min(_RUN, due - self._made))
            self._producer.poll(0)

    def _run(self, count: int) -> None:
        topic = self._random.choice(self._topics)
        for value in numbered(self._first + self._made, count):
            while True:
                try:
                    self._producer.produce(topic, value, on_delivery=self._done)
                    break
                except BufferError:
                    self._producer.poll(0.1)
        self._made += count

    def _done(self, error: KafkaError | None, _: Message) -> None:
        if error is None:
            self._acknowledged += 1
        else:
            self._failures.append(str(error))
