"""
Sends one bulk at a time through each slot, and while nothing gets through, one bulk at all.

So an outage costs Elasticsearch one probe every few seconds instead of every bulk we hold, and its
end is noticed within the longest wait between probes.
"""

import asyncio
from typing import Protocol

import structlog

from sink.core.bulk import Body, Bulk
from sink.core.outcome import Answer, Reply, Request, judge
from sink.edge.readiness import Readiness
from sink.edge.retry import Backoff

log = structlog.get_logger()

PART = "elasticsearch"
# A bulk over the node's indexing pressure is refused at every attempt, however long it waits.
_REFUSALS_UNTIL_HALVED = 3


class BulkEndpoint(Protocol):
    """
    Where bulks are sent: `sink.edge.elastic.Elastic`, or a fake.
    """

    async def bulk(self, body: Body) -> Reply: ...  # noqa: D102
    async def refresh_credentials(self) -> None: ...  # noqa: D102


class Sender:
    """
    Sends bulks until they are answered. One event loop owns it.

    Args:
        in_flight: Requests at a time.
        probe: Waits between attempts while nothing gets through.
    """

    def __init__(
        self, elastic: BulkEndpoint, readiness: Readiness, in_flight: int, probe: Backoff
    ) -> None:
        self._elastic = elastic
        self._readiness = readiness
        self._slots = asyncio.Semaphore(in_flight)
        self._probing = asyncio.Lock()  # held by the one bulk that finds out whether it is over
        self._probe = probe
        self._failures = 0  # requests in a row that got no answer; 0: all is well
        self._retry_after_s: float | None = None

    async def send(self, bulk: Bulk) -> Answer:
        """
        Send a bulk until its documents have answers, or until it must be halved. Never gives up.
        """
        refusals = 0
        while True:
            answer = await (self._probe_with(bulk) if self._failures else self._attempt(bulk))
            if answer is None:
                continue
            if answer.request in (Request.ANSWERED, Request.HALVE):
                return answer
            refusals += answer.reply.status == 429
            if refusals >= _REFUSALS_UNTIL_HALVED and len(bulk) > 1:
                return Answer(Request.HALVE, answer.reply)

    async def _attempt(self, bulk: Bulk) -> Answer | None:
        async with self._slots:
            # Others may have failed while this one waited for its slot.
            return None if self._failures else await self._once(bulk)

    async def _probe_with(self, bulk: Bulk) -> Answer | None:
        async with self._probing:
            if not self._failures:
                return None
            await asyncio.sleep(self._probe.seconds(self._failures, self._retry_after_s))
            await self._elastic.refresh_credentials()
            return await self._once(bulk)

    async def _once(self, bulk: Bulk) -> Answer:
        answer = judge(await self._elastic.bulk(bulk.body()), len(bulk))
        if answer.request in (Request.ANSWERED, Request.HALVE):
            if self._failures:
                self._failures = 0
                self._readiness.has(PART)
            return answer
        self._failures += 1
        self._retry_after_s = answer.reply.retry_after_s
        self._readiness.lacks(PART, _why(answer))
        return answer


def _why(answer: Answer) -> str:
    reply = answer.reply
    said = f"bulk → {reply.status or 'no answer'} {reply.error_type}: {reply.reason}"
    if answer.request is Request.UNAUTHORIZED:
        return f"Elasticsearch refuses the credentials (api_key, basic_auth): {said}"
    return f"Elasticsearch takes nothing: {said}"
