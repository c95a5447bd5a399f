"""
Sends documents to Elasticsearch until each is accounted for, or a bound has passed.

For operations, which end: unlike the daemon's writer it gives up, and tells what is left. One bulk
is on its way at a time, so that a replay beside a running daemon stays the lesser load.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Self

import structlog

from sink.config import Config
from sink.core.body import Body
from sink.core.outcome import INDEXED, Answer, Outcome, Reply, Request, judge
from sink.core.repair import Repairs
from sink.core.sorting import ACCEPTED
from sink.edge.elastic import Elastic
from sink.edge.retry import Backoff
from sink.errors import Unauthorized, Unavailable
from sink.operations.item import Item
from sink.operations.overflowed import where_they_are
from sink.operations.report import Report
from sink.writing.sender import REFUSALS_UNTIL_HALVED, BulkEndpoint

log = structlog.get_logger()

_WAITS = frozenset({Outcome.RETRY, Outcome.PARK})
_ALL = ""  # stands for Elasticsearch as a whole where an index is named: no index has this name


def chunks(items: Iterable[Item], docs_max: int, bytes_max: int) -> Iterator[list[Item]]:
    """
    Gather documents into bulks, none over a limit unless it is one document alone.
    """
    chunk: list[Item] = []
    held = 0
    for item in items:
        size = len(item.action) + len(item.source) + 2
        if chunk and (len(chunk) >= docs_max or held + size > bytes_max):
            yield chunk
            chunk, held = [], 0
        chunk.append(item)
        held += size
    if chunk:
        yield chunk


class Patience:
    """
    Knows for how long each index has refused, and when that is long enough.

    Args:
        give_up_after_s: An index that refuses for so long is not waited for again.
    """

    def __init__(self, give_up_after_s: float, clock: Callable[[], float]) -> None:
        self._give_up_after_s = give_up_after_s
        self._clock = clock
        self._since: dict[str, float] = {}
        self._given_up: set[str] = set()

    def accepted(self, index: str) -> None:
        """
        Note that an index takes documents.
        """
        self._since.pop(index, None)

    def refused(self, index: str, why: str) -> bool:
        """
        Note that an index takes none for the time being, and tell whether to wait for it.
        """
        if index in self._given_up:
            return False
        now = self._clock()
        since = self._since.setdefault(index, now)
        if since == now:
            log.warning("waiting for Elasticsearch", index=index or "all", why=why)
        if now - since < self._give_up_after_s:
            return True
        log.warning("given up waiting", index=index or "all", why=why)
        self._given_up.add(index)
        del self._since[index]
        return False

    def remaining_s(self) -> float:
        """
        Tell how long until the first of the waits is given up.
        """
        begun = min(self._since.values(), default=self._clock())
        return max(0.0, begun + self._give_up_after_s - self._clock())


class Resender:
    """
    Sends bulks, splits them where one document spoils them, and waits within a bound.

    Args:
        report: Is told of each document what became of it.
    """

    def __init__(
        self,
        elastic: BulkEndpoint,
        report: Report,
        retry: Backoff,
        patience: Patience,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        repairs: Repairs | None = None,
    ) -> None:
        self._repairs = repairs or Repairs(())
        self._elastic = elastic
        self._report = report
        self._retry = retry
        self._patience = patience
        self._sleep = sleep

    async def send(self, items: list[Item]) -> None:
        """
        See documents through: each is accepted, or refused for good, or given up on.

        Raises:
            Unavailable: Elasticsearch as a whole takes nothing for longer than the bound.
        """
        attempts = busy = 0
        while items:
            lines = [line for item in items for line in (item.action, item.source)]
            answer = judge(await self._elastic.bulk(Body(lines)), len(items))
            attempts += 1
            busy += answer.reply.status == 429
            spoilt = busy >= REFUSALS_UNTIL_HALVED and len(items) > 1
            if spoilt or answer.request is Request.HALVE:
                await self._halve(items, answer.reply)
                return
            if answer.request is Request.ANSWERED:
                self._patience.accepted(_ALL)
                items = self._sort(items, answer)
            else:
                self._wait_for_all(answer)
                await self._elastic.refresh_credentials()
            if items:
                wanted_s = self._retry.seconds(attempts, answer.reply.retry_after_s)
                await self._sleep(min(wanted_s, self._patience.remaining_s()))

    async def _halve(self, items: list[Item], reply: Reply) -> None:
        """
        Send a bulk that was refused as a whole in two parts; a document that stands alone is out.
        """
        if len(items) == 1:
            self._refuse(items[0], reply.error_type or f"status_{reply.status}", reply.reason)
            return
        middle = len(items) // 2
        await self.send(items[:middle])
        await self.send(items[middle:])

    def _sort(self, items: list[Item], answer: Answer) -> list[Item]:
        """
        Enter what is decided, and give what is to be sent again.
        """
        again: list[Item] = []
        verdicts = answer.verdicts or [INDEXED] * len(items)
        for item, verdict in zip(items, verdicts, strict=True):
            why = f"{verdict.error_type}: {verdict.reason}"
            if verdict.outcome in ACCEPTED:
                self._report.accept(verdict.outcome)
                self._patience.accepted(item.index)
            elif repaired := self._repairs.repaired(item.origin.topic, item.source, verdict):
                again.append(replace(item, source=repaired))
            elif verdict.outcome in _WAITS and self._patience.refused(item.index, why):
                again.append(item)
            else:
                self._refuse(item, verdict.error_type, verdict.reason)
        return again

    def _refuse(self, item: Item, error_type: str, reason: str) -> None:
        self._report.refuse(item.origin, item.index, error_type, reason)

    def _wait_for_all(self, answer: Answer) -> None:
        reply = answer.reply
        why = f"{reply.status or 'no answer'} {reply.error_type}: {reply.reason}"
        if self._patience.refused(_ALL, why):
            return
        kind = Unauthorized if answer.request is Request.UNAUTHORIZED else Unavailable
        raise kind(
            f"Elasticsearch takes nothing ({why}), given up waiting (--give-up-after); what was "
            "sent stays: run the command again when it answers, ids turn away what is there"
        )


class Sending:
    """
    A Resender for code that is not asynchronous. A context manager; Ctrl-C ends it at any time.

    Raises:
        Unauthorized, Unavailable: On entering: Elasticsearch does not answer.
    """

    def __init__(self, config: Config, report: Report, give_up_after_s: float) -> None:
        bulk = config.bulk
        self._bulk = bulk
        self._runner = asyncio.Runner()
        self._elastic = Elastic(
            config.elasticsearch, bulk_timeout_ms=bulk.timeout_ms, connections=1
        )
        self._resender = Resender(
            self._elastic,
            report,
            Backoff(bulk.retry_initial_ms, bulk.probe_max_ms),
            Patience(give_up_after_s, time.monotonic),
            repairs=Repairs(config.routes),
        )

    def __enter__(self) -> Self:
        try:
            self._runner.run(self._elastic.ping())
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._close()

    def send(self, items: Iterable[Item]) -> None:
        """
        See documents through, bulk by bulk.

        Raises:
            Unavailable: Elasticsearch as a whole takes nothing for longer than the bound.
        """
        for chunk in chunks(items, self._bulk.docs_max, self._bulk.bytes_max):
            placed = self._runner.run(where_they_are(self._elastic, chunk))
            self._runner.run(self._resender.send(placed))

    def _close(self) -> None:
        self._runner.run(self._elastic.close())
        self._runner.close()
