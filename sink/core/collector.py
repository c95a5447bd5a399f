"""
What turns a record into documents, and what it may answer: the user's seam.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING

from sink.core.record import Record

if TYPE_CHECKING:
    from sink.core.collect import Documents

Source = bytes | dict[str, object]


@dataclass(frozen=True, slots=True)
class Drop:
    """
    A collector's answer: this record gives no document, by the named rule.
    """

    rule: str


@dataclass(frozen=True, slots=True)
class Refused:
    """
    In a collector's list: this element cannot become a document, the others can.
    """

    reason: str


Answer = Source | list[Source | Refused] | Drop | None


# Values and times (ms) of records of a topic → a document each, or None: then record by record.
Batch = Callable[[list[bytes], list[int], str], list[bytes] | None]


@dataclass(frozen=True, slots=True)
class Collector:
    """
    What turns a record into documents.

    Args:
        name: As the configuration names it.
        collect: Record → one source, a list of them, or `Drop`; raises `Reject`.
        checked: The bytes it gives are one JSON object on one line, and need not be looked at.
        batch: Does the same for many records at once, where each gives one document. Optional: it
            spares the call a record.
        timed: Gives the same collector with another field for the documents' time, None for its
            own, and a zone for times that name none. Without it the time is the collector's affair.
        lacking: Gives a `batch` that only answers where no document has one of these fields.
        shape: Changes the documents of a run, whatever they are.
        shape_lacking: Does the same faster for those of the batch beside it.
    """

    name: str
    collect: Callable[[Record], Answer]
    checked: bool = False
    batch: Batch | None = None
    timed: Callable[[str | None, tzinfo], "Collector"] | None = None
    lacking: Callable[[tuple[str, ...]], Batch | None] | None = None
    shape: Callable[["Documents"], None] | None = None
    shape_lacking: tuple[Batch, Callable[["Documents"], None]] | None = None
