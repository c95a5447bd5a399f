"""
`sink audit`: find each document of a range of a topic.

It reads the range in no group, makes index and id of each document as the daemon does, and asks
Elasticsearch, the dead letters and the parked topic for it. It writes nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from sink.config import Config
from sink.core.audit import Accounts, Explained, Fate, Finding, index_patterns
from sink.core.record import Partition
from sink.core.route import route_of
from sink.core.target import Target
from sink.edge.elastic import Elastic
from sink.edge.kafka.groups import Groups
from sink.edge.kafka.reader import Bound, Reader
from sink.edge.search import Pages, Scan
from sink.errors import ConfigError
from sink.operations.audit_letters import Letters
from sink.operations.audit_records import Walk
from sink.reading.targets import Targets
from sink.routes import routes_of


class Range(NamedTuple):
    """
    Which records of a topic: None stands for all there are.

    Args:
        end: Offset after the last, or records before a time.
    """

    topic: str
    begin: Bound | None = None
    end: Bound | None = None
    partition: int | None = None


class Step(NamedTuple):
    """
    A piece of work that was done.

    Args:
        done: Of `of`, in this step.
    """

    stage: str
    done: int
    of: int
    findings: list[Finding]


class Audit:
    """
    One audit. `counts` and `foreign` hold when all steps were taken.

    Args:
        surplus: Look for documents that no record explains as well.
    Raises:
        ConfigError: No route reads the topic, or the ids of its documents cannot be known.
    """

    def __init__(self, config: Config, wanted: Range, *, surplus: bool = False) -> None:
        self._config = config
        self._wanted = wanted
        self._surplus = surplus
        self._routes = routes_of(config)
        route = route_of(wanted.topic, self._routes)
        if route is None:
            raise ConfigError(f"no route reads topic {wanted.topic}: nothing of it is indexed")
        if route.id_field is not None:
            raise ConfigError(
                f"routes.{route.name}.id: the documents of this route bring their ids with them in "
                f"{route.id_field}, and one document may stand for many records: only a route with "
                'id = "offset" can be audited'
            )
        if not route.deterministic_ids:
            raise ConfigError(
                f"routes.{route.name}.id: Elasticsearch picks the ids of this route, so nobody can "
                "tell which record a document came from: only a route with ids can be audited"
            )
        # fate → documents; what was dropped by its rule, as in the ledger
        self.counts: Counter[str] = Counter({fate.value: 0 for fate in Fate})
        # topic of letters → messages in it that the sink did not write
        self.foreign: Counter[str] = Counter()

    def steps(self) -> Iterator[Step]:
        """
        Do the work, step by step.

        Raises:
            ConfigError: The topic or the partition is not there.
            Unauthorized, Unavailable: With the reason.
        """
        with asyncio.Runner() as runner, Reader(self._config.kafka) as reader:
            elastic = Elastic(self._config.elasticsearch)
            try:
                yield from self._steps(runner, elastic, reader)
            finally:
                runner.run(elastic.close())

    def _steps(self, runner: asyncio.Runner, elastic: Elastic, reader: Reader) -> Iterator[Step]:
        topic = self._wanted.topic
        partitions = self._partitions(reader)
        groups = Groups(self._config.kafka)
        target = self._target(groups)
        # First of all: what is committed now has its fate already, wherever that is looked for.
        committed = groups.committed(self._config.kafka.group_id)
        spans = reader.spans(partitions, self._wanted.begin, self._wanted.end)
        bounds = {span.partition.number: (span.begin, span.end) for span in spans}

        letters = Letters(topic, target.topic_id, bounds)
        for done, of in letters.read(reader, self._config, committed):
            yield Step("dead and parked", done, of, [])
        self.foreign = letters.foreign

        of_topic = {place.number: at for place, at in committed.items() if place.topic == topic}
        parked = letters.parked
        accounts = Accounts(of_topic, letters.dead, parked.waiting(), parked.dropped())
        explained = Explained(target.topic_id, bounds) if self._surplus else None
        walk = Walk(topic, target, accounts, explained, self.counts)
        for done, of, missing in walk.follow(reader, spans, runner, Pages(elastic)):
            yield Step("records", done, of, missing)
        if explained is not None:
            yield from self._scan(runner, Scan(elastic, index_patterns(target)), explained)

    def _scan(self, runner: asyncio.Runner, scan: Scan, explained: Explained) -> Iterator[Step]:
        self.counts.update(surplus=0, twice=0)
        try:
            runner.run(scan.open())
            while page := runner.run(scan.page()):
                findings = []
                for name in page:
                    judged = explained.judge(name.id)
                    if judged is not None:
                        kind, place = judged
                        self.counts[kind] += 1
                        findings.append(Finding(kind, self._wanted.topic, place, *name))
                yield Step("surplus", len(page), scan.documents, findings)
        finally:
            runner.run(scan.close())

    def _partitions(self, reader: Reader) -> list[Partition]:
        topic, number = self._wanted.topic, self._wanted.partition
        partitions = reader.partitions(topic)
        if not partitions:
            raise ConfigError(f"topic {topic} is not there")
        if number is None:
            return partitions
        if Partition(topic, number) not in partitions:
            raise ConfigError(f"topic {topic} has no partition {number}, but {len(partitions)}")
        return [Partition(topic, number)]

    def _target(self, groups: Groups) -> Target:
        targets = Targets(self._routes, groups.topic_ids, self._config.kafka.id_namespace)
        targets.learn([self._wanted.topic])
        target = targets[self._wanted.topic]
        assert isinstance(target, Target)  # no route may read the parked topic
        return target
