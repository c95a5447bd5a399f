"""
Tells of documents whose index is not the one that was meant.
"""

import time
from collections.abc import Mapping

import structlog

from sink.core.ledger import Ledger
from sink.core.legal_names import UNKNOWN
from sink.core.naming import UNDATED

log = structlog.get_logger()

_AGAIN_S = 3600.0
_WHY = {
    UNDATED: "no time, or one that time_guard does not believe",
    UNKNOWN: "the field that names the index is missing, empty or no text",
}


class Displaced:
    """
    Enters them into the ledger, and logs one line an hour for each topic and cause.

    One worker thread owns it.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._log_at: dict[tuple[str, str], float] = {}

    def note(self, topic: str, displaced: Mapping[str, int]) -> None:
        """
        Enter documents of a topic, by the index they go to: `undated` or `unknown`.
        """
        self._ledger.displaced(topic, displaced)
        now = time.monotonic()
        for index, documents in displaced.items():
            if now < self._log_at.get((topic, index), now):
                continue
            self._log_at[topic, index] = now + _AGAIN_S
            log.warning(
                "documents go to another index than was meant; the next line is in an hour",
                topic=topic,
                index=f"…{index}…",
                documents=documents,
                why=_WHY[index],
                metric="sink_displaced_documents_total",
            )
