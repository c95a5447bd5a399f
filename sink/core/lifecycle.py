"""
How long indices are kept: what a route asks for, as a policy of index lifecycle management (ILM).

The name of a policy says all that it does, so none is ever changed: another wish is another policy,
and indices that are there keep the one they were made with. Source of the forms: Elasticsearch,
"Create or update lifecycle policy API" and the pages of the actions of ILM.
"""

import re
from typing import Any, NamedTuple

from sink.core.template_body import OWNER, Body

ROLLOVER_DAYS = 30
ROLLOVER_GB = 50
_VERSION = 1
# Recovered first after a restart. Source: "Index lifecycle actions: Set priority", its example.
_HOT, _WARM = 100, 50
_DAYS = {"day": 1, "week": 7, "month": 31}
_YEAR, _ISO_YEAR = "yY", "G"
_WEEK, _WEEKDAY = "UW", "aAuw"
_MONTH = "mbB"
# How many days a form of strftime names the same index: the first row whose letters are all in it.
# A day of the month without its month comes again, so it is no day. The year of ISO 8601 begins in
# the week that has the first Thursday: its weeks are those of %V alone, and months and other weeks
# those of the calendar's year alone. The wrong pair names days a year apart the same (2025-01-02
# and 2025-12-30 are both 2025 and week 01). Source: Python, "strftime() and strptime() Behavior".
_HOLDING: tuple[tuple[int | None, tuple[str, ...]], ...] = (
    (1, (_YEAR, "j")),
    (1, (_YEAR, _MONTH, "d")),
    (1, (_YEAR, _WEEK, _WEEKDAY)),
    (1, (_ISO_YEAR, "V", _WEEKDAY)),
    (7, (_YEAR, _WEEK)),
    (7, (_ISO_YEAR, "V")),
    (31, (_YEAR, _MONTH)),
    (None, ("V",)),
    (366, (_YEAR,)),
    (None, ("jd" + _WEEK + _MONTH,)),
    (371, (_ISO_YEAR,)),  # one of 53 weeks
)


class Rollover(NamedTuple):
    """
    When an alias or a data stream gets a new index.
    """

    days: int
    gb: int


class Lifecycle(NamedTuple):
    """
    What becomes of the indices of a route.
    """

    keep_days: int | None  # after the last document an index may get; None: for ever
    warm_days: int | None
    writable_days: int = 0  # how long a dated index takes documents, from its creation
    rollover: Rollover | None = None  # of an alias or a data stream

    @property
    def warm_after(self) -> int | None:
        """
        Days from the creation or the rollover of an index to its warm phase.
        """
        return None if self.warm_days is None else self.warm_days + self.writable_days

    @property
    def delete_after(self) -> int | None:
        """
        Days from the creation or the rollover of an index to its end.
        """
        return None if self.keep_days is None else self.keep_days + self.writable_days

    @property
    def policy(self) -> str:
        """
        Name the policy, by all that it does.
        """
        roll = f"rollover-{self.rollover.days}d-{self.rollover.gb}gb" if self.rollover else ""
        warm = "" if self.warm_after is None else f"warm-{self.warm_after}d"
        delete = "" if self.delete_after is None else f"delete-{self.delete_after}d"
        return "-".join(filter(None, ("sink", roll, warm, delete)))


def writable_days(period: str, form: str | None, early_days: int) -> int | None:
    """
    Tell how long a dated index may get documents, from its creation.

    Args:
        form: Of strftime, where the name is one; instead of the period.
        early_days: How long before its period an index may be made.
    Returns:
        None where the name comes again, for it lacks the year or has that of the other calendar.
    """
    if form is None:
        return _DAYS[period] + early_days
    letters = set(re.findall(r"%-?(.)", form))
    rows = (days for days, classes in _HOLDING if all(letters & set(each) for each in classes))
    days = next(rows, None)
    return None if days is None else days + early_days


def policy_body(lifecycle: Lifecycle) -> Body:
    """
    Write the policy as Elasticsearch gives it back: with what it would add by itself.
    """
    phases: dict[str, Any] = {}
    rollover = lifecycle.rollover
    if rollover:
        sizes = {"max_age": f"{rollover.days}d", "max_primary_shard_size": f"{rollover.gb}gb"}
        phases["hot"] = _phase("0ms", rollover=sizes, set_priority={"priority": _HOT})
    if lifecycle.warm_after is not None:
        # A merge makes the index read-only, and late records go to the index of their own date.
        merged = {"forcemerge": {"max_num_segments": 1}} if rollover else {}
        phases["warm"] = _phase(
            f"{lifecycle.warm_after}d", set_priority={"priority": _WARM}, **merged
        )
    if lifecycle.delete_after is not None:
        phases["delete"] = _phase(
            f"{lifecycle.delete_after}d", delete={"delete_searchable_snapshot": True}
        )
    meta = {"owner": OWNER, "version": _VERSION, "description": "Its name says what it does."}
    return {"phases": phases, "_meta": meta}


def index_settings(lifecycle: Lifecycle, alias: str | None) -> dict[str, str]:
    """
    Give the settings below index.lifecycle that put an index under the policy.
    """
    rolled = {"rollover_alias": alias} if alias and lifecycle.rollover else {}
    return {"name": lifecycle.policy, **rolled}


def stream_lifecycle(lifecycle: Lifecycle) -> dict[str, object]:
    """
    Give the lifecycle of a data stream itself: it rolls over without conditions of ours or tiers.

    Source: "Data stream lifecycle".
    """
    retention = {"data_retention": f"{lifecycle.keep_days}d"} if lifecycle.keep_days else {}
    return {"enabled": True, **retention}


def overlapping(one: str, other: str) -> bool:
    """
    Tell whether there is a name that two index patterns both match. `*` is their only wildcard.
    """
    if not one or not other:
        return set(one + other) <= {"*"}
    if one[0] == "*":
        return overlapping(one[1:], other) or overlapping(one, other[1:])
    if other[0] == "*":
        return overlapping(other, one)
    return one[0] == other[0] and overlapping(one[1:], other[1:])


def _phase(min_age: str, **actions: object) -> dict[str, object]:
    return {"min_age": min_age, "actions": actions}
