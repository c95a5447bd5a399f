"""
Where the documents of a route go, as the patterns of an index template say it.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import product
from os.path import commonprefix
from types import MappingProxyType
from typing import NamedTuple

from sink.core.lifecycle import Lifecycle
from sink.core.naming import OVERFLOW, IndexNames

# What the names of these topics at these times have in common is in every name: in no zone does a
# directive of strftime begin alike at all of 1970-01-01T00Z, 2002-05-17T12Z, 2031-12-20T18Z and the
# twelve hours from 2024-02-28T03Z. Days at the end of a month would not do, east of Greenwich a
# 31 December is a 1 January; nor would few hours, half of those of %I begin with a 0.
_TOPICS = ("a", "z")
_HOUR_MS = 3_600_000
_TIMES_MS = (
    *(0, 1_021_636_800_000, 1_955_556_000_000),
    *range(1_709_089_200_000, 1_709_089_200_000 + 12 * _HOUR_MS, _HOUR_MS),
)
_NO_TIME = -1
_DIGITS = "0123456789"


class Destination(NamedTuple):
    """
    Where the documents of a route go.
    """

    route: str
    collector: str
    patterns: tuple[str, ...]  # together they match every index of the route; empty: there are none
    sample: str  # the name of one such index
    stream: bool = False  # they are data streams
    lifecycle: Lifecycle | None = None
    alias: bool = False  # the name has no date: it may be an alias that rolls over
    # A pattern → those of its indices that may grow old. Never matches an …_undated index, which
    # gets documents for ever.
    ageing: Mapping[str, tuple[str, ...]] = MappingProxyType({})


def destination(
    route: str,
    collector: str,
    names: IndexNames,
    topics: Sequence[str] = (),
    *,
    capped: bool = False,
) -> Destination:
    """
    Tell where a route's documents go, its `…_undated` index included.

    Args:
        capped: Some may go to `…overflow…`.
        topics: The user topics, where they are known. They give the patterns when the names have
            no beginning in common without them. Where they are not known either there is no
            pattern: `*` would lay the sink's template over every new index of the cluster.
    """
    sample = names.dated([*topics, *_TOPICS][0], _TIMES_MS[0], _values(names)[0]).name
    if names.stream:
        whole = names.pattern()
        old = {whole: (whole,)}
        return Destination(route, collector, (whole,), sample, stream=True, ageing=old)
    known = [*topics, OVERFLOW] if topics and capped else topics
    patterns = _patterns(names, _TOPICS) or {
        pattern for topic in known for pattern in _patterns(names, [topic])
    }
    ageing = _ageing(names, patterns)
    return Destination(
        route, collector, tuple(sorted(patterns)), sample, alias=not names.has_date, ageing=ageing
    )


def covers(wide: str, narrow: str) -> bool:
    """
    Tell whether an index pattern matches a name, or all that another pattern matches.

    `*` is the only wildcard of an index pattern, and in `narrow` only a `*` matches it.
    """
    form = ".*".join(map(re.escape, wide.split("*")))
    return re.fullmatch(form, narrow, re.DOTALL) is not None


def _patterns(names: IndexNames, topics: Sequence[str]) -> set[str]:
    values = _values(names)
    found = {names.dated(*one).name for one in product(topics, _TIMES_MS, values)}
    begin = commonprefix(sorted(found))  # noqa: RUF071  character by character is what is meant
    pattern = begin if len(found) == 1 else f"{begin}*"
    if pattern == "*":
        return set()
    undated = {names.dated(topics[0], _NO_TIME, its).name for its in values}
    return {pattern, *(each for each in undated if not covers(pattern, each))}


def _ageing(names: IndexNames, patterns: set[str]) -> dict[str, tuple[str, ...]]:
    """
    Give the patterns of what rolls over behind an alias, or of the names that end with a date.

    Behind an alias six digits are counted up. A date ends with a digit, and `undated` does not.
    """
    if not names.has_date:
        return {each: (f"{each}-0*",) for each in patterns if not each.endswith("*")}
    ends = {names.dated(_TOPICS[0], at, _values(names)[0]).name[-1] for at in _TIMES_MS}
    if not ends <= set(_DIGITS):
        return {}
    wide = [each for each in patterns if each.endswith("*")]
    return {each: tuple(each + digit for digit in _DIGITS) for each in wide}


def _values(names: IndexNames) -> list[list[str]]:
    """
    Give what fields may hold that stand in a name: texts that have no beginning in common.
    """
    return [[text] * len(names.fields) for text in _TOPICS]
