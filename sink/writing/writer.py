"""
The loop side: take a bulk, send it, judge each document, retry, park or dead-letter it, settle.

It runs on one event loop, which owns the Elasticsearch client and every bulk it took. Nothing here
gives up: a bulk is settled once each of its documents is accounted for, or never.
"""

import asyncio
from collections import Counter

import structlog

from sink.config import Config
from sink.core.allowance import Allowance
from sink.core.bulk import Bulk
from sink.core.dead_letter import target_of
from sink.core.outcome import INDEXED, Answer, Outcome, Request, Verdict
from sink.core.repair import REPAIRED_MARK, Repairs, is_repaired
from sink.core.sorting import Sorted, sort
from sink.core.tally import Progress, Tally
from sink.edge.handoff import Handoff
from sink.edge.readiness import Readiness
from sink.edge.retry import Backoff
from sink.writing.admission import Admission
from sink.writing.ahead import Ahead, Indices
from sink.writing.burial import Burial
from sink.writing.lanes import Lanes
from sink.writing.probe import Probe
from sink.writing.scribe import LetterWriter, Scribe
from sink.writing.sender import NEVER_TOO_LARGE_BYTES, BulkEndpoint, Sender
from sink.writing.slots import Slots

log = structlog.get_logger()

# An index whose documents are refused so often in a row holds up the other documents of a bulk.
_REFUSALS_UNTIL_PARKED = 3


class Writer:
    """
    Sees every bulk through.

    Args:
        retry: Waits between attempts for documents that were refused for the time being.
    """

    def __init__(
        self,
        handoff: Handoff,
        sender: Sender,
        probe: Probe,
        burial: Burial,
        lanes: Lanes,
        retry: Backoff,
        *,
        repairs: Repairs,
        admission: Admission,
        ahead: Ahead,
    ) -> None:
        self._repairs = repairs
        self._admission = admission
        self._ahead = ahead
        self._handoff = handoff
        self._sender = sender
        self._probe = probe
        self._burial = burial
        self._lanes = lanes
        self._retry = retry

    async def run(self) -> None:
        """
        Take bulks until cancelled. What is unsettled then is left: its offsets are uncommitted.
        """
        async with asyncio.TaskGroup() as group:
            self._lanes.tend(group, self.see_through)
            self._ahead.tend(group)
            while True:
                bulk = await self._handoff.take()
                group.create_task(self._settle(bulk))

    async def _settle(self, bulk: Bulk) -> None:
        """
        Account for each document of a bulk, then give its place back, once.
        """
        attempt = 0
        while True:
            progress = Progress(Tally(bulk.tickets))
            try:
                await self._burial.bury_rejected(bulk.rejected, progress)
                await self.see_through(bulk, progress)
                break
            except Exception:
                # A bug. The bulk is sent again, which ids make harmless; it is never settled blind.
                attempt += 1
                progress.tally.void = True
                log.exception("bulk failed unexpectedly, it is sent again", documents=len(bulk))
                await asyncio.sleep(self._retry.seconds(attempt))
        tally = progress.tally
        self._handoff.settle(bulk, tally.moved(), progress.fates, tally.left)

    async def see_through(
        self, bulk: Bulk, progress: Progress, *, aside: bool = False, index_is_fit: bool = False
    ) -> None:
        """
        Account for each document of a bulk, or set it aside.

        Args:
            aside: It takes no slot of the others.
            index_is_fit: Its index is known to accept documents.
        """
        await self._admission.admit(bulk, progress)
        attempts = 0
        refusals: Counter[str] = Counter()  # index → answers in a row that refused some
        while len(bulk := await self._lanes.divert(bulk, progress)):
            answer = await self._sender.send(bulk, aside=aside)
            attempts += 1
            if answer.request is Request.HALVE and len(bulk) > 1:
                for half in bulk.halves():
                    await self.see_through(half, progress, aside=aside)
                return
            verdicts = answer.verdicts
            if answer.request is Request.ANSWERED and verdicts is None:
                if not self._holds_repaired(bulk):
                    progress.note(bulk, Outcome.INDEXED)
                    return
                verdicts = [INDEXED] * len(bulk)
            verdicts = verdicts or [_verdict_of_all(bulk, answer)] * len(bulk)
            found = sort(bulk, verdicts, index_is_fit=index_is_fit)
            progress.fates += found.fates
            await self._clear_up(bulk, found)
            repaired = self._repair(bulk, found, verdicts)
            await self._burial.bury(bulk, found.dead, verdicts, attempts, progress)
            again = await self._defer(bulk, found, verdicts, refusals, progress)
            if not again and not repaired:
                return
            bulk = bulk.part(sorted([*again, *repaired]), repaired)
            await asyncio.sleep(self._retry.seconds(attempts, answer.reply.retry_after_s))

    def _holds_repaired(self, bulk: Bulk) -> bool:
        return (
            self._repairs.any
            and bulk.body().holds(REPAIRED_MARK)
            and any(map(is_repaired, bulk.lines[1::2]))
        )

    def _repair(self, bulk: Bulk, found: Sorted, verdicts: list[Verdict]) -> dict[int, bytes]:
        """
        Repair what can be of documents that would be dead, and give them: position → source.
        """
        if not self._repairs.any or not found.dead:
            return {}
        places = bulk.places()
        repaired: dict[int, bytes] = {}
        for position in found.dead:
            source, topic = bulk.lines[2 * position + 1], places[position].bound.topic
            mended = self._repairs.repaired(topic, source, verdicts[position])
            if mended is not None:
                repaired[position] = mended
        found.dead = [position for position in found.dead if position not in repaired]
        _report("documents repaired, to be sent again", bulk, [*repaired], verdicts)
        return repaired

    async def _clear_up(self, bulk: Bulk, found: Sorted) -> None:
        """
        Ask the indices of unclear documents: not fit, they are parked; else the document is dead.
        """
        if not found.unclear:
            return
        places = bulk.places()
        fit: dict[str, bool] = {}
        for position in found.unclear:
            index = places[position].bound.index
            if index not in fit:
                fit[index] = await self._probe.is_fit(bulk.part([position]))
            (found.dead if fit[index] else found.parked).append(position)

    async def _defer(
        self,
        bulk: Bulk,
        found: Sorted,
        verdicts: list[Verdict],
        refusals: Counter[str],
        progress: Progress,
    ) -> list[int]:
        """
        Park what is refused for its index, and give the positions to be sent again.
        """
        if not (found.again or found.parked):
            return []
        places = bulk.places()
        refusals.update({places[position].bound.index for position in found.again})
        parked = set(found.parked)
        for position in found.again:
            if refusals[places[position].bound.index] >= _REFUSALS_UNTIL_PARKED:
                parked.add(position)
        again = [position for position in found.again if position not in parked]
        _report("documents to be sent again", bulk, again, verdicts)
        refused = {position: verdicts[position] for position in sorted(parked)}
        return sorted(again + await self._lanes.park(bulk, refused, progress))


def _verdict_of_all(bulk: Bulk, answer: Answer) -> Verdict:
    """
    Judge the documents of a slow bulk, or one that was refused as a request of its own.
    """
    reply, outcome = answer.reply, Outcome.DEAD
    if reply.status == 429 or answer.request is Request.SLOW:
        outcome = Outcome.PARK  # each index is asked by itself, and those that are well go on
    elif reply.status == 413 and bulk.size_bytes < NEVER_TOO_LARGE_BYTES:
        outcome = Outcome.RETRY  # a proxy that says so to all is amiss
    return Verdict(outcome, reply.error_type or f"status_{reply.status}", reply.reason)


def _report(event: str, bulk: Bulk, positions: list[int], verdicts: list[Verdict]) -> None:
    """
    Log one line an index and reason, with a count: never one a document.
    """
    groups = Counter(
        (target_of(bulk.lines[2 * p])[0], verdicts[p].error_type, verdicts[p].reason)
        for p in positions
    )
    for (index, error_type, reason), documents in groups.most_common(5):
        log.warning(event, index=index, error_type=error_type, reason=reason, documents=documents)


def assemble(
    config: Config,
    handoff: Handoff,
    elastic: BulkEndpoint,
    letters: tuple[LetterWriter, LetterWriter],
    readiness: Readiness,
    indices: Indices,
) -> tuple[Writer, Lanes]:
    """
    Put the loop side together.

    Args:
        letters: Of the dead-letter topic and of the parked topic.
    """
    bulk, parked_topic = config.bulk, config.parked_topic
    between_probes = Backoff(bulk.retry_initial_ms, bulk.probe_max_ms)
    retry = Backoff(bulk.retry_initial_ms, bulk.retry_max_ms)
    # A bulk that waits while few are sent costs memory, and its wait.
    slots = Slots(bulk.in_flight, lambda limit: handoff.allow(bulk.queue_slots + limit, limit))
    sender = Sender(elastic, readiness, slots, between_probes)
    scribe = Scribe(*letters, readiness, retry)
    allowance = Allowance(config.dead_letter.rate_max)
    probe = Probe(sender, allowance)
    lanes = Lanes(handoff, probe, scribe, config.park, parked_topic, retry)
    burial = Burial(scribe, lanes, allowance, parked_topic, retry)
    ahead = Ahead(indices)
    admission = Admission(indices, ahead, retry)
    writer = Writer(
        handoff,
        sender,
        probe,
        burial,
        lanes,
        retry,
        repairs=Repairs(config.routes),
        admission=admission,
        ahead=ahead,
    )
    return writer, lanes
