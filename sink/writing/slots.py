"""
Slots through which bulks are sent: as many as Elasticsearch takes well.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType

from sink.core.concurrency import Concurrency
from sink.core.outcome import Answer, Request

_OVERLOADED = "es_rejected_execution_exception"
# A few refused documents are chance: one shard's queue was full for a moment.
_REFUSED_SHARE = 0.05


class Slots:
    """
    Lets bulks pass, at most so many at a time as are allowed now. One event loop owns it.

    Args:
        most: Never more than this.
        changed: Told how many there are now.
    """

    def __init__(self, most: int, changed: Callable[[int], None] = lambda _: None) -> None:
        self._concurrency = Concurrency(most)
        self._changed = changed
        self._taken = self._waiting = 0
        self._given_back = asyncio.Condition()
        changed(self._concurrency.limit)

    async def __aenter__(self) -> None:
        """
        Wait for a slot, and take it.
        """
        async with self._given_back:
            self._waiting += 1
            try:
                await self._given_back.wait_for(lambda: self._taken < self._concurrency.limit)
            finally:
                self._waiting -= 1
            self._taken += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """
        Give a slot back.
        """
        self._taken -= 1
        async with self._given_back:
            self._given_back.notify(max(1, self._concurrency.limit - self._taken))

    def answered(self, took_s: float, answer: Answer, documents: int) -> None:
        """
        Learn from the answer to a bulk whose slot is still taken.

        An answer that tells nothing of the load (none came, the bulk was too large) changes
        nothing: what is done about it then is done elsewhere.
        """
        busy = answer.reply.status == 429 and answer.request is not Request.HALVE
        if not busy and answer.request is not Request.ANSWERED:
            return
        before = self._concurrency.limit
        # Answers come at once as well: those that wait have not taken the slots of the first yet.
        is_full = self._taken + self._waiting >= before
        refused = busy or _are_refused(answer, documents)
        self._concurrency.answered(took_s, in_flight=self._taken, is_full=is_full, refused=refused)
        if self._concurrency.limit != before:
            self._changed(self._concurrency.limit)


def _are_refused(answer: Answer, documents: int) -> bool:
    refused = sum(verdict.error_type == _OVERLOADED for verdict in answer.verdicts or ())
    return refused > _REFUSED_SHARE * documents
