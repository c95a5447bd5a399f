"""
What is to be done with each document of a bulk, by its verdict.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sink.core.bulk import Bulk
from sink.core.ledger import REPAIRED
from sink.core.outcome import Outcome, Verdict
from sink.core.repair import is_repaired
from sink.core.tally import Fates

ACCEPTED = frozenset({Outcome.INDEXED, Outcome.DUPLICATE, Outcome.DROPPED})


@dataclass(slots=True)
class Sorted:
    """
    The documents of an answered bulk: what is decided, and the positions of what is not.
    """

    fates: Fates = field(default_factory=Counter)
    dead: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    parked: list[int] = field(default_factory=list)
    unclear: list[int] = field(default_factory=list)


def sort(bulk: Bulk, verdicts: Sequence[Verdict], *, index_is_fit: bool = False) -> Sorted:
    """
    Sort the documents of a bulk.

    An unclear refusal is the document's own where its index accepted another document of this bulk.

    Args:
        verdicts: One a document, by position.
        index_is_fit: Every index of the bulk is known to accept documents.
    """
    found = Sorted()
    places, lines = bulk.places(), bulk.lines
    lists = {
        Outcome.DEAD: found.dead,
        Outcome.RETRY: found.again,
        Outcome.PARK: found.parked,
        Outcome.UNCLEAR: found.unclear,
    }
    accepting: set[str] = set()
    for position, (verdict, section) in enumerate(zip(verdicts, places, strict=True)):
        if verdict.outcome in ACCEPTED:
            fate = fate_of(verdict.outcome, lines[2 * position + 1])
            found.fates[section.consumed_from, fate] += 1
            accepting.add(section.bound.index)
        else:
            lists[verdict.outcome].append(position)
    unclear, found.unclear = found.unclear, []
    for position in unclear:
        clear = index_is_fit or places[position].bound.index in accepting
        (found.dead if clear else found.unclear).append(position)
    found.dead.sort()
    return found


def fate_of(outcome: Outcome, source: bytes) -> str:
    """
    Name what became of a document that was accepted.
    """
    return REPAIRED if outcome is Outcome.INDEXED and is_repaired(source) else outcome
