"""
The two bounded queues between the worker threads and the event loop.

    bulks     N threads → loop   offer (bounded), or submit: the caller runs, one more a thread
    settled   loop → its thread  as many places as bulks can be outstanding: a put never waits

A place is held from offer to settlement, not from offer to take: a bulk that waits for its retry
keeps its place, so memory stays bounded while nothing gets through.
"""

import asyncio
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from sink.core.bulk import Bulk
from sink.core.offsets import Ticket

Fates = Mapping[tuple[str, str], int]  # (topic, fate) → documents


@dataclass(frozen=True, slots=True)
class Settlement:
    """
    What became of some documents, and the tickets that are done with them.

    Args:
        tickets: Each is settled by one part.
        bulk: Whose place this gives back; None where documents that were set aside come to an end.
    """

    tickets: list[Ticket]
    fates: Fates
    bulk: Bulk | None


class Handoff:
    """
    Hands bulks to the event loop and settlements back.

    Args:
        workers: Threads that offer bulks.
        places: Bulks that may be outstanding, caller-runs not counted.
        bytes_max: Bytes that may be outstanding. A bulk larger than that is taken alone.
    """

    def __init__(self, workers: int, places: int, bytes_max: int) -> None:
        self._places = places
        self._bytes_max = bytes_max
        self._lock = threading.Lock()  # guards the two counts below, for a few instructions
        self._outstanding = 0
        self._outstanding_bytes = 0
        self._bulks: asyncio.Queue[Bulk] = asyncio.Queue()  # touched by the loop only
        self._loop: asyncio.AbstractEventLoop | None = None
        self._settled: list[queue.Queue[Settlement]] = [
            queue.Queue(places + workers) for _ in range(workers)
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
            if self._outstanding >= self._places or (full and self._outstanding):
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

    async def take(self) -> Bulk:
        """
        Take the bulk that was handed over first. The loop calls it.
        """
        return await self._bulks.get()

    def settle(self, bulk: Bulk, fates: Fates) -> None:
        """
        Give a bulk's place back and tell its thread. The loop calls it, once a bulk.
        """
        with self._lock:
            self._count(bulk, -1)
        self._settled[bulk.worker].put_nowait(Settlement(bulk.tickets, fates, bulk))

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
            return taken

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
