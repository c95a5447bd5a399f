"""
What became of every record, as Elasticsearch, the dead letters and the parked topic tell it.

E: every document of every record is indexed, dead or parked; a record without any is dropped by a
rule. What is parked is a record of the parked topic, for which the same holds.
D: no document is there twice, and none stands for another.
O: no committed offset is past a record that is not accounted for.
"""

from collections import ChainMap
from collections.abc import Iterable, Mapping

from sink.collectors.log import LOG
from sink.core.collect import Run
from sink.core.command import is_command
from sink.core.dead_letter import DeadLetter
from sink.core.envelope import open_envelope
from sink.core.record import Partition, Record
from sink.testing import FakeBroker, FakeDeadLetters, FakeElastic, FakeRecord, topic_id
from tests.making import documents

Key = tuple[object, ...]


class Books:
    """
    Holds what was produced against what is indexed, dead and parked.
    """

    def __init__(
        self,
        broker: FakeBroker,
        elastic: FakeElastic,
        dead_letters: FakeDeadLetters,
        parked_topic: str,
    ) -> None:
        self._broker = broker
        self._elastic = elastic
        self._dead_letters = dead_letters
        self._parked_topic = parked_topic

    def missing(self, records: Iterable[FakeRecord] | None = None) -> list[FakeRecord]:
        """
        List the records, of some or of all, that are not accounted for.
        """
        there = self._broker.records()
        indexed: Mapping[str, bytes] = ChainMap(*self._elastic.indices.values())
        dead = {_key(letter) for letter in self._dead_letters.letters}
        parked = {_parked_key(r): r.offset() for r in there if self._is_parked(r)}
        missing: list[FakeRecord] = []
        for record in there if records is None else records:
            if record.topic() != self._parked_topic:
                found = _is_accounted_for(record, indexed, dead, parked)
            else:
                key = () if is_command(record) else _parked_key(record)
                # Behind a command documents are parked again: then the last of them counts.
                again = parked.get(key, -1) > record.offset()
                found = not key or key[0] in indexed or key in dead or again
            if not found:
                missing.append(record)
        return missing

    def passed(self) -> list[FakeRecord]:
        """
        List the records that are committed and not accounted for.
        """
        committed = self._broker.committed()
        return [r for r in self.missing() if r.offset() < committed.get(partition_of(r), 0)]

    def no_id_is_in_two_indices(self) -> None:
        """
        Hold the ids of all indices against each other.
        """
        count = sum(map(len, self._elastic.indices.values()))
        assert count == len(self._elastic.documents()), "an id is in two indices"

    def _is_parked(self, record: FakeRecord) -> bool:
        return record.topic() == self._parked_topic and not is_command(record)


def document_id(record: FakeRecord, suffix: str = "") -> str:
    """
    Give the id of a record's document.
    """
    place = (topic_id(record.topic()), record.partition(), record.leader_epoch(), record.offset())
    return "-".join(map(str, place)) + suffix


def partition_of(record: Record) -> Partition:
    return Partition(record.topic() or "", record.partition() or 0)


def _is_accounted_for(
    record: FakeRecord, indexed: Mapping[str, bytes], dead: set[Key], parked: Mapping[Key, int]
) -> bool:
    """
    Tell whether each document of a record is indexed, as it is, or dead, or parked.
    """
    run = Run(partition_of(record), [record], record.offset(), record.offset() + 1)
    made = documents(run, LOG)
    assert made.sources or made.rejected or made.dropped
    ids = [_named(record, name) for name in made.ids]
    for id_, source in zip(ids, made.sources, strict=True):
        assert id_ not in indexed or indexed[id_] == source, f"{id_} is another record's document"
        assert id_ not in indexed or (id_,) not in dead, f"{id_} is indexed and dead"
    rejected = [(*_place(record), refused.positions) for refused in made.rejected]
    away = dead | parked.keys()
    return all(id_ in indexed or (id_,) in away for id_ in ids) and away.issuperset(rejected)


def _parked_key(record: FakeRecord) -> Key:
    envelope = open_envelope(record)
    return (envelope.id,) if envelope.id else (*_place(envelope.record), envelope.positions)


def _named(record: FakeRecord, name: int | bytes) -> str:
    _, dash, number = (b"%d" % name if isinstance(name, int) else name).partition(b"-")
    return document_id(record, (dash + number).decode())


def _key(letter: DeadLetter) -> Key:
    return (letter.id,) if letter.id else (*_place(letter.record), letter.positions)


def _place(record: Record) -> Key:
    return partition_of(record), record.offset() or 0
