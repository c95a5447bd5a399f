"""
Routes out of their settings.
"""

import json
from zoneinfo import ZoneInfo

from sink.collectors import COLLECTORS
from sink.config import Config, RouteSettings
from sink.core.collect import Collector
from sink.core.naming import IndexNames
from sink.core.route import Route, prefix_pattern
from sink.core.shape import Rule, Shape, shaped
from sink.core.stamp import TIMESTAMP
from sink.edge.plugins import load_collector
from sink.errors import ConfigError


def routes_of(config: Config) -> list[Route]:
    """
    Build the routes, in the order of the configuration: the first that matches a topic takes it.

    Raises:
        ConfigError: A collector is unknown or an index name impossible.
    """
    return [_route(settings) for settings in config.routes]


def _route(settings: RouteSettings) -> Route:
    collector = _collector(settings)
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
        collector=shaped(collector, _shape(settings)),
        names=names,
        op_type=settings.op_type,
        deterministic_ids=settings.id == "offset",
        pipeline=settings.pipeline,
    )


def _collector(settings: RouteSettings) -> Collector:
    try:
        return COLLECTORS.get(settings.collector) or load_collector(
            settings.collector, frozenset(COLLECTORS)
        )
    except ConfigError as error:
        raise ConfigError(f"routes.{settings.name}.collector: {error}") from error


def _shape(settings: RouteSettings) -> Shape:
    shape = settings.shape
    # A built-in collector knows the documents' times; to those of others the record's is given.
    own_time = settings.collector in COLLECTORS
    return Shape(
        drop_records=tuple(
            Rule(name, {field: _values(wanted) for field, wanted in fields.items()})
            for name, fields in shape.drop_records.items()
        ),
        keep=shape.keep,
        drop=shape.drop,
        rename=shape.rename,
        add={
            name: json.dumps(value, ensure_ascii=False).encode()
            for name, value in shape.add.items()
        },
        metadata=shape.metadata | ({} if own_time else {TIMESTAMP: "timestamp"}),
    )


def _values(wanted: object) -> tuple[object, ...]:
    return tuple(wanted) if isinstance(wanted, list) else (wanted,)
