"""
Looks at the sinks and at the group's lag every few seconds, while the soak goes on.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.engines.running import Setup, SinkProcess
from tests.faults.steady import Steady

_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Vitals:
    """
    What a sink's process takes, as the kernel tells.
    """

    pid: int
    rss_mib: float
    fds: int
    threads: int


@dataclass(frozen=True)
class Sample:
    """
    One look.

    Args:
        at_s: Since the soak began.
        lag: Records that the broker has and that are not committed; None while nobody tells.
        sinks: By number; None where one does not run.
    """

    at_s: float
    produced: int
    committed: int | None
    lag: int | None
    sinks: list[Vitals | None]


class Sampler:
    """
    Takes samples on a thread of its own. A context manager.

    Args:
        sinks: Replaced at each restart, in place.
        told: Called with each sample.
    """

    def __init__(
        self,
        setup: Setup,
        partitions: dict[str, int],
        sinks: Sequence[SinkProcess],
        steady: Steady,
        every_s: float,
        told: Callable[[Sample], object],
    ) -> None:
        self.samples: list[Sample] = []
        self._sinks = sinks
        self._steady = steady
        self._every_s = every_s
        self._told = told
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="sampler", daemon=True)
        self._places = [
            TopicPartition(setup.topic(name), number)
            for name, count in partitions.items()
            for number in range(count)
        ]
        servers = {"bootstrap.servers": setup.kafka.bootstrap_servers, "log_level": 0}
        self._consumer = Consumer({**servers, "group.id": setup.group})

    def __enter__(self) -> Self:
        self._began_s = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(10 * _TIMEOUT_S)
        self._consumer.close()

    def _look(self) -> None:
        while not self._over.wait(self._every_s):
            sample = self._sample()
            self.samples.append(sample)
            self._told(sample)

    def _sample(self) -> Sample:
        produced = self._steady.acknowledged
        committed = self._committed()
        lag = None if committed is None else max(0, produced - committed)
        sinks = [_vitals(sink.process.pid) for sink in self._sinks]
        return Sample(time.monotonic() - self._began_s, produced, committed, lag, sinks)

    def _committed(self) -> int | None:
        """
        Add up the committed offsets; None while the broker does not tell.
        """
        try:
            places = self._consumer.committed(self._places, timeout=_TIMEOUT_S)
        except KafkaException:  # it is frozen or dead: that is what the mishaps are for
            return None
        return sum(max(0, place.offset) for place in places)


def _vitals(pid: int) -> Vitals | None:
    place = Path(f"/proc/{pid}")
    try:
        status = dict(
            line.split(":", 1) for line in (place / "status").read_text().splitlines() if line
        )
        fds = len([*(place / "fd").iterdir()])
    except OSError:
        return None
    if "VmRSS" not in status:  # it has ended, and nobody has asked for its exit code yet
        return None
    rss_mib = int(status["VmRSS"].split()[0]) / 1024
    return Vitals(pid, round(rss_mib, 1), fds, int(status["Threads"]))
