"""
What is made of the parked topic's records: the documents they once were, bound for the same place.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby

from sink.core.action import action_head, action_line
from sink.core.bulk import Actions, Bound
from sink.core.collect import Documents, Rejected, Run, pieces
from sink.core.command import Command, Decision, decision_of, is_command
from sink.core.dead_letter import PREFIX
from sink.core.envelope import Envelope, open_envelope
from sink.core.json_objects import is_object, on_one_line
from sink.core.record import Element, Partition, Record, headers_of
from sink.core.route import Route
from sink.core.target import Target
from sink.errors import Reject

# Said of documents whose topic makes more dead letters than it may.
DEAD_LETTER_RATE = "dead_letter_rate"
_STAGE, _ERROR_TYPE = PREFIX + "stage", PREFIX + "error_type"

TargetOf = Callable[[str, str], Target | None]  # topic, topic id → target


class ParkedTarget:
    """
    Makes the documents of the parked topic: index and id are those they were parked with.

    Args:
        target_of: The target of a topic with an id; None where no route takes it any more.
    """

    def __init__(self, target_of: TargetOf) -> None:
        self._target_of = target_of
        self._decisions: dict[Partition, list[Decision]] = {}
        self._news: set[Partition] = set()  # partitions with a decision not obeyed yet
        # Partitions of which only the commands are read, with the first offset that came.
        self._learning: dict[Partition, int | None] = {}

    def begin(self, partition: Partition) -> None:
        """
        Learn the commands of a partition before anything is made of its documents.
        """
        self._learning[partition] = None
        self._decisions.pop(partition, None)
        self._news.discard(partition)

    def learned(self, partition: Partition) -> int | None:
        """
        Make documents from now on.

        Returns:
            The first offset of what was read for its commands only; None when there was nothing.
        """
        return self._learning.pop(partition, None)

    def news(self) -> set[Partition]:
        """
        Take the partitions that are to be read again, to obey a decision.
        """
        news, self._news = self._news, set()
        return news

    def pieces(self, run: Run, docs_max: int) -> Iterator[tuple[Run, Documents, Actions]]:
        """
        Make the documents of a run, piece by piece, each with its action.

        None while commands are learned: the run is not tracked then, and read again.
        """
        if run.partition in self._learning:
            self._only_learn(run)
            return
        offsets = [*run.offsets(), run.next_offset]
        for begin, end in _parts(run, docs_max):
            piece = Run(run.partition, run.records[begin:end], offsets[begin], offsets[end])
            made = _Made()
            for record, offset in zip(piece.records, offsets[begin:end], strict=True):
                if is_command(record):
                    self._learn(run.partition, record)
                    made.dropped["command"] += 1
                else:
                    self._add(made, record, self._decision(run.partition, offset))
            documents = Documents(made.sources, made.records, [], made.dropped, made.rejected)
            bounds = [(bound, len(list(same))) for bound, same in groupby(made.bounds)]
            yield piece, documents, Actions(made.lines, bounds)

    def _only_learn(self, run: Run) -> None:
        if self._learning[run.partition] is None:
            self._learning[run.partition] = run.first
        for record in run.records:
            if is_command(record):
                self._learn(run.partition, record)
        self._news.discard(run.partition)  # it is read again anyway

    def _learn(self, partition: Partition, record: Record) -> None:
        decision = decision_of(record)
        known = self._decisions.setdefault(partition, [])
        if decision is not None and decision not in known:
            known.append(decision)
            self._news.add(partition)

    def _decision(self, partition: Partition, offset: int) -> list[Decision]:
        """
        Give the decisions that may be about a record, the last first.
        """
        known = self._decisions.get(partition, ())
        return [decision for decision in reversed(known) if offset < decision.before]

    def _add(self, made: "_Made", record: Record, decisions: list[Decision]) -> None:
        try:
            envelope = _opened(record)
        except Reject as reject:
            made.rejected.append(Rejected(record, (), "reject", str(reject)))
            return
        decision = next((each for each in decisions if each.is_about(envelope)), None)
        command = decision.command if decision else None
        if command is Command.DROP:
            made.dropped["operator"] += 1
        elif command is Command.TO_DLQ:
            reason = f"moved here by command out of the parked topic; {envelope.reason}"
            moved = _rejected(envelope, envelope.error_type, reason)
            made.rejected.append(replace(moved, by_command=True))
        else:
            made.released = command is Command.RELEASE
            # It is not meant, or its index refuses it again: behind the command it waits further,
            # so that the offset passes the command, and each command is obeyed once.
            made.moves = bool(decisions)
            self._add_documents(made, envelope)

    def _add_documents(self, made: "_Made", envelope: Envelope) -> None:
        if envelope.is_element:
            self._add_element(made, envelope)
        else:
            self._add_record(made, envelope)

    def _add_element(self, made: "_Made", envelope: Envelope) -> None:
        value = envelope.record.value()
        original = envelope.record
        if not isinstance(value, bytes) or not is_object(value):
            reason = "a parked element is not one JSON object"
            made.rejected.append(_rejected(envelope, "not_an_object", reason))
            return
        line = on_one_line(value)
        target = self._target_of(original.topic() or "", envelope.topic_id)
        record = Element(original, envelope.positions[0], line)
        made.add(line, record, target.route if target else None, envelope)

    def _add_record(self, made: "_Made", envelope: Envelope) -> None:
        """
        Collect the record again; it was one document, and should still be.
        """
        original = envelope.record
        topic = original.topic() or ""
        target = self._target_of(topic, envelope.topic_id)
        if target is None:
            reason = f"no route takes topic {topic} any more"
            made.rejected.append(_rejected(envelope, "no_route", reason))
            return
        offset = original.offset() or 0
        run = Run(Partition(topic, original.partition() or 0), [original], offset, offset + 1)
        if envelope.index is None:  # it became no document, and may by now
            ((_, documents, actions),) = target.pieces(run, 1)
            made.add_collected(documents, actions)
            return
        ((_, documents),) = pieces(run, target.route.collector, 1)
        if len(documents) > 1:
            # One id is all they have: the second would be taken for there already.
            reason = f"its collector makes {len(documents)} documents of what was one"
            made.rejected.append(_rejected(envelope, "not_one_document", reason))
            return
        made.dropped += documents.dropped
        made.rejected += [_rejected(envelope, r.error_type, r.reason) for r in documents.rejected]
        for source in documents.sources:
            made.add(source, original, target.route, envelope)


def _parts(run: Run, docs_max: int) -> Iterator[tuple[int, int]]:
    """
    Split a run: what was parked for its topic's rate stands alone, so that each is settled alone.

    The rate lets a few of them pass at a time. Settled with others that it does not let pass, they
    would be read again, and dead-lettered again, without an end.
    """
    begin = 0
    for end, record in enumerate(run.records, 1):
        alone = _is_of_a_rate(record)
        if alone and begin < end - 1:
            yield begin, end - 1
            begin = end - 1
        if alone or end - begin >= docs_max or end == len(run.records):
            yield begin, end
            begin = end


def _is_of_a_rate(record: Record) -> bool:
    told = dict(headers_of(record))
    return told.get(_STAGE) == b"collect" or told.get(_ERROR_TYPE) == DEAD_LETTER_RATE.encode()


def _opened(record: Record) -> Envelope:
    """
    Open the envelope of a parked document.

    Raises:
        Reject: It is none, or not what the sink parks; sent, it would be refused for ever.
    """
    envelope = open_envelope(record)
    if envelope.index is None and envelope.stage != "collect":
        raise Reject("no parked document: its headers name no index")
    if envelope.truncated:
        raise Reject("no parked document: only the beginning of its value was kept")
    return envelope


def _rejected(envelope: Envelope, error_type: str, reason: str) -> Rejected:
    """
    Reject a parked document under the name it had: by that an audit and a replay know it.
    """
    return Rejected(
        envelope.record,
        envelope.positions,
        error_type,
        reason,
        envelope.topic_id,
        index=envelope.index,
        id=envelope.id,
    )


class _Made:
    """
    The documents of a piece, while they are made.
    """

    def __init__(self) -> None:
        self.released = False  # the next one is sent whatever its index said last
        self.moves = False  # the next one is parked again rather than left where it is
        self.sources: list[bytes] = []
        self.records: list[Record] = []
        self.lines: list[bytes] = []
        self.bounds: list[Bound] = []
        self.dropped: Counter[str] = Counter()
        self.rejected: list[Rejected] = []

    def add_collected(self, documents: Documents, actions: Actions) -> None:
        """
        Add what a record gives that was parked before it was a document.
        """
        self.sources += documents.sources
        self.records += documents.records
        self.lines += actions.lines
        for bound, count in actions.bounds:
            self.bounds += [replace(bound, released=self.released, moves=self.moves)] * count
        self.dropped += documents.dropped
        self.rejected += documents.rejected

    def add(self, source: bytes, record: Record, route: Route | None, envelope: Envelope) -> None:
        version = record.offset() if route and route.versioned else None
        head = route.action_head if route else action_head("create", None)
        self.sources.append(source)
        self.records.append(record)
        self.lines.append(action_line(head, envelope.index, envelope.id, version))
        self.bounds.append(
            Bound(
                envelope.index or "",
                record.topic() or "",
                envelope.topic_id,
                released=self.released,
                moves=self.moves,
            )
        )
