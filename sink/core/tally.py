"""
Which tickets of a bulk may be settled, once some of its documents were set aside.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sink.core.bulk import Bulk, Section
from sink.core.offsets import Ticket


class Tally:
    """
    Knows of one bulk which tickets wait for documents that were set aside or left.

    A ticket is settled once: when the bulk has moved and none of its documents is set aside any
    more. The event loop owns it.
    """

    def __init__(self, tickets: Iterable[Ticket]) -> None:
        self._tickets = list(tickets)
        self._aside: Counter[int] = Counter()  # id of the ticket → documents that are set aside
        self._unsettled: set[int] = set()  # ids of tickets that are never settled
        self.left: list[tuple[Ticket, str]] = []  # with what they wait for
        self._moving = True
        self.void = False  # the bulk is begun anew with another tally: this one counts no more

    def set_aside(self, sections: Iterable[Section]) -> None:
        """
        Note documents as set aside.
        """
        for section in sections:
            self._aside[id(section.ticket)] += section.documents

    def leave(self, tickets: Iterable[Ticket], waits_for: str) -> None:
        """
        Note documents as left where they are: their tickets stay unsettled, and are read again.

        Args:
            waits_for: The key of the lane they would be in.
        """
        for ticket in tickets:
            self.left.append((ticket, waits_for))
            self._unsettled.add(id(ticket))

    def ended(self, sections: Iterable[Section]) -> list[Ticket]:
        """
        Note documents that were set aside as accounted for.

        Returns:
            The tickets that are settled by it.
        """
        touched: set[int] = set()
        for section in sections:
            self._aside[id(section.ticket)] -= section.documents
            touched.add(id(section.ticket))
        return [] if self._moving else [t for t in self._done() if id(t) in touched]

    def moved(self) -> list[Ticket]:
        """
        Note that each other document of the bulk is accounted for.

        Returns:
            The tickets that are settled by it.
        """
        self._moving = False
        return self._done()

    def _done(self) -> list[Ticket]:
        return [t for t in self._tickets if not self._aside[id(t)] and id(t) not in self._unsettled]


Fates = Counter[tuple[str, str]]  # (topic consumed from, fate) → documents


@dataclass(slots=True)
class Progress:
    """
    How far documents have come: what became of them, and whose tickets they hold up.
    """

    tally: Tally
    fates: Fates = field(default_factory=Counter)
    since_s: float | None = None  # when they were first set aside, of the loop's clock

    def note(self, part: Bulk, fate: str) -> None:
        """
        Enter what became of a whole part.
        """
        for section in part.sections:
            self.fates[section.consumed_from, fate] += section.documents
