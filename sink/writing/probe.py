"""
Asks whether a parked index takes documents again, and a parked topic may make dead letters again.
"""

import asyncio

from sink.core.allowance import Allowance
from sink.core.bulk import Bulk
from sink.core.lane import Aside, Lane, dry_run
from sink.core.outcome import Outcome, Request, Verdict
from sink.core.sorting import ACCEPTED, fate_of
from sink.writing.sender import Sender

_FIT = ACCEPTED | {Outcome.DEAD}  # answers to a dry run by an index that takes documents


class Probe:
    """
    Sends one document of a lane, or a dry run. The event loop owns it.
    """

    def __init__(self, sender: Sender, allowance: Allowance) -> None:
        self._sender = sender
        self._allowance = allowance

    async def is_fit(self, document: Bulk) -> bool:
        """
        Tell whether an index takes documents though it refused one: the refusal is the document's.

        A write is tried that a fit index refuses as a document's fault, so nothing is written.
        """
        answer = await self._sender.send(dry_run(document), aside=True)
        if answer.verdicts is None:
            return answer.request is Request.ANSWERED
        return answer.verdicts[0].outcome in _FIT

    async def ask(self, lane: Lane) -> bool:
        """
        Tell whether a lane may be opened. The fate of a document that was accepted is entered.
        """
        if lane.topic is not None:
            return self._allowance.is_ample(lane.topic, asyncio.get_running_loop().time())
        document, aside, position = lane.candidate()
        answer = await self._sender.send(document, aside=True)
        if answer.request is Request.SLOW:
            return False
        if answer.request is Request.HALVE:  # the document's own fault, unless it is 429
            return answer.reply.status != 429
        verdict = answer.verdicts[0] if answer.verdicts else Verdict(Outcome.INDEXED)
        if aside is None:  # it was a dry run
            lane.blocks = verdict.outcome not in _FIT
            return not lane.blocks
        return await self._judge(lane, document, aside, position, verdict)

    async def _judge(
        self, lane: Lane, document: Bulk, aside: Aside, position: int, verdict: Verdict
    ) -> bool:
        if verdict.outcome in ACCEPTED:
            lane.take(aside, position, fate_of(verdict.outcome, document.lines[1]))
        if verdict.outcome in _FIT:
            return True
        lane.cursor += 1  # the next time another document asks
        fit = verdict.outcome is not Outcome.RETRY and await self.is_fit(document)
        # Refused for its index, and yet the index is fit: a role that may add no field, say. Such
        # a document waits, and holds up no other.
        lane.blocks, lane.why = not fit, verdict
        return fit and verdict.outcome is Outcome.UNCLEAR
