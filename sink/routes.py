"""
Routes out of their settings.
"""

from zoneinfo import ZoneInfo

from sink.collectors import COLLECTORS
from sink.config import Config, RouteSettings
from sink.core.naming import IndexNames
from sink.core.route import Route, prefix_pattern
from sink.errors import ConfigError


def routes_of(config: Config) -> list[Route]:
    """
    Build the routes, in the order of the configuration: the first that matches a topic takes it.

    Raises:
        ConfigError: A collector is unknown or an index name impossible.
    """
    return [_route(settings) for settings in config.routes]


def _route(settings: RouteSettings) -> Route:
    collector = COLLECTORS.get(settings.collector)
    if collector is None:
        known = ", ".join(sorted(COLLECTORS))
        raise ConfigError(
            f"routes.{settings.name}.collector: {settings.collector!r} is unknown; known: {known}"
        )
    index, zone = settings.index, ZoneInfo(settings.index.zone)
    if collector.timed is not None:
        collector = collector.timed(settings.time_field, zone)
    elif settings.time_field is not None:
        raise ConfigError(
            f"routes.{settings.name}.time_field: the collector {collector.name!r} reads no time "
            "from a field; remove the setting"
        )
    try:
        names = IndexNames(index.prefix, index.period, index.name, zone)
    except ValueError as error:
        raise ConfigError(f"routes.{settings.name}.index.name: {error}") from error
    return Route(
        name=settings.name,
        topics=tuple(settings.topics or ()),
        pattern=prefix_pattern(settings.prefix) if settings.prefix else settings.pattern,
        prefix=settings.prefix or "",
        collector=collector,
        names=names,
        op_type=settings.op_type,
        deterministic_ids=settings.id == "offset",
    )
