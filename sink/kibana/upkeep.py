"""
The daemon's part in Kibana: data views for topics as they appear.

On a thread and an event loop of its own. Whatever Kibana does, records flow on: a failure is logged
and tried again, and the thread is waited for by nobody.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence

import structlog

from sink.config import Config
from sink.core.data_view import Action, Link, Step, Wanted
from sink.edge import threads
from sink.edge.kibana import Kibana
from sink.edge.retry import Backoff
from sink.errors import ConfigError, Unavailable
from sink.kibana.setup import carry_out, link, plan, views_for
from sink.stop import Stop

log = structlog.get_logger()

_EVERY_S = 60.0  # topics are asked for; Kibana only when there are new ones
_RETRY_INITIAL_MS = 2_000
_RETRY_MAX_MS = 600_000


class Upkeep:
    """
    Sets up what is missing, again and again. One thread owns all but `links`.

    Args:
        topics: Asks the brokers for all topics; raises Unavailable.
        every_s: Between two looks at the topics.
        retry_initial_ms: Longest wait before the first new attempt.
    """

    def __init__(
        self,
        config: Config,
        topics: Callable[[], list[str]],
        *,
        every_s: float = _EVERY_S,
        retry_initial_ms: int = _RETRY_INITIAL_MS,
    ) -> None:
        self._config = config
        self._topics = topics
        self._every_s = every_s
        self._backoff = Backoff(retry_initial_ms, _RETRY_MAX_MS)
        self._links: tuple[Link, ...] = ()  # replaced as a whole: other threads read it
        self._done: set[str] = set()  # titles that need no more work
        self._left_out = 0
        self._thread: threading.Thread | None = None
        self._told = ""  # the last failure: the same again is no news

    def links(self) -> Sequence[Link]:
        """
        Give the links to the data views that are there. Any thread may ask.
        """
        return self._links

    def ensure(self, stop: Stop) -> None:
        """
        See that it runs, if the configuration wants it. Returns at once, and never raises.
        """
        if not self._config.kibana.setup_on_start or (self._thread and self._thread.is_alive()):
            return
        try:
            self._thread = threads.start(lambda: self.run(stop), "kibana")
        except Unavailable as failure:
            self._tell(str(failure))

    def run(self, stop: Stop) -> None:
        """
        Look after the data views until stopped.
        """
        failures = 0
        while not stop.requested():
            failures = 0 if self._attempt() else failures + 1
            stop.wait(self._backoff.seconds(failures) + 0.2 if failures else self._every_s)

    def _attempt(self) -> bool:
        """
        Set up what is missing now. Tells whether it worked.
        """
        try:
            wanted, left_out = views_for(self._config, self._topics())
            self._count_left_out(left_out)
            if not {view.title for view in wanted} <= self._done:
                self._adopt(asyncio.run(self._set_up(wanted)))
        except (Unavailable, ConfigError) as failure:
            self._tell(str(failure))
            return False
        except Exception as failure:
            # Unforeseen: it must neither end the daemon nor this thread. It is tried again.
            self._tell(f"{type(failure).__name__}: {failure}", unforeseen=True)
            return False
        if self._told:
            self._told = ""
            log.info("kibana is set up again")
        return True

    async def _set_up(self, wanted: Sequence[Wanted]) -> list[Step]:
        async with Kibana(self._config.kibana) as kibana:
            return await carry_out(kibana, await plan(kibana, self._config, wanted))

    def _adopt(self, steps: Sequence[Step]) -> None:
        for step in steps:
            if step.wanted.title in self._done:
                continue
            if step.action is Action.CREATE:
                log.info("data view created", name=step.view.name, title=step.view.title)
            elif step.action is Action.REFUSED:
                log.error(
                    "data view not created, `sink kibana setup` tries it again",
                    name=step.view.name,
                    title=step.view.title,
                    reason=step.reason,
                )
        self._done = {step.wanted.title for step in steps}
        there = (step for step in steps if step.action is not Action.REFUSED)
        self._links = tuple(link(self._config, step) for step in there)

    def _count_left_out(self, left_out: int) -> None:
        if left_out > self._left_out:
            log.warning(
                "more data views than kibana.data_views_max: raise it, or narrow the routes",
                left_out=left_out,
            )
        self._left_out = left_out

    def _tell(self, reason: str, *, unforeseen: bool = False) -> None:
        if reason != self._told:
            self._told = reason
            log.warning(
                "kibana is not set up, it is tried again; records flow on. `sink check` says more",
                reason=reason,
                exc_info=unforeseen,
            )
