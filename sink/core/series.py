"""
The indices of one name, period after period: what comes next, and how many names are new.
"""

import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from sink.core.naming import Dated
from sink.core.route import Route

_HOUR_MS = 3_600_000
_HOUR_S = 3600.0
_LAST_MINUTE_MS = 60_000
_QUARTERS_MAX = 4  # of an hour whose zone's clock may jump within it


@dataclass(frozen=True, slots=True)
class Series:
    """
    An index as one of many that differ in their date only.

    Args:
        route: Its name.
        name: Of topic and fields, without the date.
        overflow: The index for documents that may not have one of their own.
        new_per_hour_max: None for any number.
        from_ms: Of the times that this index holds.
        until_ms: When the next begins.
        next_index: None where there is none, or it is not made ahead.
    """

    route: str
    name: tuple[str, ...]
    overflow: str
    new_per_hour_max: int | None
    from_ms: int
    until_ms: int
    next_index: str | None

    def due_ms(self) -> int:
        """
        Tell when the next index is to be made: in the last hour, spread by its name.

        Not in the last minute, and in no shorter period's whole length.
        """
        lead_ms = min(_HOUR_MS, self.until_ms - self.from_ms)
        digest = hashlib.sha256((self.next_index or "").encode()).digest()
        spread_ms = max(1, lead_ms - _LAST_MINUTE_MS)
        return self.until_ms - lead_ms + int.from_bytes(digest[:6]) % spread_ms


def series_of(
    route: Route, user_topic: str, dated: Dated, time_ms: int, values: Sequence[str]
) -> Series | None:
    """
    Tell what an index is one of; None where nobody asks.
    """
    ahead = route.create_ahead and route.names.has_date and time_ms >= 0
    if not ahead and route.new_per_hour_max is None:
        return None
    following = dated
    for _ in range(_QUARTERS_MAX if ahead else 0):
        following = route.names.dated(user_topic, following.until_ms, values)
        if following.name != dated.name:
            break
    moves_on = following.name != dated.name
    return Series(
        route.name,
        (user_topic, *values),
        route.names.overflow(time_ms),
        route.new_per_hour_max,
        dated.from_ms,
        following.from_ms if moves_on else dated.until_ms,
        following.name if moves_on else None,
    )


@dataclass(slots=True)
class Newcomers:
    """
    Counts the names of each route that got their first index within the last hour.
    """

    _begun: dict[str, deque[float]] = field(default_factory=dict)

    def admit(self, series: Series, now_s: float) -> bool:
        """
        Count a new name, unless there are as many as there may be.
        """
        begun = self._begun.setdefault(series.route, deque())
        while begun and begun[0] <= now_s - _HOUR_S:
            begun.popleft()
        if series.new_per_hour_max is not None and len(begun) >= series.new_per_hour_max:
            return False
        begun.append(now_s)
        return True
