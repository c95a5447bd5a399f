"""
Gives the sinks of a group an operator's decision about parked documents, and sees what follows.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sink import __version__
from sink.config import Config
from sink.core.command import Command, Decision
from sink.edge.kafka.commands import write_everywhere
from sink.edge.kafka.dead_letters import DeadLetters
from sink.edge.kafka.groups import Groups
from sink.edge.kafka.reader import Reader
from sink.operations.parked import Listing, fill, spans
from sink.operations.perform import letter_bytes_max
from sink.operations.trail import Trail, who

_ASK_EVERY_S = 0.3


@dataclass(frozen=True, slots=True)
class Effect:
    """
    What followed from a decision.

    Args:
        members: Of the group, as they were when it was given.
        documents: It is about, at most.
        waiting: Of them so many had not been passed by the committed offsets at last.
        behind: Of these, so many stand behind documents that it is not about.
        awaited: It was waited for.
    """

    decision: Decision
    members: Sequence[str]
    documents: int
    waiting: int
    behind: int
    awaited: bool

    @property
    def ok(self) -> bool:
        """
        Tell whether it took effect, or was not to be waited for.
        """
        return not (self.awaited and self.waiting)


def decide(
    config: Config, reader: Reader, decision: Decision, found: Listing, wait_s: float
) -> Effect:
    """
    Write a decision into every partition of the parked topic, and wait until it took effect.

    It did where the committed offset has passed the last document it is about. Where no sink of
    the group runs nothing is waited for: the next that starts obeys.

    Args:
        found: What the decision is about.
        wait_s: At most so long; 0 not at all.
    Raises:
        Unauthorized, Unavailable: With the reason.
    """
    groups = Groups(config.kafka)
    group, topic = config.kafka.group_id, config.dead_letter_topic
    given = replace(decision, by=f"{who()} {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    letters = DeadLetters(
        config, topic, letter_bytes_max(config, groups), {"version": __version__}, stubs=False
    )
    arguments = {"index": decision.index, "topic": decision.topic}
    name = f"parked {decision.command}"
    result: Counter[str] = Counter()
    with Trail(letters, topic, name, arguments=arguments, result=result):
        partitions = reader.partitions(config.parked_topic)
        commands = write_everywhere(config.kafka, partitions, given.headers())
        result["meant"] = result["waiting"] = found.documents
        members = sorted({str(member) for member in groups.members(group)})
        awaited = bool(members and wait_s)
        if awaited:
            _await(groups, group, found, wait_s)
        left = Listing(found.takes)
        before = [
            span._replace(end=min(span.end, commands.get(span.partition, 0)))
            # Released ones that were refused again wait behind the command.
            if decision.command is not Command.RELEASE
            else span
            for span in spans(reader, config, groups.committed(group))
        ]
        for _ in fill(left, reader, before):
            pass
        result["waiting"] = left.documents
    return Effect(given, members, found.documents, left.documents, left.behind, awaited)


def _await(groups: Groups, group: str, found: Listing, wait_s: float) -> None:
    """
    Wait until the group has committed past every document that is meant.
    """
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        committed = groups.committed(group)
        if all(committed.get(place, 0) > last for place, last in found.last.items()):
            return
        time.sleep(_ASK_EVERY_S)
