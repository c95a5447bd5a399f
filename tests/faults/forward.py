"""
The committed offsets of a group, looked at again and again.
"""

import threading
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.engines.running import Setup

_EVERY_S = 0.1
_ANSWER_S = 5.0
_END_S = 30.0


class OnlyForward:
    """
    Watches that no committed offset of a topic goes back. A context manager, which raises at its
    end when one did.

    Args:
        partitions: Of the topic.
    """

    def __init__(self, setup: Setup, user_topic: str, partitions: int) -> None:
        self._places = [TopicPartition(setup.topic(user_topic), n) for n in range(partitions)]
        self._committed: dict[int, int] = {}
        self._went_back: list[str] = []
        self._looked = 0
        self._over = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": setup.settings.get("bootstrap", setup.kafka.bootstrap_servers),
                "group.id": setup.group,
                # A frozen coordinator is given up after this time, not after a minute.
                "socket.timeout.ms": int(_ANSWER_S * 1000),
                "log_level": 0,  # that brokers go away is what the scenarios are for
            }
        )
        self._thread = threading.Thread(target=self._watch, name="only-forward", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(_END_S)
        self._consumer.close()
        if kind is None:
            assert self._looked > 1, "the committed offsets could not be looked at"
            assert not self._went_back, f"went back: {', '.join(self._went_back[:3])}"

    @property
    def total(self) -> int:
        """
        Add up the committed offsets, as they were seen last.
        """
        return sum(self._committed.values())

    def _watch(self) -> None:
        while not self._over.wait(_EVERY_S):
            try:
                answer = self._consumer.committed(self._places, timeout=_ANSWER_S)
            except KafkaException:
                continue  # the coordinator is away, or loads the group: nothing was seen
            self._looked += 1
            for place in answer:
                self._see(place.partition, max(place.offset, 0))

    def _see(self, partition: int, offset: int) -> None:
        before = self._committed.get(partition, 0)
        if offset < before:
            self._went_back.append(f"partition {partition} from {before} to {offset}")
        self._committed[partition] = offset
