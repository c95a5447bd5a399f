"""
The loop side: take a bulk, send it, judge each document, retry or dead-letter, settle.

It runs on one event loop, which owns the Elasticsearch client and every bulk it took. Nothing here
gives up: a bulk is settled once each of its documents is accounted for, or never.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import structlog

from sink.core.bulk import Bulk
from sink.core.collect import Rejected
from sink.core.dead_letter import DeadLetter, target_of
from sink.core.outcome import Answer, Outcome, Request, Verdict
from sink.core.record import Element
from sink.edge.handoff import Handoff
from sink.edge.readiness import Readiness
from sink.edge.retry import Backoff
from sink.errors import Unavailable
from sink.sender import Sender

log = structlog.get_logger()

# No server is set up to refuse so little: http.max_content_length is 100 MB, nginx's limit 1 MB.
_NEVER_TOO_LARGE_BYTES = 64 * 1024

Fates = Counter[tuple[str, str]]  # (topic, fate) → documents


class DeadLetterWriter(Protocol):
    """
    Where dead letters are written: returns once all are acknowledged, else raises Unavailable.
    """

    def write(self, letters: Sequence[DeadLetter]) -> None: ...  # noqa: D102


class Writer:
    """
    Sees every bulk through.

    Args:
        retry: Waits between attempts for documents that were refused for the time being, and for
            dead letters that could not be written.
    """

    def __init__(
        self,
        handoff: Handoff,
        sender: Sender,
        dead_letters: DeadLetterWriter,
        readiness: Readiness,
        retry: Backoff,
    ) -> None:
        self._handoff = handoff
        self._sender = sender
        self._dead_letters = dead_letters
        self._readiness = readiness
        self._retry = retry
        # One thread: the producer is flushed by one `write` at a time.
        self._scribe = ThreadPoolExecutor(1, "dead-letters")

    async def run(self) -> None:
        """
        Take bulks until cancelled. What is unsettled then is left: its offsets are uncommitted.
        """
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    bulk = await self._handoff.take()
                    group.create_task(self._see_through(bulk))
        finally:
            self._scribe.shutdown(wait=False, cancel_futures=True)

    async def _see_through(self, bulk: Bulk) -> None:
        """
        Account for each document of a bulk, then settle it, once.
        """
        attempt = 0
        while True:
            fates: Fates = Counter()
            try:
                await self._bury([_letter_of_rejected(r) for r in bulk.rejected], fates)
                await self._account_for(bulk, fates)
                break
            except Exception:
                # A bug. The bulk is sent again, which ids make harmless; it is never settled blind.
                attempt += 1
                log.exception("bulk failed unexpectedly, it is sent again", documents=len(bulk))
                await asyncio.sleep(self._retry.seconds(attempt))
        self._handoff.settle(bulk, fates)

    async def _account_for(self, bulk: Bulk, fates: Fates) -> None:
        attempts = 0
        while len(bulk):
            answer = await self._sender.send(bulk)
            attempts += 1
            if answer.request is Request.HALVE and not _is_blamed_wrongly(bulk, answer):
                await self._halve(bulk, answer, attempts, fates)
                return
            if answer.request is Request.HALVE:
                log.warning("a small document is called too large", why=answer.reply.reason)
                await asyncio.sleep(self._retry.seconds(attempts, answer.reply.retry_after_s))
                continue
            if answer.verdicts is None:
                _note(fates, bulk, Outcome.INDEXED)
                return
            again = await self._sort(bulk, answer.verdicts, attempts, fates)
            if not again:
                return
            bulk = bulk.part(again)
            await asyncio.sleep(self._retry.seconds(attempts, answer.reply.retry_after_s))

    async def _halve(self, bulk: Bulk, answer: Answer, attempts: int, fates: Fates) -> None:
        """
        Send a bulk that was refused as a whole in two parts; a document that stands alone is dead.
        """
        reply = answer.reply
        if len(bulk) > 1:
            log.warning("bulk halved", documents=len(bulk), status=reply.status, why=reply.reason)
            for half in bulk.halves():
                await self._account_for(half, fates)
            return
        error_type = reply.error_type or f"status_{reply.status}"
        verdict = Verdict(Outcome.DEAD, error_type, reply.reason)
        await self._bury([_letter(bulk, 0, verdict, attempts)], fates)

    async def _sort(
        self, bulk: Bulk, verdicts: list[Verdict], attempts: int, fates: Fates
    ) -> list[int]:
        """
        Enter what is decided, bury the dead, and give the positions to be sent again.
        """
        again: list[int] = []
        dead: list[DeadLetter] = []
        for position, verdict in enumerate(verdicts):
            if verdict.outcome in (Outcome.RETRY, Outcome.PARK):
                again.append(position)
            elif verdict.outcome in (Outcome.DEAD, Outcome.UNCLEAR):
                dead.append(_letter(bulk, position, verdict, attempts))
            else:
                fates[bulk.records[position].topic() or "", verdict.outcome] += 1
        _report("documents to be sent again", bulk, again, verdicts, attempts)
        await self._bury(dead, fates)
        return again

    async def _bury(self, letters: list[DeadLetter], fates: Fates) -> None:
        """
        Write dead letters, until they are acknowledged.
        """
        attempt = 0
        loop = asyncio.get_running_loop()
        while letters:
            try:
                await loop.run_in_executor(self._scribe, self._dead_letters.write, letters)
                break
            except Unavailable as failure:
                attempt += 1
                self._readiness.lacks("dead_letters", str(failure))
                await asyncio.sleep(self._retry.seconds(attempt))
        if attempt:
            self._readiness.has("dead_letters")
        for letter in letters:
            fates[letter.record.topic() or "", Outcome.DEAD] += len(letter)
        _report_dead(letters)


def _is_blamed_wrongly(bulk: Bulk, answer: Answer) -> bool:
    """
    Tell whether a 413 cannot be the document's fault: a proxy that says so to all is amiss.
    """
    small = len(bulk) == 1 and bulk.size_bytes < _NEVER_TOO_LARGE_BYTES
    return small and answer.reply.status == 413


def _note(fates: Fates, bulk: Bulk, outcome: Outcome) -> None:
    for section in bulk.sections:
        fates[section.topic, outcome] += section.documents


def _letter(bulk: Bulk, position: int, verdict: Verdict, attempts: int) -> DeadLetter:
    index, document_id = target_of(bulk.lines[2 * position])
    record = bulk.records[position]
    return DeadLetter(
        record,
        "index",
        verdict.error_type,
        verdict.reason,
        attempts=attempts,
        index=index,
        id=document_id,
        positions=(record.position,) if isinstance(record, Element) else (),
    )


def _letter_of_rejected(rejected: Rejected) -> DeadLetter:
    return DeadLetter(
        rejected.record,
        "collect",
        rejected.error_type,
        rejected.reason,
        positions=rejected.positions,
    )


def _report(
    event: str, bulk: Bulk, positions: list[int], verdicts: list[Verdict], attempts: int
) -> None:
    """
    Log one line an index and reason, with a count: never one a document.
    """
    groups = Counter(
        (target_of(bulk.lines[2 * p])[0], verdicts[p].error_type, verdicts[p].reason)
        for p in positions
    )
    for (index, error_type, reason), documents in groups.most_common(5):
        log.warning(
            event,
            index=index,
            error_type=error_type,
            reason=reason,
            documents=documents,
            attempts=attempts,
        )


def _report_dead(letters: list[DeadLetter]) -> None:
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
