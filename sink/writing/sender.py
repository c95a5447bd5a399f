"""
Sends one bulk at a time through each slot, and while nothing gets through, one bulk at all.

So an outage costs Elasticsearch one probe every few seconds instead of every bulk we hold, and its
end is noticed within the longest wait between probes.
"""

import asyncio
from typing import NamedTuple, Protocol

import structlog

from sink.core.body import Body
from sink.core.bulk import Bulk
from sink.core.lane import dry_run
from sink.core.outcome import NO_ANSWER_IN_TIME, Answer, Reply, Request, judge
from sink.core.pressure import exceeds_node, may_exceed_node
from sink.edge.readiness import Readiness
from sink.edge.retry import Backoff
from sink.writing.slots import Slots

log = structlog.get_logger()

PART = "elasticsearch"
# A bulk over the node's indexing pressure is refused at every attempt, however long it waits.
REFUSALS_UNTIL_HALVED = 3
# Requests of parked indices at a time, beside those of all others.
ASIDE_IN_FLIGHT = 4
# No server is set up to refuse so little: http.max_content_length is 100 MB, nginx's limit 1 MB.
NEVER_TOO_LARGE_BYTES = 64 * 1024
_ANSWERED_MAX = 8  # indices that a dry run may ask
# A limit may be raised while we run: after so long one bulk tries it.
_CEILING_S = 600.0


class BulkEndpoint(Protocol):
    """
    Where bulks are sent: `sink.edge.elastic.Elastic`, or a fake.
    """

    async def bulk(self, body: Body) -> Reply: ...  # noqa: D102
    async def refresh_credentials(self) -> None: ...  # noqa: D102


class _Ceiling(NamedTuple):
    """
    What one bulk may weigh, learned from a 413 or a 429.
    """

    bytes_max: int
    until_s: float  # of the loop's clock
    reply: Reply


class Sender:
    """
    Sends bulks until they are answered. One event loop owns it.

    Args:
        slots: For what is not of a parked index.
        probe: Waits between attempts while nothing gets through.
    """

    def __init__(
        self, elastic: BulkEndpoint, readiness: Readiness, slots: Slots, probe: Backoff
    ) -> None:
        self._elastic = elastic
        self._readiness = readiness
        self._slots = slots
        self._aside_slots = asyncio.Semaphore(ASIDE_IN_FLIGHT)
        self._probing = asyncio.Lock()  # held by the one bulk that finds out whether it is over
        self._probe = probe
        self._failures = 0  # requests in a row that got no answer; 0: all is well
        self._not_before_s = 0.0  # of the loop's clock: no request before, a Retry-After said so
        self._ceiling: _Ceiling | None = None
        self._answered: dict[str, Bulk] = {}  # index → one of its documents, the last ones to come
        self._answered_s = 0.0  # when the last answer came, of the loop's clock

    async def send(self, bulk: Bulk, *, aside: bool = False) -> Answer:
        """
        Send a bulk until its documents have answers, or something must be done about it.

        Never gives up. A bulk that got no answer in time while the cluster answers others, if only
        a dry run, is SLOW: one of its indices holds up the documents of all.

        Args:
            aside: It is of a parked index: it takes no slot of the others.
        """
        refusals, again_s = 0, 0.0
        clock = asyncio.get_running_loop().time
        late: Reply | None = None
        while True:
            known = self._known(bulk, late)
            if known is not None:
                return known
            answer = await self._try(bulk, late, again_s, aside=aside)
            if answer is None:
                continue
            if answer.reply.error_type == NO_ANSWER_IN_TIME:
                late = answer.reply
            if answer.request is Request.HALVE and answer.reply.status in (413, 429):
                self._remember(bulk, answer.reply)
            if answer.request in (Request.ANSWERED, Request.HALVE):
                return answer
            if answer.reply.status == 429:
                refusals += 1
                # Others may be answered meanwhile: this one would be refused again at once.
                again_s = clock() + self._probe.seconds(refusals)
                if may_exceed_node(answer.reply) and self._failures >= REFUSALS_UNTIL_HALVED:
                    # They were sent one at a time: the others need not find out as well.
                    self._remember(bulk, answer.reply)
            if refusals >= REFUSALS_UNTIL_HALVED:
                return Answer(Request.HALVE, answer.reply)

    def _known(self, bulk: Bulk, late: Reply | None) -> Answer | None:
        """
        Tell what need not be asked: that the bulk is too large, or that one of its indices is slow.
        """
        too_large = self._known_too_large(bulk)
        if too_large is not None:
            return Answer(Request.HALVE, too_large)
        return Answer(Request.SLOW, late) if late is not None and not self._failures else None

    async def _try(
        self, bulk: Bulk, late: Reply | None, again_s: float, *, aside: bool
    ) -> Answer | None:
        """
        Send a bulk once, or wait until it may be sent: then there is no answer.
        """
        if self._failures:
            return await self._probe_with(bulk, late)
        wait_s = max(again_s, self._not_before_s) - asyncio.get_running_loop().time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
            return None
        if aside:
            async with self._aside_slots:
                return None if self._waits(bulk) else await self._once(bulk, of_unfit_index=True)
        async with self._slots:
            if self._waits(bulk):
                return None
            began_s = asyncio.get_running_loop().time()
            answer = await self._once(bulk)
            took_s = asyncio.get_running_loop().time() - began_s
            self._slots.answered(took_s, answer, len(bulk))
            return answer

    def _waits(self, bulk: Bulk) -> bool:
        """
        Tell whether others failed, or learned a limit, while this one waited for its slot.
        """
        return bool(self._failures or self._known_too_large(bulk) or self._too_early_s() > 0)

    def _too_early_s(self) -> float:
        return self._not_before_s - asyncio.get_running_loop().time()

    def _known_too_large(self, bulk: Bulk) -> Reply | None:
        """
        Give the answer that a bulk of this size got lately: it need not be sent to get it again.
        """
        ceiling = self._ceiling
        if ceiling is None or len(bulk) == 1 or bulk.size_bytes <= ceiling.bytes_max:
            return None
        if asyncio.get_running_loop().time() < ceiling.until_s:
            return ceiling.reply
        self._ceiling = None
        return None

    def _remember(self, bulk: Bulk, reply: Reply) -> None:
        if len(bulk) > 1:
            known = self._ceiling.bytes_max if self._ceiling else bulk.size_bytes
            bytes_max = max(NEVER_TOO_LARGE_BYTES, min(known, bulk.size_bytes // 2))
            until_s = asyncio.get_running_loop().time() + _CEILING_S
            self._ceiling = _Ceiling(bytes_max, until_s, reply)
            log.warning("bulks are too large, smaller ones are sent", bytes_max=bytes_max)

    async def _probe_with(self, bulk: Bulk, late: Reply | None) -> Answer | None:
        """
        Find out whether the outage is over.

        Args:
            late: The bulk itself got no answer in time. Then a dry run asks: the bulk would only
                wait again for the index that does not answer.
        """
        async with self._probing:
            if not self._failures or self._known_too_large(bulk):
                return None
            early_s = self._too_early_s()
            await asyncio.sleep(early_s if early_s > 0 else self._probe.seconds(self._failures))
            if self._too_early_s() > 0:  # another one was refused meanwhile
                return None
            await self._elastic.refresh_credentials()
            if late is None:
                return await self._once(bulk)
            await self._once(self._dry_run_elsewhere(bulk))
            return None

    def _dry_run_elsewhere(self, bulk: Bulk) -> Bulk:
        """
        Make a dry run of another index that answered before, each in turn; else of the bulk's own.
        """
        own = {bound.index: positions[:1] for bound, positions in bulk.by_bound().items()}
        others = [sample for index, sample in self._answered.items() if index not in own]
        samples = others or [bulk.part(position) for position in own.values()]
        return dry_run(samples[self._failures % len(samples)])

    def _remember_answered(self, bulk: Bulk) -> None:
        index = bulk.sections[0].bound.index
        if index not in self._answered:
            self._answered[index] = bulk.first()
            if len(self._answered) > _ANSWERED_MAX:
                self._answered.pop(next(iter(self._answered)))

    async def _once(self, bulk: Bulk, *, of_unfit_index: bool = False) -> Answer:
        clock = asyncio.get_running_loop().time
        began_s = clock()
        answer = judge(await self._elastic.bulk(bulk.body()), len(bulk))
        if exceeds_node(answer.reply):  # as a 413: this is no outage
            answer = Answer(Request.HALVE, answer.reply)
        if answer.request in (Request.ANSWERED, Request.HALVE):
            self._answered_s = clock()
            self._remember_answered(bulk)
            if self._failures:
                self._failures = 0
                self._readiness.has(PART)
            return answer
        known = of_unfit_index or self._answered_s > began_s  # others were answered meanwhile
        if answer.reply.error_type == NO_ANSWER_IN_TIME and known:
            return answer  # this is no outage
        self._failures += 1
        if answer.reply.retry_after_s is not None:
            wait_s = self._probe.seconds(1, answer.reply.retry_after_s)
            self._not_before_s = max(self._not_before_s, clock() + wait_s)
        if self._failures > 1:  # one of several hosts may be down: the next request goes elsewhere
            self._readiness.lacks(PART, _why(answer))
        return answer


def _why(answer: Answer) -> str:
    reply = answer.reply
    said = f"bulk → {reply.status or 'no answer'} {reply.error_type}: {reply.reason}"
    if answer.request is Request.UNAUTHORIZED:
        return f"Elasticsearch refuses the credentials (api_key, basic_auth): {said}"
    return f"Elasticsearch takes nothing: {said}"
