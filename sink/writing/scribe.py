"""
Writes dead letters and parked documents: nothing is accounted for before it is acknowledged.

The event loop owns it; the writing itself waits on a thread of its own.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import structlog

from sink.core.dead_letter import DeadLetter
from sink.edge.readiness import Readiness
from sink.edge.retry import Backoff
from sink.errors import Unavailable

log = structlog.get_logger()


class LetterWriter(Protocol):
    """
    Where letters are written: returns once all are acknowledged, else raises Unavailable.
    """

    def write(self, letters: Sequence[DeadLetter]) -> None: ...  # noqa: D102


class Scribe:
    """
    Writes to the dead-letter topic and to the parked topic.

    Args:
        retry: Waits between attempts for letters that could not be written.
    """

    def __init__(
        self,
        dead_letters: LetterWriter,
        parked: LetterWriter,
        readiness: Readiness,
        retry: Backoff,
    ) -> None:
        self._dead_letters = dead_letters
        self._parked = parked
        self._readiness = readiness
        self._retry = retry
        # One thread: a producer is flushed by one `write` at a time.
        self._thread = ThreadPoolExecutor(1, "letters")

    def close(self) -> None:
        """
        Write nothing more.
        """
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def bury(self, letters: list[DeadLetter]) -> None:
        """
        Write dead letters, until they are acknowledged.
        """
        attempt = 0
        while letters and not await self._write(self._dead_letters, letters, "dead_letters"):
            attempt += 1
            await asyncio.sleep(self._retry.seconds(attempt))
        _report_dead(letters)

    async def park(self, letters: list[DeadLetter]) -> bool:
        """
        Write documents to the parked topic.

        Returns:
            False when they are not all acknowledged: they still wait where they are.
        """
        return not letters or await self._write(self._parked, letters, "parked")

    async def _write(self, to: LetterWriter, letters: list[DeadLetter], part: str) -> bool:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, to.write, letters)
        except Unavailable as failure:
            self._readiness.lacks(part, str(failure))
            return False
        self._readiness.has(part)
        return True


def _report_dead(letters: list[DeadLetter]) -> None:
    """
    Log one line a kind, with a count: never one a document.
    """
    groups: Counter[tuple[str | None, str | None, str, str]] = Counter()
    for letter in letters:
        kind = (letter.record.topic(), letter.index, letter.error_type, letter.stage)
        groups[kind] += len(letter)
    for (topic, index, error_type, stage), documents in groups.most_common(5):
        log.error(
            "dead-lettered",
            topic=topic,
            index=index,
            error_type=error_type,
            stage=stage,
            documents=documents,
        )
