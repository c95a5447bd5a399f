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
from sink.writing.probe import Probe
from sink.writing.scribe import Scribe

log = structlog.get_logger()

# From so much of the room on, partitions that give nothing but documents of closed lanes wait in
# Kafka, until it is half as much.
_FULL = 0.5
_OTHER_WORK = 19  # shares of the time, for one of writing to the parked topic
_BUSY_BULKS = 4
_WELL_S = 60.0  # an index that is refused sooner than so long after it resumed was not well


class SeeThrough(Protocol):
    """
    Accounts for each document of a bulk: `sink.writing.writer.Writer.see_through`.
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
        self._spill_again_s = 0.0  # of the loop's clock
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
        others: list[range] = []
        size_bytes = bulk.size_bytes
        for bound, ranges in bulk.ranges_by_bound().items():
            lane = None if bound.released else self._blocking(bound)
            part = bulk.cut_out(ranges) if lane else bulk
            if lane and await self._take(lane, part, progress):
                size_bytes -= part.size_bytes
            else:
                others += ranges
        if len(others) == len(bulk.sections):
            return bulk
        return bulk.cut_out(sorted(others, key=lambda each: each.start), size_bytes)

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
        homes = [s.consumed_from == self._parked_topic and not s.bound.moves for s in part.sections]
        if all(homes):
            self._leave(lane, part, progress)
            return True
        if any(homes):
            ranges = part.ranges_by_bound().values()
            each = sorted((r for of_bound in ranges for r in of_bound), key=lambda r: r.start)
            left = [r for r, at_home in zip(each, homes, strict=True) if at_home]
            self._leave(lane, part.cut_out(left), progress)
            part = part.cut_out([r for r, home in zip(each, homes, strict=True) if not home])
        attempt = 0
        while not self._hold(lane, part, progress):
            if await self._scribe.park(letters_of_parked(part, lane.why)):
                progress.note(part, PARKED)
                lane.spills = True
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
        if not self._handoff.set_aside(part):
            return False
        progress.tally.set_aside(part.sections)
        since_s = progress.since_s or asyncio.get_running_loop().time()
        lane.hold(Aside(part, Progress(progress.tally, since_s=since_s)))
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
        Wait for the next probe. What has waited for too long meanwhile goes to the parked topic.
        """
        clock = asyncio.get_running_loop().time
        probe_at_s = clock() + wait_s
        while lane.asides and (spill_at_s := self._spill_at_s(lane)) < probe_at_s:
            await asyncio.sleep(max(0.0, spill_at_s - clock()))
            if not await self._spill(lane):
                break
        await asyncio.sleep(max(0.0, probe_at_s - clock()))

    def _spill_at_s(self, lane: Lane) -> float:
        # Counted from when they were first set aside: an index may resume and be refused in turns.
        since_s = lane.asides[0].progress.since_s or lane.opened_s
        return max(since_s + self._ms_max / 1000, self._spill_again_s)

    async def _spill(self, lane: Lane) -> bool:
        """
        Write what was set aside first to the parked topic, so that its offsets may be committed.

        Beside other work this takes a twentieth of the time: it costs as much as indexing.

        Returns:
            False when it was not acknowledged.
        """
        clock = asyncio.get_running_loop().time
        began_s = clock()
        aside = lane.asides[0]
        if not await self._scribe.park(letters_of_parked(aside.rest, lane.why)):
            return False
        lane.release()
        lane.spills = True
        aside.progress.note(aside.rest, PARKED)
        self._finish(aside)
        self._publish()
        busy = min(1.0, self._handoff.outstanding()[0] / _BUSY_BULKS)
        self._spill_again_s = clock() + (clock() - began_s) * _OTHER_WORK * busy
        return True

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
            lane.release()
            self._finish(aside)

    def _finish(self, aside: Aside) -> None:
        tally, fates = aside.progress.tally, aside.progress.fates
        tickets = tally.ended(aside.part.sections)
        self._handoff.finish(aside.part, tickets, {} if tally.void else fates)

    def _publish(self) -> None:
        self.published = tuple(lane.state() for lane in self._lanes.values())
        self._handoff.parked = frozenset(self._lanes)
        crowding = self._handoff.crowding()
        is_full = crowding > _FULL or (self._handoff.full and crowding > _FULL / 2)
        blocking = (key for key, lane in self._lanes.items() if lane.blocks)
        self._handoff.full = frozenset(blocking if is_full else ())
