"""
The two bounded queues between the worker threads and the event loop.

    bulks     N threads → loop   offer (bounded), or submit: the caller runs, one more a thread
    settled   loop → its thread  as many places as settlements can be outstanding: a put never waits

A place is held from offer to settlement, not from offer to take: a bulk that waits for its retry
keeps its place, so memory stays bounded while nothing gets through. Documents that were set aside
hold no place; they have a bound of their own.
"""

import asyncio
import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sink.core.budget import RECORD_OVERHEAD_BYTES, extra_bytes
from sink.core.bulk import Bulk
from sink.core.offsets import Ticket

Fates = Mapping[tuple[str, str], int]  # (topic, fate) → documents

ASIDE_PARTS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Settlement:
    """
    What became of some documents, and the tickets that are done with them.

    Args:
        tickets: Each is settled by one part.
        bulk: Whose place this gives back; None where documents that were set aside come to an end.
        left: Tickets of the parked topic, with the lane that is still closed to their documents:
            they are read again.
    """

    tickets: Sequence[Ticket]
    fates: Fates
    bulk: Bulk | None
    left: Sequence[tuple[Ticket, str]] = ()


class Handoff:
    """
    Hands bulks to the event loop and settlements back.

    Args:
        workers: Threads that offer bulks.
        places: Bulks that may ever be outstanding, caller-runs not counted.
        bytes_max: Bytes that may be outstanding. A bulk larger than that is taken alone.
        aside_bytes_max: Bytes that may be set aside.
    """

    def __init__(
        self, workers: int, places: int, bytes_max: int, aside_bytes_max: int = 32_000_000
    ) -> None:
        self.parked: frozenset[str] = frozenset()  # keys of lanes; replaced by the loop only
        self.full: frozenset[str] = frozenset()  # of these lanes, those without room; by the loop
        self.in_flight_max = 0  # bulks that may be under way now; replaced by the loop only
        self._places = places
        self._allowed = places  # of them, now; guarded by the lock as well
        self._bytes_max = bytes_max
        self._aside_bytes_max = aside_bytes_max
        self._lock = threading.Lock()  # guards the four counts below, for a few instructions
        self._outstanding = 0
        self._outstanding_bytes = 0
        self._aside = 0  # parts, until their thread took the settlement
        self._aside_bytes = 0
        self._bulks: asyncio.Queue[Bulk] = asyncio.Queue()  # touched by the loop only
        self._loop: asyncio.AbstractEventLoop | None = None
        self._settled: list[queue.Queue[Settlement]] = [
            queue.Queue(places + workers + ASIDE_PARTS_MAX) for _ in range(workers)
        ]

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """
        Name the loop that takes the bulks, before the first is offered.
        """
        self._loop = loop

    def offer(self, bulk: Bulk) -> bool:
        """
        Hand a bulk over unless the places are taken. Worker threads call it; it never waits.

        Returns:
            False when there is no place: the caller has to run.
        """
        with self._lock:
            full = self._outstanding_bytes + bulk.size_bytes > self._bytes_max
            if self._outstanding >= self._allowed or (full and self._outstanding):
                return False
            self._count(bulk, 1)
        self._put(bulk)
        return True

    def submit(self, bulk: Bulk) -> None:
        """
        Hand a bulk over beyond the places: its thread waits for this one and offers no other.
        """
        with self._lock:
            self._count(bulk, 1)
        self._put(bulk)

    def allow(self, places: int, in_flight_max: int) -> None:
        """
        Let only so many bulks be outstanding for now. The loop calls it.

        Args:
            in_flight_max: How many of them may be under way, for others to know.
        """
        self.in_flight_max = in_flight_max
        with self._lock:
            self._allowed = min(places, self._places)

    async def take(self) -> Bulk:
        """
        Take the bulk that was handed over first. The loop calls it.
        """
        return await self._bulks.get()

    def settle(
        self,
        bulk: Bulk,
        tickets: Sequence[Ticket],
        fates: Fates,
        left: Sequence[tuple[Ticket, str]] = (),
    ) -> None:
        """
        Give a bulk's place back and tell its thread. The loop calls it, once a bulk.
        """
        with self._lock:
            self._count(bulk, -1)
        self._settled[bulk.worker].put_nowait(Settlement(tickets, fates, bulk, left))

    def set_aside(self, part: Bulk) -> bool:
        """
        Keep a part of a bulk beyond its place, which `settle` may give back then.

        Returns:
            False when there is no room for it.
        """
        size_bytes = _aside_bytes(part)
        with self._lock:
            over = self._aside_bytes + size_bytes > self._aside_bytes_max
            if over or self._aside >= ASIDE_PARTS_MAX:
                return False
            self._aside += 1
            self._aside_bytes += size_bytes
        return True

    def crowding(self) -> float:
        """
        Tell how much of the room for what is set aside is taken: 0 to 1.

        Where there is none by configuration, 0: all goes to the parked topic at once.
        """
        if not self._aside_bytes_max:
            return 0.0
        parts, size_bytes = self.aside()
        return max(size_bytes / self._aside_bytes_max, parts / ASIDE_PARTS_MAX)

    def finish(self, part: Bulk, tickets: Sequence[Ticket], fates: Fates) -> None:
        """
        Give back the room of a part that was set aside, and tell its thread. Once a part.
        """
        with self._lock:
            self._aside_bytes -= _aside_bytes(part)
        self._settled[part.worker].put_nowait(Settlement(tickets, fates, None))

    def settled(self, worker: int, timeout_s: float = 0) -> list[Settlement]:
        """
        Take all settlements of a worker, waiting for the first at most so long.
        """
        inbox = self._settled[worker]
        taken: list[Settlement] = []
        try:
            taken.append(inbox.get(timeout=timeout_s) if timeout_s > 0 else inbox.get_nowait())
            while True:
                taken.append(inbox.get_nowait())
        except queue.Empty:
            pass
        if taken:
            with self._lock:
                self._aside -= sum(settlement.bulk is None for settlement in taken)
        return taken

    def aside(self) -> tuple[int, int]:
        """
        Count the parts that are set aside, and their bytes.
        """
        with self._lock:
            return self._aside, self._aside_bytes

    def outstanding(self) -> tuple[int, int]:
        """
        Count the bulks, and their bytes, that are not settled.
        """
        with self._lock:
            return self._outstanding, self._outstanding_bytes

    def _count(self, bulk: Bulk, step: int) -> None:
        self._outstanding += step
        self._outstanding_bytes += step * bulk.size_bytes

    def _put(self, bulk: Bulk) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._bulks.put_nowait, bulk)


def _aside_bytes(part: Bulk) -> int:
    overhead_bytes = RECORD_OVERHEAD_BYTES + int(extra_bytes(part.records))
    return part.size_bytes + len(part) * overhead_bytes
