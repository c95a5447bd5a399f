"""
What happened in a schedule, for people.
"""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import structlog

from tests.simulation.scheduler import Scheduler

# What the sink logs where it meets an error of its own, and survives it.
_BUGS = frozenset(
    {
        "bulk failed unexpectedly, it is sent again",
        "probe failed unexpectedly",
        "documents failed unexpectedly",
    }
)
_BROKE = "consumer broke, a new one is built; nothing is committed"
# A schedule may break a consumer by these.
_MAY_BREAK = ("given away and back within one poll", "the consumer broke")


class _Entry(NamedTuple):
    time_s: float
    who: str
    what: str
    facts: tuple[object, ...]


class History:
    """
    Notes what the outside does to a sink, and what the sink does, with the virtual time.

    It is put into words only when it is read: most schedules are never told of.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._entries: list[_Entry] = []
        self.bugs: list[str] = []

    def note(self, who: str, what: str, *facts: object) -> None:
        """
        Note something.

        Args:
            what: With a place in braces for each fact.
        """
        self._entries.append(_Entry(self._scheduler.now_s, who, what, facts))

    def lines(self) -> list[str]:
        """
        Tell it line by line: seconds since the beginning, who, what.
        """
        begin_s = self._entries[0].time_s if self._entries else 0.0
        return [
            f"{entry.time_s - begin_s:9.3f}  {entry.who:<12} {entry.what.format(*entry.facts)}"
            for entry in self._entries
        ]

    def log(self, _: object, level: str, event: MutableMapping[str, Any]) -> Any:
        """
        Note what the sink logs, as a processor of structlog.
        """
        words = {key: event[key] for key in event if key not in {"event", "exc_info"}}
        self.note("log", "{} {}", event["event"], words)
        if event["event"] in _BUGS or (event["event"] == _BROKE and not _is_expected()):
            self.bugs.append(f"{event['event']}: {_under_way()!r}")
        raise structlog.DropEvent


def _under_way() -> BaseException | None:
    import sys

    return sys.exc_info()[1]


def _is_expected() -> bool:
    return any(reason in str(_under_way()) for reason in _MAY_BREAK)


@contextmanager
def logged_to(history: History) -> Iterator[None]:
    """
    Let the sink log into a history.
    """
    before = structlog.get_config()
    structlog.configure(processors=[history.log], wrapper_class=structlog.BoundLogger)
    try:
        yield
    finally:
        structlog.configure(**before)
