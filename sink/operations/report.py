"""
What became of the documents that an operation sent, or would send.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sink.core.ledger import DROPPED
from sink.core.outcome import Outcome

# Of each group of refusals so many are told by their place: enough to find them, never a long list.
EXAMPLES_MAX = 20
REFUSED = "refused"
NOT_REPLAYABLE = "not_replayable"


class Origin(NamedTuple):
    """
    Where a record was consumed from.
    """

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class Refusal(NamedTuple):
    """
    One refused document: where its record is, and why.
    """

    origin: Origin
    reason: str


@dataclass(slots=True)
class Refusals:
    """
    Refused documents of one index with one type of error.
    """

    documents: int = 0
    examples: list[Refusal] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """
    An account of an operation. Bounded: what is told one by one is a few examples a group.

    Args:
        fates: indexed, duplicate, dropped:<rule>, refused, not_replayable → documents.
        refusals: (index, or "" where it has none yet; error type) → which.
        not_replayable: Why → documents.
        planned: Of a dry run: what, by group → documents that would be sent.
        complete: The operation came to its end.
    """

    fates: Counter[str] = field(default_factory=Counter)
    refusals: dict[tuple[str, str], Refusals] = field(default_factory=dict)
    not_replayable: Counter[str] = field(default_factory=Counter)
    planned: Counter[tuple[str, ...]] = field(default_factory=Counter)
    complete: bool = False

    @property
    def ok(self) -> bool:
        """
        Tell whether no document was left behind.
        """
        return not self.fates[REFUSED] and not self.fates[NOT_REPLAYABLE]

    def accept(self, outcome: Outcome) -> None:
        """
        Enter a document that Elasticsearch answered for.
        """
        self.fates[outcome.value] += 1

    def drop(self, dropped: Mapping[str, int]) -> None:
        """
        Enter records that give no document: rule → records.
        """
        for rule, records in dropped.items():
            self.fates[DROPPED + rule] += records

    def refuse(
        self, origin: Origin, index: str, error_type: str, reason: str, documents: int = 1
    ) -> None:
        """
        Enter documents that cannot be indexed.
        """
        self.fates[REFUSED] += documents
        group = self.refusals.setdefault((index, error_type), Refusals())
        group.documents += documents
        if len(group.examples) < EXAMPLES_MAX:
            group.examples.append(Refusal(origin, reason))

    def cannot(self, why: str, documents: int) -> None:
        """
        Enter documents that cannot be sent again at all.
        """
        self.fates[NOT_REPLAYABLE] += documents
        self.not_replayable[why] += documents
