"""
Which index a document goes to: from the topic and the record's own time, never from a clock.

So a replay after midnight or month end finds the same index, and with it the same id.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

# Source: Elasticsearch, "Create index API", path parameters: names are lower case, hold none of
# \ / * ? " < > | space , # :, do not begin with - _ +, and are at most 255 bytes long.
_ILLEGAL = re.compile(r'[\\/*?"<>|\s,#:\x00-\x1f\x7f]')
NAME_BYTES_MAX = 255
UNDATED = "undated"
_DATE = "yyyy-MM-dd"
_ANY = "\ue000"  # stands for a date's part while a pattern is made legal: a * would not be
# Longest that a form's dates may be beyond their directives before a name is cut: "september" is.
_CUT_SOONER_BYTES = 80
_FOREVER = 2**63

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
        name: A whole strftime form instead of both; `{topic}` stands for the user topic.
        zone: In which the calendar is read.
    Raises:
        ValueError: The strftime form is finer than an hour or has an unknown directive.
    """

    def __init__(self, prefix: str, period: str, name: str | None, zone: tzinfo) -> None:
        self._prefix = prefix
        self._zone = zone
        self._format = name or "%Y-%m-%d"
        self._unit = _unit_of(name) if name else period
        self._whole = name is not None

    def dated(self, user_topic: str, time_ms: int) -> Dated:
        """
        Name the index for a record's time.

        Args:
            user_topic: The topic without its prefix.
            time_ms: Milliseconds since the epoch, UTC; negative where the record has no time.
        Returns:
            The name and the times it holds for. A time that no calendar holds gives `…_undated`.
        """
        if time_ms < 0:
            return Dated(self._undated(user_topic), -_FOREVER, 0)
        try:
            at = datetime.fromtimestamp(time_ms / 1000, self._zone)
            begin, end = _SPANS[self._unit](at)
            # A negative time is no time, also in a zone where 1970 begins before the epoch.
            span = (max(0, _epoch_ms(begin)), _epoch_ms(end))
        except (OverflowError, ValueError, OSError):
            return Dated(self._undated(user_topic), time_ms, _FOREVER)
        return Dated(self._at(user_topic, begin), *span)

    def wildcards(self, user_topic: str) -> tuple[str, ...]:
        """
        Give patterns that match every index of a user topic from 2000 to 2099, and `…_undated`.

        As few others as `*` allows: the year keeps `order_20*` from matching topic order.service,
        `order_service_2026-11-01`.
        """
        undated = self._undated(user_topic)
        if not self._whole:
            name = self.dated(user_topic, 0).name  # may be cut: its date never is
            return f"{name[: -len(_DATE)]}20*-*-*", undated
        marked = re.sub(r"%-?(.)", _wildcard, self._format)
        text = _legal(marked.replace("{topic}", _legal(user_topic)), dots=True)
        if len(text.encode()) > NAME_BYTES_MAX - _CUT_SOONER_BYTES:
            head = text.partition(_ANY)[0].encode()[: NAME_BYTES_MAX - _CUT_SOONER_BYTES]
            text = head.decode(errors="ignore") + _ANY
        return re.sub(f"{_ANY}+", "*", text), undated

    def _at(self, user_topic: str, begin: datetime) -> str:
        if not self._whole:
            return _bounded(_legal(self._prefix + user_topic), f"_{begin:{self._format}}")
        text = begin.strftime(self._format)
        return _bounded(_legal(text.replace("{topic}", _legal(user_topic)), dots=True), "")

    def _undated(self, user_topic: str) -> str:
        if not self._whole:
            return _bounded(_legal(self._prefix + user_topic), f"_{UNDATED}")
        head = re.split("%", self._format, maxsplit=1)[0].replace("{topic}", _legal(user_topic))
        return _bounded(_legal(head, dots=True).rstrip("-_."), f"_{UNDATED}")


def _wildcard(directive: re.Match[str]) -> str:
    """
    Stand for what a directive of strftime gives. A year with its century begins with 20.
    """
    letter = directive[1]
    return {"%": "%", "Y": "20" + _ANY, "G": "20" + _ANY}.get(letter, _ANY)


def _unit_of(form: str) -> str:
    """
    Tell how long one name of a strftime form holds: a day, or an hour where it has one.
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


def _legal(text: str, *, dots: bool = False) -> str:
    """
    Make a text fit for an index name. Dots become `_`, except in a form the operator wrote.
    """
    text = _ILLEGAL.sub("_", text.lower())
    text = text if dots else text.replace(".", "_")
    return text.lstrip("-_+.") or "x"


def _bounded(base: str, tail: str) -> str:
    """
    Keep a name within its bytes; what is cut off is told apart by a digest of the whole.
    """
    name = base + tail
    if len(name.encode()) <= NAME_BYTES_MAX:
        return name
    digest = "_" + hashlib.sha256(base.encode()).hexdigest()[:12]
    room = NAME_BYTES_MAX - len((digest + tail).encode())
    return base.encode()[:room].decode(errors="ignore") + digest + tail
