"""
What a scenario plays on: the engines, a name of its own, a seed, and the judge.
"""

import time
from collections.abc import Callable, Set, Sized
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Protocol

from confluent_kafka import Message

from engines import Elasticsearch, Kafka, start_together
from engines.process import Engine
from tests.engines.oracle import examine
from tests.engines.running import Setup, SinkProcess

# How long a scenario waits for what must come: a machine may be busy with other work.
PATIENCE_S = 120


class Broken(AssertionError):
    """
    E, D or O does not hold.
    """


class Found(Protocol):
    """
    What a judge found: by numbers (`tests.engines.oracle`), by ids, or by counting.
    """

    @property
    def produced(self) -> int:
        """
        Count the records.
        """

    @property
    def missing(self) -> Sized:
        """
        Give those that are nowhere: E.
        """

    @property
    def twice(self) -> Sized:
        """
        Give those that are there twice: D.
        """

    @property
    def too_far(self) -> Sized:
        """
        Give those that are nowhere and were committed past: O.
        """

    def said(self) -> list[str]:
        """
        Say what does not hold; empty when all does.
        """


class Engines:
    """
    One real Kafka and one real Elasticsearch that all scenarios of a run share.

    Args:
        start: Starts both; called once, when the first scenario asks for one.
    """

    def __init__(self, start: Callable[[], tuple[Kafka, Elasticsearch]]) -> None:
        self._start = start
        self._both: tuple[Kafka, Elasticsearch] | None = None

    @classmethod
    def in_folder(cls, folder: Path, ends: ExitStack) -> "Engines":
        """
        Start them in a folder, and stop them when the stack is closed.
        """

        def start() -> tuple[Kafka, Elasticsearch]:
            # Scenarios write records of other months: retention would delete them.
            kafka = Kafka(folder / "kafka", fast_start=True, settings={"log.retention.ms": -1})
            elasticsearch = Elasticsearch(folder / "elasticsearch", heap="1g", fast_start=True)
            start_together(kafka, elasticsearch)
            ends.callback(kafka.stop)
            ends.callback(elasticsearch.stop)
            return kafka, elasticsearch

        return cls(start)

    def both(self) -> tuple[Kafka, Elasticsearch]:
        """
        Give both; they are started when there was no need of them before.
        """
        if self._both is None:
            self._both = self._start()
        return self._both

    def revive(self) -> None:
        """
        Bring back the one that a scenario left frozen or dead.
        """
        for engine in self._both or ():
            engine.thaw()
            if engine.pid is None:
                engine.start()


@dataclass
class Tally:
    """
    What the judge found in a scenario, added up over its setups.
    """

    records: int = 0
    missing: int = 0  # E
    twice: int = 0  # D
    too_far: int = 0  # O

    def add(self, found: Found) -> None:
        """
        Add what was found in a setup.
        """
        self.records += found.produced
        self.missing += len(found.missing)
        self.twice += len(found.twice)
        self.too_far += len(found.too_far)


class Stage:
    """
    One playing of one scenario.

    Args:
        key: Of the scenario.
        seed: Of every choice that it makes: `self.random`.
        folder: For logs and configurations of its sinks, empty.
    """

    def __init__(self, key: str, seed: int, folder: Path, engines: Engines) -> None:
        self.random = Random(f"{key}/{seed}")
        self.tally = Tally()
        self.recover_s: float | None = None
        self.judged = False
        self.notes: list[str] = []
        self.folder = folder
        self._name = f"f{key}x{seed}"
        self._engines = engines
        self._ends = ExitStack()
        self._setups = 0
        self._sinks = 0
        self._healed_at = 0.0

    @property
    def kafka(self) -> Kafka:
        """
        The shared broker: 4 partitions a topic, topics are not made by themselves.
        """
        return self._engines.both()[0]

    @property
    def elasticsearch(self) -> Elasticsearch:
        """
        The shared node, without security.
        """
        return self._engines.both()[1]

    def started(self, *engines: Engine) -> None:
        """
        Start engines of the scenario's own at the same time; they are killed when it is over.
        """
        for engine in engines:
            self._ends.callback(engine.kill)
        start_together(*engines)

    def setup(
        self,
        *,
        kafka: Kafka | None = None,
        elasticsearch: Elasticsearch | None = None,
        **settings: str,
    ) -> Setup:
        """
        Make a setup of topics, indices and group of its own.

        Args:
            settings: As `tests.engines.running.Setup.settings`: TOML lines of [kafka], [bulk] …;
                `url` and `bootstrap` put something between the sink and the engines.
        """
        self._setups += 1
        # A seed may be played twice on the same engines: the clock makes the names differ.
        name = f"{self._name}-{self._setups}-{time.monotonic_ns() % 10**9}"
        folder = self.folder / f"setup-{self._setups}"
        folder.mkdir(parents=True)
        return Setup(
            kafka or self.kafka, elasticsearch or self.elasticsearch, folder, name, settings
        )

    def sink(self, setup: Setup) -> SinkProcess:
        """
        Start `sink run`, with a log of its own; it is killed when the scenario is over.
        """
        self._sinks += 1
        return self._ends.enter_context(SinkProcess(setup, self._sinks))

    def note(self, figure: str) -> None:
        """
        Say a figure that belongs into the row.
        """
        self.notes.append(figure)

    def healed(self) -> None:
        """
        Note that the fault is over now: the time to recover begins.
        """
        self._healed_at = time.monotonic()

    def recovered(self) -> None:
        """
        Note that all is well again; the longest time of several counts.
        """
        assert self._healed_at, "the scenario did not say when its fault was over"
        self.recover_s = max(self.recover_s or 0.0, time.monotonic() - self._healed_at)

    def judge(
        self,
        setup: Setup,
        user_topics: list[str],
        *,
        dropped: Callable[[Message], bool] = lambda _: False,
        doubled: Set[int] = frozenset(),
    ) -> int:
        """
        Hold E, D and O over every produced record.

        Returns:
            How many records were produced.
        Raises:
            Broken: One does not hold.
        """
        return self.hold(examine(setup, user_topics, dropped=dropped, doubled=doubled))

    def hold(self, found: Found) -> int:
        """
        Hold E, D and O over what a judge found.

        Returns:
            How many records were produced.
        Raises:
            Broken: One does not hold.
        """
        self.judged = True
        self.tally.add(found)
        if said := found.said():
            raise Broken("; ".join(said))
        return found.produced

    def close(self) -> None:
        """
        End what the scenario started.
        """
        self._ends.close()
