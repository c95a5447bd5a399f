"""
Which indices may begin: a field that holds request ids must not make an index a request.

What is beyond the number of new names an hour goes to one index of the route, `…overflow…`: it is
indexed and found, and nothing waits for an operator. The event loop owns it.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import structlog

from sink.core.bulk import Bound, Bulk, moved_to
from sink.core.ledger import DISPLACED
from sink.core.naming import OVERFLOW
from sink.core.series import Newcomers, Series
from sink.core.tally import Progress
from sink.edge.retry import Backoff
from sink.errors import Unauthorized, Unavailable
from sink.writing.ahead import Ahead, Indices

log = structlog.get_logger()

_LOG_AGAIN_S = 3600.0
_AT_ONCE = 8
_REMEMBERED_MAX = 100_000  # names: some 20 MB


class Admission:
    """
    Lets documents pass to indices that may be, and leads the others to the overflow.

    Args:
        ahead: Is told of every index that documents go to.
    """

    def __init__(
        self,
        indices: Indices,
        ahead: Ahead,
        retry: Backoff,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._indices = indices
        self._ahead = ahead
        self._retry = retry
        self._clock = clock
        self._newcomers = Newcomers()
        self._known: set[tuple[str, tuple[str, ...]]] = set()  # route and name
        self._asking = asyncio.Lock()  # the same name is in many bulks at once
        self._may_ask = True
        self._log_at: dict[str, float] = {}

    async def admit(self, bulk: Bulk, progress: Progress) -> None:
        """
        Look at each index of a bulk. Documents of one that may not begin are bound for another.

        Cost: 0.1 µs a section where all are known.
        """
        strange: dict[Bound, Series] = {}
        for section in bulk.sections:
            series = section.bound.series
            if series is None:
                continue
            self._ahead.note(series)
            if series.new_per_hour_max is not None and _key(series) not in self._known:
                strange[section.bound] = series
        if not strange:
            return
        async with self._asking:
            refused = await self._refused(strange)
        for bound in refused:
            series = strange[bound]
            topics = moved_to(bulk, bound, replace(bound, index=series.overflow, series=None))
            for topic, documents in topics.items():
                progress.fates[topic, DISPLACED + OVERFLOW] += documents
            self._tell(series, bound.index, sum(topics.values()))

    async def _refused(self, strange: dict[Bound, Series]) -> list[Bound]:
        """
        Ask which indices are there already; the others are new, and counted.
        """
        there = await self._there([bound.index for bound in strange])
        refused = []
        if len(self._known) > _REMEMBERED_MAX:
            self._known.clear()
        for bound, series in strange.items():
            if _key(series) in self._known:
                continue  # of another bulk, meanwhile
            if (
                there is None
                or bound.index in there
                or self._newcomers.admit(series, self._clock())
            ):
                self._known.add(_key(series))
            else:
                refused.append(bound)
        return refused

    async def _there(self, indices: Iterable[str]) -> set[str] | None:
        """
        Tell which indices are there, however long Elasticsearch takes; None where we may not know.
        """
        there: set[str] = set()
        waiting, attempt = sorted(set(indices)), 0
        while waiting and self._may_ask:
            part = waiting[:_AT_ONCE]
            try:
                told = await asyncio.gather(*map(self._indices.exists, part))
            except Unauthorized as failure:
                self._may_ask = False
                log.warning(
                    "new indices are not limited: whether an index is there is not told",
                    why=str(failure),
                    remedy="grant view_index_metadata on the indices of the routes",
                )
            except Unavailable:
                attempt += 1
                await asyncio.sleep(self._retry.seconds(attempt))
            else:
                there.update(name for name, is_there in zip(part, told, strict=True) if is_there)
                waiting, attempt = waiting[_AT_ONCE:], 0
        return there if self._may_ask else None

    def _tell(self, series: Series, index: str, documents: int) -> None:
        now_s = self._clock()
        if now_s < self._log_at.get(series.route, now_s):
            return
        self._log_at[series.route] = now_s + _LOG_AGAIN_S
        log.error(
            "too many new indices, documents of further ones go to one; next line in an hour",
            route=series.route,
            wanted=index,
            instead=series.overflow,
            documents=documents,
            limit=f"index.new_per_hour_max = {series.new_per_hour_max}",
            metric="sink_displaced_documents_total",
        )


def _key(series: Series) -> tuple[str, tuple[str, ...]]:
    return series.route, series.name
