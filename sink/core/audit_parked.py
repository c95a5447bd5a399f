"""
What became of the documents in the parked topic, as far as that topic tells.
"""

from dataclasses import dataclass, field

from sink.core.audit import Place, Places
from sink.core.command import Command, Decision
from sink.core.envelope import Envelope


@dataclass(slots=True)
class _Group:
    """
    Parked documents of one index in one partition: a decision is about all of them or none.

    Args:
        sample: One of them.
        passed: The group has committed past them, and no drop was about them.
        waiting: It has not, and the last decision about them, if any, was no drop.
        doomed: It has not, and the last decision about them was a drop.
    """

    sample: Envelope
    passed: Places = field(default_factory=Places)
    waiting: Places = field(default_factory=Places)
    doomed: Places = field(default_factory=Places)


class ParkedDocuments:
    """
    The documents of one topic in the parked topic: what waits there, what an operator dropped.

    A decision is obeyed for what stands before it in its partition and was not settled by then.
    What was settled when, nobody can tell afterwards. So:

    1. A document that the group has not committed waits, unless the last decision is to drop it.
    2. One that it has committed and that any drop was about is dropped: a later decision came too
       late for it. If it was indexed or dead-lettered before the drop, it is found there first.
    """

    def __init__(self) -> None:
        self._dropped = Places()
        self._groups: dict[tuple[int, str], _Group] = {}

    def add(self, number: int, envelope: Envelope, place: Place, *, waits: bool) -> None:
        """
        Enter a document. What stands in one partition comes in the order of its offsets.

        Args:
            number: Of the partition of the parked topic.
            waits: The group has not committed it there.
        """
        group = self._groups.setdefault((number, envelope.index or ""), _Group(envelope))
        (group.waiting if waits else group.passed).add(place)

    def decide(self, number: int, decision: Decision) -> None:
        """
        Enter a decision about what stands before it in its partition.
        """
        for (partition, _), group in self._groups.items():
            if partition != number or not decision.is_about(group.sample):
                continue
            if decision.command is Command.DROP:
                self._dropped.update(group.passed)
                group.passed = Places()
                group.doomed.update(group.waiting)
                group.waiting = Places()
            else:
                group.waiting.update(group.doomed)
                group.doomed = Places()

    def waiting(self) -> Places:
        """
        Give the documents that wait.
        """
        waiting = Places()
        for group in self._groups.values():
            waiting.update(group.waiting)
        return waiting

    def dropped(self) -> Places:
        """
        Give the documents that were dropped, or will be by the next sink that runs.
        """
        dropped = Places()
        dropped.update(self._dropped)
        for group in self._groups.values():
            dropped.update(group.doomed)
        return dropped
