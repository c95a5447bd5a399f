"""
Where the documents of each route go, and how long they are kept there.
"""

from itertools import combinations

from sink.config import Config, LifecycleSettings, RouteSettings
from sink.core.destination import Destination, destination
from sink.core.lifecycle import (
    ROLLOVER_DAYS,
    ROLLOVER_GB,
    Lifecycle,
    Rollover,
    overlapping,
    writable_days,
)
from sink.errors import ConfigError
from sink.routes import names_of

_HOW = (
    "name the index by a date that has its year (%G for %V, %Y for all else) and ends the name (as "
    "…-%Y.%m.%d or …-%G.%V), by a fixed name "
    'for an alias that rolls over, or take a data_stream; lifecycle.keep_days = "forever" (and no '
    "warm_days) keeps its indices for ever"
)

_EVER = 1_000_000


def destinations(config: Config) -> list[Destination]:
    """
    Tell where the documents of each route go.

    Raises:
        ConfigError: The indices of a route cannot be kept as long as it says.
    """
    found = [_destination(config, route) for route in config.routes]
    for one, other in combinations(found, 2):
        _undisputed(one, other)
    return found


def _destination(config: Config, route: RouteSettings) -> Destination:
    names = names_of(route)
    found = destination(
        route.name,
        route.collector,
        names,
        route.topics or (),
        capped=bool(names.fields or route.index.new_per_hour_max),
    )
    settings = route.lifecycle.over(config.lifecycle)
    lifecycle = _rolling(settings) if names.stream or found.alias else _dated(settings, route)
    if lifecycle and not found.ageing:
        if lifecycle.keep_days is not None or lifecycle.warm_days is not None:
            raise _impossible(route)
        lifecycle = None  # rollover is for those that can
    if lifecycle and (lifecycle.warm_days or 0) >= (lifecycle.keep_days or _EVER):
        raise ConfigError(
            f"routes.{route.name}.lifecycle: warm_days ({lifecycle.warm_days}) must be below "
            f"keep_days ({lifecycle.keep_days})"
        )
    return found._replace(lifecycle=lifecycle)


def _rolling(settings: LifecycleSettings) -> Lifecycle | None:
    keep, warm = _keep_days(settings), settings.warm_days
    days, gb = settings.rollover_days, settings.rollover_gb
    if (keep, warm, days, gb) == (None,) * 4:
        return None
    return Lifecycle(keep, warm, rollover=Rollover(days or ROLLOVER_DAYS, gb or ROLLOVER_GB))


def _dated(settings: LifecycleSettings, route: RouteSettings) -> Lifecycle | None:
    keep, warm = _keep_days(settings), settings.warm_days
    if keep is None and warm is None:
        return None
    # An index is made up to an hour before its period (create_ahead), or by a time from the future.
    early = max(1, route.time_guard.future_days if route.index.time_field else 0)
    writable = writable_days(route.index.period, route.index.name, early)
    if writable is None:
        raise _impossible(route)
    return Lifecycle(keep, warm, writable)


def _keep_days(settings: LifecycleSettings) -> int | None:
    return settings.keep_days if isinstance(settings.keep_days, int) else None


def _impossible(route: RouteSettings) -> ConfigError:
    return ConfigError(
        f"routes.{route.name}.lifecycle: its indices do not grow old by name: {_HOW}"
    )


def _undisputed(one: Destination, other: Destination) -> None:
    """
    Refuse two routes that may share an index and keep it for different times.

    Raises:
        ConfigError: With the pattern of the indices in question.
    """
    if one.lifecycle == other.lifecycle:
        return
    for mine, theirs in ((one, other), (other, one)):
        reached = {*theirs.patterns, *(p for each in theirs.ageing.values() for p in each)}
        for pattern in (p for each in mine.ageing.values() for p in each) if mine.lifecycle else ():
            if any(overlapping(pattern, each) for each in reached):
                raise ConfigError(
                    f"routes.{mine.route}.lifecycle: indices of the pattern {pattern} may also be "
                    f"those of route {theirs.route!r}, which keeps its indices for another time. "
                    "Give both the same lifecycle, or index prefixes of which none begins with "
                    "the other"
                )
