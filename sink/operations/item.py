"""
A document on its way out of an operation.
"""

from dataclasses import dataclass

from sink.operations.report import Origin


@dataclass(frozen=True, slots=True)
class Item:
    """
    One document to be sent: its action always has an id, so that sending it again is harmless.

    Args:
        overflow: Where it may be instead, if its index was one too many.
    """

    action: bytes
    source: bytes
    index: str
    origin: Origin
    overflow: str | None = None
