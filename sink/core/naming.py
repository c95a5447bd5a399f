"""
Which index a document goes to: from the topic and the record's own time, never from a clock.

So a replay after midnight or month end finds the same index, and with it the same id.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from sink.core.legal_names import NAME_BYTES_MAX, bounded, legal

UNDATED = "undated"
_DATE = "yyyy-MM-dd"
_ANY = "\ue000"  # stands for a date's part while a pattern is made legal: a * would not be
# Longest that a form's dates may be beyond their directives before a name is cut: "september" is.
_CUT_SOONER_BYTES = 80
FOREVER = 2**63
# What a topic or a field's value is replaced by where its own name may not be made.
OVERFLOW = "overflow"

_SLOT = re.compile(r"\{([^{}]*)\}")
_OF_THE_TOPIC = ("topic", "route")

_FORMAT_UNITS = {**dict.fromkeys("YCGymBbhjdeUWVuwaAFDx", "day"), **dict.fromkeys("HIkp", "hour")}


class Dated(NamedTuple):
    """
    An index name and the span of record times it holds for: from_ms <= time < until_ms.
    """

    name: str
    from_ms: int
    until_ms: int


class IndexNames:
    """
    Names the index of a user topic at a time.

    Args:
        prefix: What stands before the user topic.
        period: `month` (its first day), `week` (the Sunday on or before) or `day`.
        name: A whole strftime form instead of both. `{topic}` stands for the user topic, `{route}`
            for the route, anything else in braces for that field of the document.
        zone: In which the calendar is read.
        route: Its name.
        stream: The form is of a data stream, whose name has no date.
    Raises:
        ValueError: The strftime form is finer than an hour or has an unknown directive.
    """

    def __init__(
        self,
        prefix: str,
        period: str,
        name: str | None,
        zone: tzinfo,
        *,
        route: str = "",
        stream: bool = False,
    ) -> None:
        self._prefix = prefix
        self._zone = zone
        self._format = name or "%Y-%m-%d"
        self._unit = _unit_of(name) if name else period
        self._whole = name is not None
        self._route = route
        self.stream = stream
        self.has_date = self._unit is not None
        found = _SLOT.findall(name or "")
        self.fields = tuple(dict.fromkeys(slot for slot in found if slot not in _OF_THE_TOPIC))

    def dated(self, user_topic: str, time_ms: int, values: Sequence[str] = ()) -> Dated:
        """
        Name the index for a record's time.

        Args:
            user_topic: The topic without its prefix.
            time_ms: Milliseconds since the epoch, UTC; negative where the record has no time.
            values: Of the fields in the name, each fit for one.
        Returns:
            The name and the times it holds for. A time that no calendar holds gives `…_undated`.
        """
        if self._unit is None:
            return Dated(self._named(self._format, user_topic, values), -FOREVER, FOREVER)
        if time_ms < 0:
            return Dated(self._undated(user_topic, values), -FOREVER, 0)
        try:
            at = datetime.fromtimestamp(time_ms / 1000, self._zone)
            begin, end = _SPANS[self._unit](at)
            # A negative time is no time, also in a zone where 1970 begins before the epoch.
            span = (max(0, _epoch_ms(begin)), _epoch_ms(end))
        except (OverflowError, ValueError, OSError):
            return Dated(self._undated(user_topic, values), time_ms, FOREVER)
        return Dated(self._at(user_topic, begin, values), *span)

    def wildcards(self, user_topic: str) -> tuple[str, ...]:
        """
        Give patterns that match every index of a user topic from 2000 to 2099, and `…_undated`.

        As few others as `*` allows: the year keeps `order_20*` from matching topic order.service,
        `order_service_2026-11-01`.
        """
        held = [_ANY] * len(self.fields)
        if not self._whole:
            name = self.dated(user_topic, 0).name  # may be cut: its date never is
            return f"{name[: -len(_DATE)]}20*-*-*", self._undated(user_topic, held)
        marked = re.sub(r"%-?(.)", _wildcard, self._format)
        text = self._filled(marked, user_topic, held)
        if len(text.encode()) > NAME_BYTES_MAX - _CUT_SOONER_BYTES:
            head = text.partition(_ANY)[0].encode()[: NAME_BYTES_MAX - _CUT_SOONER_BYTES]
            text = head.decode(errors="ignore") + _ANY
        undated = [self._undated(user_topic, held)] if self.has_date else []
        return tuple(re.sub(f"{_ANY}+", "*", each) for each in (text, *undated))

    def pattern(self) -> str:
        """
        Give the index pattern of a data stream: what a topic or a field names is any text.
        """
        return self.wildcards(_ANY)[0]

    def overflow(self, time_ms: int) -> str:
        """
        Name the one index of a time for all that may not have an index of its own.
        """
        return self.dated(OVERFLOW, time_ms, [OVERFLOW] * len(self.fields)).name

    def _at(self, user_topic: str, begin: datetime, values: Sequence[str]) -> str:
        if not self._whole:
            return bounded(legal(self._prefix + user_topic), f"_{begin:{self._format}}")
        return self._named(begin.strftime(self._format), user_topic, values)

    def _undated(self, user_topic: str, values: Sequence[str]) -> str:
        if not self._whole:
            return bounded(legal(self._prefix + user_topic), f"_{UNDATED}")
        head = re.split("%", self._format, maxsplit=1)[0]
        return bounded(self._filled(head, user_topic, values).rstrip("-_."), f"_{UNDATED}")

    def _named(self, text: str, user_topic: str, values: Sequence[str]) -> str:
        return bounded(self._filled(text, user_topic, values), "")

    def _filled(self, text: str, user_topic: str, values: Sequence[str]) -> str:
        held = dict(zip(self.fields, values, strict=True))
        held |= {"topic": legal(user_topic), "route": legal(self._route)}
        if self.stream:
            held = {slot: value.replace("-", "_") for slot, value in held.items()}
        return legal(_SLOT.sub(lambda found: held[found[1]], text), dots=True)


def _wildcard(directive: re.Match[str]) -> str:
    """
    Stand for what a directive of strftime gives. A year with its century begins with 20.
    """
    letter = directive[1]
    return {"%": "%", "Y": "20" + _ANY, "G": "20" + _ANY}.get(letter, _ANY)


def _unit_of(form: str) -> str | None:
    """
    Tell how long one name of a strftime form holds: a day, an hour, or for ever without a date.
    """
    units = set()
    for directive in re.findall(r"%-?(.)", form):
        if directive == "%":
            continue
        unit = _FORMAT_UNITS.get(directive)
        if unit is None:
            raise ValueError(
                f"index name {form!r}: %{directive} is unknown or finer than an hour; "
                "an index a minute would exhaust the cluster's shards"
            )
        units.add(unit)
    if not units:
        return None
    return "hour" if "hour" in units else "day"


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


def _hour(at: datetime) -> tuple[datetime, datetime]:
    # A quarter of it: zones' clocks jump at quarters of an hour (Pacific/Chatham at 2:45), and
    # within one that jumps, times of one hour's name and another's would share a span.
    begin = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
    return begin, datetime.fromtimestamp(begin.timestamp() + 900, at.tzinfo)


def _day(at: datetime) -> tuple[datetime, datetime]:
    begin = _midnight(at)
    return begin, begin + timedelta(days=1)


def _week(at: datetime) -> tuple[datetime, datetime]:
    begin = _midnight(at) - timedelta(days=at.isoweekday() % 7)
    return begin, begin + timedelta(days=7)


def _month(at: datetime) -> tuple[datetime, datetime]:
    begin = _midnight(at).replace(day=1)
    return begin, (begin + timedelta(days=32)).replace(day=1)


_SPANS: dict[str, Callable[[datetime], tuple[datetime, datetime]]] = {
    "hour": _hour,
    "day": _day,
    "week": _week,
    "month": _month,
}


def _epoch_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
