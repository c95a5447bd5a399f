"""
A decision about parked documents: written down, given in every partition, and waited for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from sink.config import Config, KafkaSettings
from sink.core.command import Command, Decision, decision_of
from sink.core.envelope import open_envelope
from sink.core.record import Headers, Partition, Record
from sink.edge.kafka.groups import Member
from sink.edge.kafka.reader import Bound, Reader, Span
from sink.errors import Unavailable
from sink.operations.parked import Listing, choice
from sink.operations.parked_decision import Effect, decide
from sink.operations.trail import Entry, entry_of
from sink.testing import FakeDeadLetters, FakeRecord
from tests.operations.making import message
from tests.operations.test_parked import INDEX, parked

CONFIG = Config.model_validate(
    {"routes": [{"name": "ekk", "prefix": "ekk-", "index": {"prefix": "sag-"}}]}
)
DROP = Decision(Command.DROP, INDEX)
MEMBER = Member("ekk-sink-0", "/10.0.0.1", frozenset())


@dataclass
class MemoryKafka:
    """The parked topic of two partitions, the group that reads it, and the dead-letter topic."""

    records: list[FakeRecord] = field(default_factory=list)
    members: list[Member] = field(default_factory=lambda: [MEMBER])
    moves: list[dict[int, int]] = field(default_factory=list)  # what it commits, look by look
    at: dict[int, int] = field(default_factory=dict)
    letters: FakeDeadLetters = field(default_factory=FakeDeadLetters)
    commands: list[Headers] = field(default_factory=list)

    def write(
        self, _: KafkaSettings, partitions: Iterable[Partition], headers: Headers
    ) -> dict[Partition, int]:
        assert self.events() == ["began"], "it was not written down first"
        self.commands.append(headers)
        return {place: self._end(place.number) for place in partitions}

    def events(self) -> list[str]:
        return [entry.event for entry in self.entries()]

    def entries(self) -> list[Entry]:
        return [entry_of(open_envelope(message(each))) for each in self.letters.letters]

    def partitions(self, topic: str) -> list[Partition]:
        return [Partition(topic, 0), Partition(topic, 1)]

    def spans(self, partitions: list[Partition], begin: Bound | None) -> list[Span]:
        first = begin if isinstance(begin, int) else 0
        return [Span(place, first, self._end(place.number) + 1) for place in partitions]

    def batches(self, wanted: Sequence[Span]) -> Iterator[list[Record]]:
        for (_, number), begin, end in wanted:
            there = [r for r in self.records if r.partition() == number]
            yield cast("list[Record]", [r for r in there if begin <= r.offset() < end])

    def committed(self, _: str) -> Mapping[Partition, int]:
        if self.moves:
            self.at |= self.moves.pop(0)
        return {Partition(CONFIG.parked_topic, number): at for number, at in self.at.items()}

    def _end(self, number: int) -> int:
        return 1 + max((r.offset() for r in self.records if r.partition() == number), default=-1)


class MemoryGroups:
    """What the brokers tell of the group."""

    def __init__(self, kafka: MemoryKafka) -> None:
        self.committed = kafka.committed
        self.members = lambda _: kafka.members


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> MemoryKafka:
    kafka = MemoryKafka()
    where = "sink.operations.parked_decision."
    monkeypatch.setattr(where + "Groups", lambda _: MemoryGroups(kafka))
    monkeypatch.setattr(where + "letter_bytes_max", lambda *_: 1000)
    monkeypatch.setattr(where + "DeadLetters", lambda *_, **__: kafka.letters)
    monkeypatch.setattr(where + "write_everywhere", kafka.write)
    monkeypatch.setattr(where + "_ASK_EVERY_S", 0.001)
    topic = CONFIG.parked_topic
    kafka.records = [_in_topic(parked(n, n), topic) for n in range(3)]
    return kafka


def _in_topic(record: FakeRecord, topic: str) -> FakeRecord:
    value = record.value()
    assert isinstance(value, bytes)
    return FakeRecord(topic, record.partition(), record.offset(), value, headers=record.headers())


def _decide(kafka: MemoryKafka, wait_s: float = 20, decision: Decision = DROP) -> Effect:
    found = Listing(choice(decision.index, decision.topic))
    for record in kafka.records:
        found.add(cast("Record", record))
    return decide(CONFIG, cast("Reader", kafka), decision, found, wait_s)


def test_it_took_effect_when_the_offsets_passed_the_last_document_that_is_meant(
    kafka: MemoryKafka,
) -> None:
    kafka.moves = [{}, {0: 1}, {0: 2}, {0: 3}]

    effect = _decide(kafka)

    assert (effect.ok, effect.documents, effect.waiting) == (True, 3, 0)
    assert kafka.moves == []
    assert effect.members == ["ekk-sink-0 on 10.0.0.1"]


def test_the_record_says_what_is_meant_who_gave_it_and_when(kafka: MemoryKafka) -> None:
    kafka.at = {0: 3}

    effect = _decide(kafka)

    (headers,) = kafka.commands
    told = decision_of(FakeRecord("parked", 0, 3, None, headers=headers))
    assert told is not None
    assert (told.command, told.index, told.topic) == (Command.DROP, INDEX, "*")
    assert told.by == effect.decision.by
    who, at = told.by.split(" ")
    assert "@" in who and at.endswith("Z")


def test_what_waits_still_when_the_time_is_over_is_no_success(kafka: MemoryKafka) -> None:
    kafka.at = {0: 1}
    kafka.records.append(_in_topic(parked(9, 0, number=1, index="other"), CONFIG.parked_topic))
    kafka.records.append(_in_topic(parked(10, 1, number=1), CONFIG.parked_topic))

    effect = _decide(kafka, 0.02)

    assert not effect.ok
    assert (effect.documents, effect.waiting, effect.behind) == (4, 3, 1)


def test_what_is_parked_behind_the_command_is_not_counted(kafka: MemoryKafka) -> None:
    written = kafka.write

    def and_one_more(*given: object) -> dict[Partition, int]:
        offsets = written(*given)  # type: ignore[arg-type]
        kafka.records.append(_in_topic(parked(50, 4), CONFIG.parked_topic))
        kafka.at = {0: 4}
        return offsets

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sink.operations.parked_decision.write_everywhere", and_one_more)
        effect = _decide(kafka)

    assert (effect.ok, effect.waiting) == (True, 0)


@pytest.mark.parametrize(("members", "wait_s"), [([], 20), ([MEMBER], 0)])
def test_without_a_sink_that_runs_or_a_wait_nothing_is_waited_for(
    kafka: MemoryKafka, members: list[Member], wait_s: float
) -> None:
    kafka.members = members

    effect = _decide(kafka, wait_s)

    assert (effect.ok, effect.awaited, effect.waiting) == (True, False, 3)
    assert len(kafka.commands) == 1


def test_who_decided_what_is_written_down_first_and_how_it_ended(kafka: MemoryKafka) -> None:
    kafka.at = {0: 2}

    _decide(kafka, 0.02)

    began, done = kafka.entries()
    assert (began.event, done.event) == ("began", "done")
    assert (done.command, done.arguments) == ("parked drop", {"index": INDEX, "topic": "*"})
    assert done.result == {"meant": 3, "waiting": 1}


def test_a_decision_that_cannot_be_written_down_is_not_given(kafka: MemoryKafka) -> None:
    kafka.letters.down()

    with pytest.raises(Unavailable):
        _decide(kafka)

    assert kafka.commands == []
