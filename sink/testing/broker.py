"""
Kafka in memory: topics, a consumer group whose rebalances the test decides, faults on demand.

Any thread may call a FakeBroker; what it is told happens in the consumer's next poll, as with
librdkafka.
"""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sink.core.record import Partition
from sink.edge.kafka.source import Listener
from sink.errors import Unavailable
from sink.testing.record import FakeRecord
from sink.testing.source import FakeSource


@dataclass(slots=True)
class _Log:
    start: int = 0
    end: int = 0  # the offset the next record gets
    records: list[FakeRecord] = field(default_factory=list)


class FakeBroker:
    """
    The logs of some partitions, and what one consumer group committed of them.

    A source that is opened gets every partition that no other source has, unless `assigns` is
    False: then a test says who gets what, with `FakeSource.assign`.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()  # guards all below; told of whatever a poll waits for
        self.assigns = True
        self.sources: list[FakeSource] = []  # all that were ever opened, the newest last
        self.commits: list[dict[Partition, int]] = []  # that were accepted, in their order
        self.violations: list[str] = []  # what no consumer may do, and what would go unnoticed
        self._logs: dict[Partition, _Log] = {}
        self._committed: dict[Partition, int] = {}
        self._committed_under: dict[Partition, str] = {}  # the topic ids that commits carried
        self._created: Counter[str] = Counter()  # how often each topic was
        self._refusals = 0
        self._topic_id_failures = 0

    def create_topic(self, topic: str, partitions: int = 1) -> list[Partition]:
        """
        Create a topic.
        """
        with self.changed:
            made = [Partition(topic, number) for number in range(partitions)]
            self._logs |= {partition: _Log() for partition in made}
            return made

    def delete_topic(self, topic: str) -> None:
        """
        Delete a topic, and with it what the group committed of it. Nobody who reads it is told.
        """
        with self.changed:
            for partition in [p for p in self._logs if p.topic == topic]:
                del self._logs[partition]
                self._committed.pop(partition, None)
                self._committed_under.pop(partition, None)
            self._created[topic] += 1

    def produce(
        self, topic: str, *values: bytes | None, partition: int = 0, **more: Any
    ) -> list[FakeRecord]:
        """
        Append records to a partition, which is created when missing.

        Args:
            more: Of every record: key, headers, timestamp_ms, leader_epoch.
        """
        with self.changed:
            log = self._logs.setdefault(Partition(topic, partition), _Log())
            records = [
                FakeRecord(topic, partition, log.end + n, value, **more)
                for n, value in enumerate(values)
            ]
            log.records += records
            log.end += len(records)
            self.changed.notify_all()
            return records

    def skip(self, partition: Partition, offsets: int) -> None:
        """
        Leave a gap in the offsets, as compaction and transaction markers do.
        """
        with self.changed:
            self._logs[partition].end += offsets

    def expire(self, partition: Partition, before: int) -> None:
        """
        Delete the records before an offset, as retention does.
        """
        with self.changed:
            log = self._logs[partition]
            log.start = before
            log.end = max(log.end, before)
            log.records = [record for record in log.records if record.offset() >= before]

    def truncate(self, partition: Partition, end: int) -> None:
        """
        Cut a log off at an offset, as an unclean leader election does.
        """
        with self.changed:
            log = self._logs[partition]
            log.end = end
            log.records = [record for record in log.records if record.offset() < end]

    def records(self) -> list[FakeRecord]:
        """
        List all records that are still there.
        """
        with self.changed:
            return [record for log in self._logs.values() for record in log.records]

    def committed(self) -> dict[Partition, int]:
        """
        Give what the group committed: partition → next offset.
        """
        with self.changed:
            return dict(self._committed)

    def ends(self) -> dict[Partition, int]:
        """
        Give the end of each partition that was ever written to: where a group that is through is.
        """
        with self.changed:
            return {partition: log.end for partition, log in self._logs.items() if log.end}

    def refuse_commits(self, times: int) -> None:
        """
        Refuse the next commits: none of their offsets is stored.
        """
        with self.changed:
            self._refusals = times

    def refuse_topic_ids(self, times: int) -> None:
        """
        Do not answer the next questions for topic ids.
        """
        with self.changed:
            self._topic_id_failures = times

    def topic_ids(self, topics: Iterable[str]) -> dict[str, str]:
        """
        Tell the ids of topics (KIP-516).

        Raises:
            Unavailable: As often as `refuse_topic_ids` said.
        """
        with self.changed:
            if self._topic_id_failures:
                self._topic_id_failures -= 1
                raise Unavailable("Kafka does not answer: it was told not to")
            known = {partition.topic for partition in self._logs}
            return {
                topic: topic_id(topic, self._created[topic]) for topic in topics if topic in known
            }

    def open(self, listener: Listener) -> FakeSource:
        """
        Let a consumer join the group.
        """
        source = FakeSource(self, listener)
        with self.changed:
            owned = {p for other in self.sources for p in other.promised()}
            self.sources.append(source)
            free = [partition for partition in self._logs if partition not in owned]
            if self.assigns and free:
                source.assign(*free)
        return source

    def wake(self) -> None:
        """
        End the polls that wait for records.
        """
        with self.changed:
            self.changed.notify_all()

    def log_start(self, partition: Partition) -> int:
        """
        Give the first offset of a partition's log.
        """
        with self.changed:
            return self._log(partition).start

    def log_end(self, partition: Partition) -> int | None:
        """
        Give the offset that the next record of a partition gets; None where the topic is deleted.
        """
        with self.changed:
            return self._log(partition).end if partition in self._logs else None

    def read(self, partition: Partition, offset: int, records_max: int) -> list[FakeRecord] | None:
        """
        Read records from an offset on; None when it is out of range.
        """
        with self.changed:
            log = self._log(partition)
            if partition not in self._logs:
                return []  # deleted: nothing comes any more
            if not log.start <= offset <= log.end:
                return None
            first = bisect_left(log.records, offset, key=FakeRecord.offset)
            return log.records[first : first + records_max]

    def commit(
        self, offsets: dict[Partition, int], topic_ids: Mapping[str, str] | None = None
    ) -> bool:
        """
        Store offsets of the group, unless it was told to refuse them.

        Args:
            topic_ids: That the commit carries.
        """
        with self.changed:
            if self._refusals:
                self._refusals -= 1
                return False
            self._committed |= offsets
            for partition in offsets:
                carried = (topic_ids or {}).get(partition.topic, "")
                self._committed_under[partition] = carried
            self.commits.append(dict(offsets))
            return True

    def committed_under(self, partition: Partition) -> str | None:
        """
        Give the topic id that a partition's last commit carried; None where it carried none.
        """
        with self.changed:
            return self._committed_under.get(partition) or None

    def _log(self, partition: Partition) -> _Log:
        log = self._logs.get(partition)
        return _Log() if log is None else log


def topic_id(topic: str, recreated: int = 0) -> str:
    """
    Give the id that a FakeBroker has for a topic.

    Args:
        recreated: How often it was deleted before.
    """
    return f"id.{topic}" + (f".{recreated}" if recreated else "")
