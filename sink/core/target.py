"""
Where the documents of one topic go: which index by their time, and under which id.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from operator import itemgetter

from sink.core.bulk import Actions, Bound, action_lines, action_prefix
from sink.core.collect import Documents, Run, pieces
from sink.core.record import Record
from sink.core.route import Route

_time_of = itemgetter(1)


class Target:
    """
    Makes the action lines of one topic's documents.

    The id is `<topic id>-<partition>-<leader epoch>-<offset>[-n]`. The topic's id, not its name: a
    topic deleted and created again starts at offset 0, and its new records would meet old ids and
    vanish as duplicates. The leader epoch: after a truncation the same offset holds another record.

    Args:
        topic_id: KIP-516, or `<id_namespace>.<topic>` where the broker has none.
    """

    def __init__(self, topic: str, route: Route, topic_id: str) -> None:
        self.route = route
        self._topic = topic
        self._user_topic = route.user_topic(topic)
        self.topic_id = topic_id
        self._dated = route.names.dated(self._user_topic, 0)

    def pieces(self, run: Run, docs_max: int) -> Iterator[tuple[Run, Documents, Actions]]:
        """
        Make the documents of a run, piece by piece, each with its action.
        """
        for piece, made in pieces(run, self.route.collector, docs_max):
            made.rejected = [replace(each, topic_id=self.topic_id) for each in made.rejected]
            yield piece, made, self.actions(piece, made)

    def actions(self, run: Run, documents: Documents) -> Actions:
        """
        Make the action line of each document of a run.

        Cost: 0.21 µs a document where all are of one period (0.09 of it reads the times, where the
        collector did not).
        """
        lines: list[bytes] = []
        bounds: list[tuple[Bound, int]] = []
        ids = documents.ids
        records = documents.records
        times_ms = documents.times_ms or _times_ms(records, alike=records is run.records)
        for begin, end, index, leader_epoch in self._segments(records, times_ms):
            prefix = self._prefix(run.partition.number, index, leader_epoch)
            part = ids if end - begin == len(ids) else ids[begin:end]
            lines += action_lines(prefix, part, with_id=self.route.deterministic_ids)
            bounds.append((Bound(index, self._topic, self.topic_id), end - begin))
        return Actions(lines, bounds)

    def index(self, time_ms: int) -> str:
        """
        Name the index for a record's time. The last period is remembered.
        """
        dated = self._dated
        if not dated.from_ms <= time_ms < dated.until_ms:
            dated = self._dated = self.route.names.dated(self._user_topic, time_ms)
        return dated.name

    def _segments(
        self, records: list[Record], times_ms: list[int]
    ) -> Iterator[tuple[int, int, str, int]]:
        """
        Split a run where the index or the leader epoch changes: (begin, end, index, epoch).
        """
        if not records:
            return
        first, last = records[0].leader_epoch(), records[-1].leader_epoch()
        index = self.index(min(times_ms))
        # Leader epochs only grow within a partition: the same at both ends is the same throughout.
        if first == last and max(times_ms) < self._dated.until_ms:
            yield 0, len(records), index, first or 0
            return
        begin = 0
        epochs = (record.leader_epoch() for record in records)
        places = zip(map(self.index, times_ms), epochs, strict=True)
        for (name, leader_epoch), same in groupby(places):
            end = begin + len(list(same))
            yield begin, end, name, leader_epoch or 0
            begin = end

    def _prefix(self, partition: int, index: str, leader_epoch: int) -> bytes:
        id_prefix = f"{self.topic_id}-{partition}-{leader_epoch}-"
        wanted = id_prefix if self.route.deterministic_ids else None
        return action_prefix(self.route.op_type, index, wanted, self.route.pipeline)


def _times_ms(records: list[Record], *, alike: bool) -> list[int]:
    """
    Read the times of records.

    Args:
        alike: All are of one class, so that its method may be mapped over them.
    """
    if not records:
        return []
    method = type(records[0]).timestamp
    return list(map(_time_of, map(method, records) if alike else (r.timestamp() for r in records)))
