"""
Lanes: the documents of an index that takes none wait apart, so that all others flow on.

A lane opens when Elasticsearch refuses an index, and closes when it accepts one of its documents.
Until then its documents are set aside, beyond the places of their bulks, within a bound of bytes.
Beyond it, or when the wait is long, they go to the parked topic; there the workers read them again.
The event loop owns all of it.
"""

import asyncio
import time
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol

import structlog

from sink.config.settings import ParkSettings
from sink.core.bulk import Bound, Bulk
from sink.core.lane import Aside, Lane, ParkedIndex, topic_key
from sink.core.ledger import PARKED
from sink.core.letters import letters_of_parked
from sink.core.outcome import Verdict
from sink.core.tally import Progress
from sink.edge.handoff import Handoff
from sink.edge.retry import Backoff
from sink.probe import Probe
from sink.scribe import Scribe

log = structlog.get_logger()

_WELL_S = 60.0  # an index that is refused sooner than so long after it resumed was not well


class SeeThrough(Protocol):
    """
    Accounts for each document of a bulk: `sink.writer.Writer.see_through`.
    """

    def __call__(  # noqa: D102
        self, bulk: Bulk, progress: Progress, *, aside: bool, index_is_fit: bool
    ) -> Coroutine[Any, Any, None]: ...


class Lanes:
    """
    The lanes of all parked indices.

    Args:
        parked_topic: Documents that were read from there are not held: they are left there.
        retry: Waits between two probes of an index.
    """

    def __init__(
        self,
        handoff: Handoff,
        probe: Probe,
        scribe: Scribe,
        settings: ParkSettings,
        parked_topic: str,
        retry: Backoff,
    ) -> None:
        self.published: tuple[ParkedIndex, ...] = ()  # replaced as a whole, read by any thread
        self._handoff = handoff
        self._probe = probe
        self._scribe = scribe
        self._ms_max = settings.ms_max
        self._parked_topic = parked_topic
        self._retry = retry
        self._lanes: dict[str, Lane] = {}  # by key
        self._closed: dict[str, tuple[float, int]] = {}  # key → when, after how many probes

    def tend(self, group: asyncio.TaskGroup, see_through: SeeThrough) -> None:
        """
        Name the group that the lanes' tasks belong to, and what sees their documents through.
        """
        self._group = group
        self._see_through = see_through

    async def divert(self, bulk: Bulk, progress: Progress) -> Bulk:
        """
        Set the documents of parked indices aside.

        Returns:
            The others, to be sent.
        """
        if not self._lanes:
            return bulk
        others: list[int] = []
        for bound, positions in bulk.by_bound().items():
            lane = None if bound.released else self._blocking(bound)
            if lane is None or not await self._take(lane, bulk.part(positions), progress):
                others += positions
        return bulk if len(others) == len(bulk) else bulk.part(sorted(others))

    def _blocking(self, bound: Bound) -> Lane | None:
        """
        Give the lane that keeps documents from being sent.
        """
        lanes = (self._lanes.get(key) for key in (bound.index, topic_key(bound.topic)))
        return next((lane for lane in lanes if lane is not None and lane.blocks), None)

    async def park(
        self, bulk: Bulk, refused: Mapping[int, Verdict], progress: Progress
    ) -> list[int]:
        """
        Park the indices of documents that were refused for their index: position → verdict.

        Returns:
            The positions that are to be sent again: their index was parked no longer.
        """
        again: list[int] = []
        for bound, positions in bulk.by_bound().items():
            mine = [position for position in positions if position in refused]
            if mine:
                part = bulk.part(mine)
                lane = self._lane(bound.index, refused[mine[0]], part)
                again += [] if await self._take(lane, part, progress) else mine
        return again

    async def hold_back(self, topic: str, part: Bulk, why: Verdict, progress: Progress) -> None:
        """
        Park a topic, and set documents of it aside.
        """
        while not await self._take(self.close_topic(topic, why), part, progress):
            pass  # the lane was opened meanwhile, and is closed again

    def close_topic(self, topic: str, why: Verdict) -> Lane:
        """
        Park a topic: none of its documents is sent until it may make dead letters again.
        """
        return self._lane(topic_key(topic), why, None)

    def _lane(self, key: str, why: Verdict, part: Bulk | None) -> Lane:
        """
        Give the lane of an index or a topic; a new one where there is none.
        """
        lane = self._lanes.get(key)
        if lane is not None:
            return lane
        now_s = asyncio.get_running_loop().time()
        closed_s, attempts = self._closed.pop(key, (-_WELL_S, 0))
        sample = part.part([0]) if part else None
        lane = self._lanes[key] = Lane(key, why, sample, time.time(), opened_s=now_s)
        # Refused again at once: it goes on with the longer waits it had.
        lane.attempts = attempts if now_s < closed_s + _WELL_S else 0
        log.error("parked", index=key, error_type=why.error_type, reason=why.reason)
        self._publish()  # before its documents are left: their worker asks whether it is parked
        self._group.create_task(self._tend(lane))
        return lane

    async def _take(self, lane: Lane, part: Bulk, progress: Progress) -> bool:
        """
        Take documents out of the flow: left in the parked topic, set aside, or written there.

        Returns:
            False when the lane was closed meanwhile: they are to be sent.
        """
        at_home = [
            s.consumed_from == self._parked_topic and not s.bound.moves for s in part.places()
        ]
        if all(at_home):
            self._leave(lane, part, progress)
            return True
        if any(at_home):
            self._leave(lane, part.part([p for p, left in enumerate(at_home) if left]), progress)
            part = part.part([p for p, left in enumerate(at_home) if not left])
        attempt = 0
        while not self._hold(lane, part, progress):
            if await self._scribe.park(letters_of_parked(part, lane.why)):
                progress.note(part, PARKED)
                break
            attempt += 1
            await asyncio.sleep(self._retry.seconds(attempt))
            if self._lanes.get(lane.key) is not lane:
                return False
        self._publish()
        return True

    def _leave(self, lane: Lane, part: Bulk, progress: Progress) -> None:
        progress.tally.leave((section.ticket for section in part.sections), lane.key)
        progress.note(part, PARKED)

    def _hold(self, lane: Lane, part: Bulk, progress: Progress) -> bool:
        if any(section.bound.moves for section in part.sections):
            return False
        if lane.spills or not self._handoff.set_aside(part):
            lane.spills = True
            return False
        progress.tally.set_aside(part.sections)
        since_s = progress.since_s or asyncio.get_running_loop().time()
        lane.asides.append(Aside(part, Progress(progress.tally, since_s=since_s)))
        return True

    async def _tend(self, lane: Lane) -> None:
        """
        Ask again and again whether the index is fit, then see its documents through.
        """
        while True:
            lane.attempts += 1
            try:
                await self._wait(lane, self._retry.seconds(lane.attempts))
                if await self._probe.ask(lane):
                    break
                self._publish()  # the reason may be another now
            except Exception:  # a bug: the documents stay where they are, and it is tried again
                log.exception("probe failed unexpectedly", index=lane.key)
                await asyncio.sleep(self._retry.seconds(lane.attempts))
        now_s = asyncio.get_running_loop().time()
        del self._lanes[lane.key]
        self._closed = {i: c for i, c in self._closed.items() if now_s < c[0] + _WELL_S}
        self._closed[lane.key] = (now_s, lane.attempts)
        self._publish()
        log.warning("resumed", index=lane.key, parked_s=round(now_s - lane.opened_s, 1))
        await self._drain(lane)

    async def _wait(self, lane: Lane, wait_s: float) -> None:
        """
        Wait for the next probe, and spill on the way when the documents have waited too long.
        """
        now_s = asyncio.get_running_loop().time()
        # Counted from when they were first set aside: an index may resume and be refused in turns.
        oldest_s = min((each.progress.since_s or now_s for each in lane.asides), default=now_s)
        spill_in_s = oldest_s + self._ms_max / 1000 - now_s
        if lane.asides and (lane.spills or spill_in_s < wait_s):
            before_s = 0.0 if lane.spills else max(0.0, spill_in_s)
            await asyncio.sleep(before_s)
            lane.spills = True
            await self._spill(lane)
            wait_s = max(0.0, wait_s - before_s)
        await asyncio.sleep(wait_s)

    async def _spill(self, lane: Lane) -> None:
        """
        Write what is held to the parked topic, so that its offsets may be committed.
        """
        while lane.asides:
            aside = lane.asides[0]
            if not await self._scribe.park(letters_of_parked(aside.rest, lane.why)):
                return
            lane.asides.popleft()
            aside.progress.note(aside.rest, PARKED)
            self._finish(aside)
        self._publish()

    async def _drain(self, lane: Lane) -> None:
        """
        See the documents of a lane through, one bulk at a time. Refused again, they wait again.
        """
        index_is_fit = lane.topic is None  # as the probe found it, a moment ago
        while lane.asides:
            aside = lane.asides[0]
            try:
                await self._see_through(
                    aside.rest, aside.progress, aside=True, index_is_fit=index_is_fit
                )
            except Exception:  # a bug: they are sent again, which ids make harmless
                log.exception("documents failed unexpectedly", index=lane.key)
                await asyncio.sleep(self._retry.seconds(1))
                continue
            index_is_fit = False
            lane.asides.popleft()
            self._finish(aside)

    def _finish(self, aside: Aside) -> None:
        tally, fates = aside.progress.tally, aside.progress.fates
        tickets = tally.ended(aside.part.sections)
        self._handoff.finish(aside.part, tickets, {} if tally.void else fates)

    def _publish(self) -> None:
        self.published = tuple(lane.state() for lane in self._lanes.values())
        self._handoff.parked = frozenset(self._lanes)
