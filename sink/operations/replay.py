"""
Reads a range of a topic again and indexes it as the daemon would, in no group.

Index and id are those the daemon gives, so what is indexed already is turned away as a duplicate.
No committed offset is touched and nothing is dead-lettered: what is refused is told.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import repeat

from sink.config import Config
from sink.core.bulk import Actions
from sink.core.collect import runs
from sink.core.dead_letter import target_of
from sink.core.legal_names import NAME_BYTES_MAX
from sink.core.naming import Dated
from sink.core.record import Partition, Record
from sink.core.route import Route, route_of
from sink.core.target import Target
from sink.edge.kafka.admin import Brokers
from sink.edge.kafka.reader import Bound, Reader
from sink.errors import ConfigError, Unavailable
from sink.operations.item import Item
from sink.operations.report import Origin, Report
from sink.operations.resend import Sending
from sink.reading.targets import Targets
from sink.routes import routes_of

_RECORDS_MAX = 5000
# Source: Elasticsearch, "Create index API": what a name may begin with and hold.
_SHADOW = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    What is to be replayed, and to where.

    Args:
        begin: First offset, or the first record at or after a time.
        end: Offset after the last, or the first record at or after a time; None: what is there now.
        partitions: Empty for all.
        shadow: Put before the name of each index: the documents go there under the same ids.
        rate: Records a second; 0 for no limit.
    """

    topic: str
    begin: Bound
    end: Bound | None = None
    partitions: tuple[int, ...] = ()
    shadow: str | None = None
    rate: int = 0

    def __post_init__(self) -> None:
        begin, end = self.begin, self.end
        if isinstance(begin, int) == isinstance(end, int) and end is not None and end < begin:  # type: ignore[operator]
            raise ConfigError(f"--to {end} lies before --from {begin}")


class TopicReplay:
    """
    A replay of a range of a topic: the offsets are fixed when it is made.

    Raises:
        ConfigError: There is no such topic or partition, no route takes it, or it cannot be
            replayed into the same index without doubling its documents.
        Unauthorized, Unavailable: With the reason.
    """

    def __init__(self, config: Config, reader: Reader, brokers: Brokers, wanted: Wanted) -> None:
        self.report = Report()
        self._wanted = wanted
        self._docs_max = config.bulk.docs_max
        self._reader = reader
        self._target = target(config, brokers, wanted)
        self.spans = reader.spans(_partitions(reader, wanted), wanted.begin, wanted.end)

    @property
    def records(self) -> int:
        """
        How many records have to be read, at most: compaction and markers leave gaps.
        """
        return sum(span.offsets for span in self.spans)

    def run(self, sending: Sending | None, progress: Callable[[int], None]) -> None:
        """
        Send the range, or only say in the report what would be sent.

        Args:
            sending: None for a dry run.
            progress: Is told how many records more were read and seen through.
        Raises:
            Unauthorized, Unavailable: With the reason. What was sent until then is in the report.
        """
        pace = Pace(self._wanted.rate if sending else 0, time.monotonic, time.sleep)
        for batch in self._reader.batches(self.spans, pace.records_max):
            items = items_of(batch, self._target, self._docs_max, self.report)
            if sending is None:
                for item in items:
                    self.report.planned[(item.index,)] += 1
            else:
                sending.send(items)
            progress(len(batch))
            pace.wait(len(batch))
        self.report.complete = True


class Pace:
    """
    Keeps a loop to a number of records a second.

    Args:
        rate: Records a second; 0 for no limit.
    """

    def __init__(
        self, rate: int, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._next_s = clock()
        # A second's worth at most, so that the load is even.
        self.records_max = min(_RECORDS_MAX, rate or _RECORDS_MAX)

    def wait(self, records: int) -> None:
        """
        Wait until the next records are due. Time that sending took longer is not made up for.
        """
        if not self._rate:
            return
        now = self._clock()
        self._next_s = max(self._next_s + records / self._rate, now)
        self._sleep(self._next_s - now)


class ShadowTarget(Target):
    """
    A target whose documents go to indices beside the real ones.
    """

    def __init__(self, topic: str, route: Route, topic_id: str, shadow: str) -> None:
        super().__init__(topic, route, topic_id)
        self._shadow = shadow

    def dated(self, time_ms: int, values: tuple[str, ...]) -> Dated:
        """
        Name the shadow index, and tell for which times.

        Raises:
            ConfigError: The name would be too long.
        """
        found = super().dated(time_ms, values)
        name = self._shadow + found.name
        if len(name.encode()) > NAME_BYTES_MAX:
            raise ConfigError(f"--shadow: index name {name} would have more than 255 bytes")
        return found._replace(name=name)


def target(config: Config, brokers: Brokers, wanted: Wanted) -> Target:
    """
    Make the target of a replay.

    Raises:
        ConfigError: No route takes the topic, or it cannot go where it is wanted.
        Unauthorized, Unavailable: With the reason.
    """
    topic, routes = wanted.topic, routes_of(config)
    if topic not in (there := brokers.topics()):
        near = get_close_matches(topic, there, n=1)
        hint = f"did you mean {near[0]}?" if near else "see `sink check` for those that match"
        raise ConfigError(f"--topic: Kafka has no topic {topic}; {hint}")
    route = route_of(topic, routes)
    if route is None:
        raise ConfigError(f"--topic: no route takes {topic}, so it has no index: add it to a route")
    if wanted.shadow is None and (harm := _harm(route)):
        raise ConfigError(
            f"--topic: route {route.name} has {harm}. Replay into another with --shadow"
        )
    targets = Targets(routes, brokers.topic_ids, config.kafka.id_namespace)
    targets.learn([topic])
    real = targets[topic]
    assert isinstance(real, Target)  # only the parked topic has another, and no route takes that
    if wanted.shadow is None:
        return real
    if not _SHADOW.fullmatch(wanted.shadow):
        raise ConfigError(
            f"--shadow: {wanted.shadow!r} cannot begin an index name: lower-case letters, digits, "
            ". _ and - only, a letter or digit first, at most 64"
        )
    # A shadow index is new: its documents always get ids, so that a second replay adds nothing.
    route = replace(route, new_per_hour_max=None)
    if route.id_field is None:
        route = replace(route, op_type="create", deterministic_ids=True)
    return ShadowTarget(topic, route, real.topic_id, wanted.shadow)


def _harm(route: Route) -> str:
    """
    Say what a replay would do to the documents of a route that are there; empty for nothing.
    """
    if route.id_field is not None:
        if route.op_type == "create" or route.versioned:
            return ""
        return (
            'id = "field" and op_type = "index" without version = "offset": a replay into the same '
            "index would put older documents in the place of newer ones"
        )
    if route.deterministic_ids:
        return ""
    return 'id = "none": a replay into the same index would double what is there'


def items_of(
    records: Iterable[Record], target: Target, docs_max: int, report: Report
) -> Iterator[Item]:
    """
    Give the documents of records as the daemon would make them.

    Args:
        report: Is told what gives no document, and why.
    """
    for run in runs(list(records)):
        for _, made, actions in target.pieces(run, docs_max):
            report.drop(made.dropped)
            for each in made.rejected:
                origin = _origin(each.record)
                report.refuse(origin, "", each.error_type, each.reason, len(each))
            lines = zip(actions.lines, made.sources, made.records, strict=True)
            overflow = _overflow(actions, target)
            for (action, source, record), its in zip(lines, overflow, strict=True):
                yield Item(action, source, target_of(action)[0], _origin(record), its)


def _overflow(actions: Actions, target: Target) -> Iterator[str | None]:
    """
    Tell for each document where it is if its index was one too many.
    """
    asks = target.route.new_per_hour_max is not None and target.route.op_type == "create"
    for bound, documents in actions.bounds:
        overflow = bound.series.overflow if asks and bound.series else None
        yield from repeat(overflow, documents)


def _partitions(reader: Reader, wanted: Wanted) -> list[Partition]:
    there = reader.partitions(wanted.topic)
    if not there:
        raise Unavailable(f"Kafka tells no partitions of topic {wanted.topic}")
    if not wanted.partitions:
        return there
    numbers = {partition.number for partition in there}
    missing = sorted(set(wanted.partitions) - numbers)
    if missing:
        raise ConfigError(
            f"--partition: topic {wanted.topic} has no partition {missing[0]}; "
            f"it has 0 to {max(numbers)}"
        )
    return [partition for partition in there if partition.number in wanted.partitions]


def _origin(record: Record) -> Origin:
    return Origin(record.topic() or "", record.partition() or 0, record.offset() or 0)
