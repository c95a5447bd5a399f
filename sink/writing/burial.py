"""
Dead letters on their way: held against the rate of their topic, then written.

A topic that makes more of them than it may is parked instead of emptying itself into the dead
letters: a bad deployment upstream is mended sooner than its letters are sorted.
"""

import asyncio
from collections.abc import Sequence

from sink.core.allowance import Allowance
from sink.core.bulk import Bulk
from sink.core.collect import Rejected
from sink.core.lane import topic_key
from sink.core.ledger import PARKED
from sink.core.letters import letters_of_dead, letters_of_rejected
from sink.core.outcome import Outcome, Verdict
from sink.core.parked import DEAD_LETTER_RATE
from sink.core.tally import Progress
from sink.edge.retry import Backoff
from sink.writing.lanes import Lanes
from sink.writing.scribe import Scribe

_TOO_MANY = Verdict(
    Outcome.PARK, DEAD_LETTER_RATE, "the topic makes more dead letters than dead_letter.rate_max"
)


class Burial:
    """
    Dead-letters documents and records. The event loop owns it.

    Args:
        parked_topic: Records that were read from there are left there when there are too many.
    """

    def __init__(
        self, scribe: Scribe, lanes: Lanes, allowance: Allowance, parked_topic: str, retry: Backoff
    ) -> None:
        self._scribe = scribe
        self._lanes = lanes
        self._allowance = allowance
        self._parked_topic = parked_topic
        self._retry = retry

    async def bury(
        self,
        bulk: Bulk,
        dead: Sequence[int],
        verdicts: Sequence[Verdict],
        attempts: int,
        progress: Progress,
    ) -> None:
        """
        Dead-letter documents by position. Those beyond the rate of their topic are set aside.
        """
        wanted = set(dead)
        for bound, positions in bulk.by_bound().items() if wanted else ():
            mine = [position for position in positions if position in wanted]
            granted = self._granted(bound.topic, len(mine))
            now, over = mine[:granted], mine[granted:]
            await self._scribe.bury(letters_of_dead(bulk, {p: verdicts[p] for p in now}, attempts))
            progress.note(bulk.part(now), Outcome.DEAD)
            if over:
                await self._lanes.hold_back(bound.topic, bulk.part(over), _TOO_MANY, progress)

    async def bury_rejected(self, rejected: Sequence[Rejected], progress: Progress) -> None:
        """
        Dead-letter records that became no document.

        Those beyond the rate of their topic go to the parked topic at once: there is no document to
        be set aside.
        """
        now: list[Rejected] = []
        over: list[Rejected] = []
        for each in rejected:
            topic = each.record.topic() or ""
            # A letter, however many its elements: more than the rate allows would never pass.
            may = each.by_command or self._granted(topic, 1) == 1
            (now if may else over).append(each)
        await self._scribe.bury(letters_of_rejected(now))
        await self._set_aside(over, progress)
        for fate, those in ((Outcome.DEAD, now), (PARKED, over)):
            for each in those:
                progress.fates[each.consumed_from, fate] += len(each)

    async def _set_aside(self, over: list[Rejected], progress: Progress) -> None:
        away: list[Rejected] = []
        for each in over:
            topic = each.record.topic() or ""
            self._lanes.close_topic(topic, _TOO_MANY)
            if each.consumed_from == self._parked_topic and each.ticket is not None:
                progress.tally.leave([each.ticket], topic_key(topic))
            else:
                away.append(each)
        attempt = 0
        while not await self._scribe.park(letters_of_rejected(away)):
            attempt += 1
            await asyncio.sleep(self._retry.seconds(attempt))

    def _granted(self, topic: str, wanted: int) -> int:
        return self._allowance.take(topic, wanted, asyncio.get_running_loop().time())
