"""
Where the documents of one topic go: which index by their time and fields, and under which id.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, repeat
from operator import itemgetter
from typing import cast

from sink.core.action import action_halves, action_lines, action_prefix, field_lines
from sink.core.bulk import Actions, Bound
from sink.core.collect import Documents, Run, pieces
from sink.core.dating import NO_TIME
from sink.core.document_id import json_id, without_id
from sink.core.legal_names import UNKNOWN, part
from sink.core.lookup import Column, Lookup
from sink.core.naming import UNDATED, Dated
from sink.core.record import Record
from sink.core.route import Route
from sink.core.series import series_of

_time_of = itemgetter(1)
_KNOWN_MAX = 10_000  # names remembered: some 3 MB

Values = tuple[str, ...]  # of the fields in an index name, each fit for one
_Segment = tuple[int, int, Bound, int]  # begin, end, whereto, leader epoch


class Target:
    """
    Makes the action lines of one topic's documents.

    The id is `<topic id>-<partition>-<leader epoch>-<offset>[-n]`. The topic's id, not its name: a
    topic deleted and created again starts at offset 0, and its new records would meet old ids and
    vanish as duplicates. The leader epoch: after a truncation the same offset holds another record.
    Or it is what a field of the document holds, or there is none.

    Args:
        topic_id: KIP-516, or `<id_namespace>.<topic>` where the broker has none.
    """

    def __init__(self, topic: str, route: Route, topic_id: str) -> None:
        self.route = route
        self._topic = topic
        self._user_topic = route.user_topic(topic)
        self.topic_id = topic_id
        self._known: dict[Values, tuple[Dated, Bound]] = {}  # the last period of each name
        self._parts: dict[object, str] = {}
        wanted = (*route.names.fields, route.dating.field, route.id_field)
        self._paths = list(dict.fromkeys(path for path in wanted if path is not None))
        self._lookup = Lookup(self._paths) if self._paths else None

    def pieces(self, run: Run, docs_max: int) -> Iterator[tuple[Run, Documents, Actions]]:
        """
        Make the documents of a run, piece by piece, each with its action.
        """
        for piece, made in pieces(run, self.route.collector, docs_max):
            actions = self.actions(piece, made)
            made.rejected = [replace(each, topic_id=self.topic_id) for each in made.rejected]
            yield piece, made, actions

    def actions(self, run: Run, documents: Documents) -> Actions:
        """
        Make the action line of each document of a run. What can have none is rejected.

        Cost: 0.1 µs a document where all are of one period (0.09 more to read the times, where the
        collector did not). With a field in the index name 1.0, and 2.7 for each change of the
        index; 2.3 where a field dates it, 0.7 where one is the id.
        """
        columns = self._lookup.columns(documents.sources) if self._lookup else []
        ids = self._ids(documents, columns)
        if not documents.records:
            return Actions([], [])
        begins: list[bytes] = []
        ends: list[bytes] = []
        bounds: list[tuple[Bound, int]] = []
        alike = documents.records is run.records
        for segment in self._segments(documents, columns, alike=alike):
            lines, rests = self._lines(run, documents, ids, segment)
            begins += lines
            ends += rests
            begin, end, bound, _ = segment
            bounds.append((bound, end - begin))
        return Actions(begins, bounds, ends)

    def index(self, time_ms: int, values: Values = ()) -> str:
        """
        Name the index for a time and what fields hold.
        """
        return self._bound(time_ms, values).index

    def dated(self, time_ms: int, values: Values) -> Dated:
        """
        Name the index, and tell for which times.
        """
        return self.route.names.dated(self._user_topic, time_ms, values)

    def _column(self, columns: list[Column], path: str) -> Column:
        return columns[self._paths.index(path)]

    def _ids(self, documents: Documents, columns: list[Column]) -> list[bytes]:
        """
        Give the ids, as JSON, that documents bring with them; what has none is taken out.
        """
        path = self.route.id_field
        if path is None:
            return []
        ids = list(map(json_id, self._column(columns, path)))
        found = [name for name in ids if isinstance(name, bytes)]
        if len(found) < len(ids):
            without_id(documents, ids, columns, path)
        return found

    def _lines(
        self, run: Run, documents: Documents, ids: list[bytes], segment: _Segment
    ) -> tuple[list[bytes], list[bytes]]:
        """
        Make the action lines of a segment: how each begins, and how it ends if that is not all.
        """
        begin, end, bound, leader_epoch = segment
        index = bound.index
        if self.route.id_field is not None:
            versions = None
            if self.route.versioned:
                versions = [cast("int", each.offset()) for each in documents.records[begin:end]]
            prefix = action_prefix(self.route.op_type, index, None, self.route.pipeline)
            return field_lines(prefix, ids[begin:end], versions), [b""] * (end - begin)
        part_ = documents.ids if end - begin == len(documents.ids) else documents.ids[begin:end]
        prefix = self._prefix(run.partition.number, index, leader_epoch)
        if isinstance(part_, range) and self.route.deterministic_ids:
            return action_halves(prefix, part_)
        lines = action_lines(prefix, part_, with_id=self.route.deterministic_ids)
        return lines, [b""] * (end - begin)

    def _segments(
        self, documents: Documents, columns: list[Column], *, alike: bool
    ) -> Iterator[_Segment]:
        """
        Split documents where the index or the leader epoch changes.

        Args:
            alike: Their records are of one class.
        """
        records = documents.records
        times_ms = self._times_ms(documents, columns, alike=alike)
        # Leader epochs only grow within a partition: the same at both ends is the same throughout.
        first, last = records[0].leader_epoch(), records[-1].leader_epoch()
        if not self.route.names.fields:
            bound = self._bound(min(times_ms), ())
            if first == last and max(times_ms) < self._known[()][0].until_ms:
                yield 0, len(records), bound, first or 0
                return
        bounds = map(self._bound, times_ms, self._values(documents, columns))
        epochs = repeat(first) if first == last else (each.leader_epoch() for each in records)
        begin = 0
        for (bound, leader_epoch), same in groupby(zip(bounds, epochs, strict=False)):
            end = begin + len(list(same))
            yield begin, end, bound, leader_epoch or 0
            begin = end

    def _times_ms(
        self, documents: Documents, columns: list[Column], *, alike: bool
    ) -> Sequence[int]:
        """
        Give the time that dates each document's index.
        """
        dating = self.route.dating
        times_ms: Sequence[int] = documents.times_ms or _times_ms(documents.records, alike=alike)
        if dating.field is not None:
            times_ms = dating.of_fields(self._column(columns, dating.field), times_ms)
        elif dating.guard.believes_all(times_ms):
            return times_ms
        else:
            times_ms = dating.of_records(times_ms)
        if self.route.names.has_date and (undated := times_ms.count(NO_TIME)):
            documents.displaced[UNDATED] += undated
        return times_ms

    def _values(self, documents: Documents, columns: list[Column]) -> Iterator[Values]:
        """
        Give what stands in each document's index name for its fields.
        """
        fields = self.route.names.fields
        if not fields:
            return repeat((), len(documents.records))
        named = [list(map(self._part, self._column(columns, path))) for path in fields]
        values = list(zip(*named, strict=True))
        if unknown := sum(UNKNOWN in each for each in values):
            documents.displaced[UNKNOWN] += unknown
        return iter(values)

    def _part(self, held: object) -> str:
        if not isinstance(held, str):
            return UNKNOWN
        found = self._parts.get(held)
        if found is None:
            if len(self._parts) >= _KNOWN_MAX:
                self._parts.clear()
            found = self._parts[held] = part(held)
        return found

    def _bound(self, time_ms: int, values: Values) -> Bound:
        """
        Tell where documents are bound for. The last period of each name is remembered.
        """
        known = self._known.get(values)
        if known is None or not known[0].from_ms <= time_ms < known[0].until_ms:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            dated = self.dated(time_ms, values)
            series = series_of(self.route, self._user_topic, dated, time_ms, values)
            bound = Bound(dated.name, self._topic, self.topic_id, series=series)
            known = self._known[values] = dated, bound
        return known[1]

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
    method = type(records[0]).timestamp
    return list(map(_time_of, map(method, records) if alike else (r.timestamp() for r in records)))
