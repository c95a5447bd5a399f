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
    index = settings.index
    try:
        names = IndexNames(index.prefix, index.period, index.name, ZoneInfo(index.zone))
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
