"""
Makes the next period's indices before it begins, one at a time, spread over the last hour.

Otherwise all of them would be made by the first documents after midnight, each a change of the
cluster's state that every bulk waits for. Where it fails, just that happens: nothing else hangs on
it. The event loop owns it.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from sink.core.series import Series
from sink.errors import Unauthorized, Unavailable

log = structlog.get_logger()

_HOP_S = 60.0  # the wall's clock may be set meanwhile
_WAITING_MAX = 10_000


class Indices(Protocol):
    """
    The indices of a cluster. Each call raises `Unavailable` or `Unauthorized`.
    """

    async def exists(self, index: str) -> bool:
        """
        Tell whether there is an index, alias or data stream of a name.
        """

    async def create(self, index: str) -> bool:
        """
        Create an index; False where it is there already.
        """


class Ahead:
    """
    Remembers which indices are written in their own period, and makes those that follow.

    Args:
        clock: Seconds since the epoch. Only here: it decides when an index is made, never which.
    """

    def __init__(self, indices: Indices, clock: Callable[[], float] = time.time) -> None:
        self._indices = indices
        self._clock = clock
        self._group: asyncio.TaskGroup | None = None
        self._noted: dict[str, int] = {}  # next index → when its period begins
        self._one_at_a_time = asyncio.Lock()
        self._denied = False

    def tend(self, group: asyncio.TaskGroup) -> None:
        """
        Name the group that the waiting tasks belong to.
        """
        self._group = group

    def note(self, series: Series) -> None:
        """
        Note that documents go to an index. What is not of the present is passed over.
        """
        index = series.next_index
        if index is None or index in self._noted or self._denied or self._group is None:
            return
        now_ms = self._clock() * 1000
        if not series.from_ms <= now_ms < series.until_ms:
            return
        self._noted = {name: at for name, at in self._noted.items() if now_ms < at}
        if len(self._noted) >= _WAITING_MAX:
            return
        self._noted[index] = series.until_ms
        self._group.create_task(self._make(index, series))

    async def _make(self, index: str, series: Series) -> None:
        """
        Wait until it is time, then create the index; tried again until its period begins.
        """
        due_s, failed = series.due_ms() / 1000, False
        while (now_s := self._clock()) * 1000 < series.until_ms and not self._denied:
            if now_s < due_s:
                await asyncio.sleep(min(_HOP_S, due_s - now_s))
                continue
            try:
                async with self._one_at_a_time:
                    made = await self._indices.create(index)
            except Unauthorized as failure:
                self._deny(index, failure)
            except Unavailable as failure:
                if not failed:
                    log.warning("index not made ahead of time", index=index, why=str(failure))
                failed = True
                due_s = now_s + _HOP_S
            except Exception:  # a bug: it must not end the group, which sees bulks through
                log.exception("index not made ahead of time", index=index)
                return
            else:
                if made:
                    log.info("index made ahead of time", index=index)
                return

    def _deny(self, index: str, failure: Unauthorized) -> None:
        if not self._denied:
            log.warning(
                "indices are not made ahead of time, the first document of a period makes them",
                index=index,
                why=str(failure),
                remedy="grant create_index on the indices of the routes, or set "
                "index.create_ahead = false",
            )
        self._denied = True
