"""
Routes out of their settings.
"""

import json
from zoneinfo import ZoneInfo

from sink.collectors import COLLECTORS
from sink.config import Config, RouteSettings
from sink.config.index import epoch_ms
from sink.core.collector import Collector
from sink.core.dating import Dating, Guard, reader_of
from sink.core.naming import IndexNames
from sink.core.route import Route, prefix_pattern
from sink.core.shape import Rule, Shape, shaped
from sink.core.stamp import TIMESTAMP
from sink.edge.plugins import load_collector
from sink.errors import ConfigError

# New names an hour where fields make them, unless it is set otherwise: far more than people make,
# and few enough for any cluster until one of them wakes up.
NEW_PER_HOUR = 100
_DAY_MS = 86_400_000


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
    names = names_of(settings)
    return Route(
        name=settings.name,
        topics=tuple(settings.topics or ()),
        pattern=prefix_pattern(settings.prefix) if settings.prefix else settings.pattern,
        prefix=settings.prefix or "",
        collector=shaped(collector, _shape(settings)),
        names=names,
        op_type=settings.op_type,
        deterministic_ids=settings.id == "offset",
        id_field=settings.id_field,
        versioned=settings.version == "offset",
        dating=_dating(settings),
        new_per_hour_max=index.new_per_hour_max or (NEW_PER_HOUR if names.fields else None),
        create_ahead=index.create_ahead,
        pipeline=settings.pipeline,
    )


def names_of(settings: RouteSettings) -> IndexNames:
    """
    Make what names the indices of a route.

    Raises:
        ConfigError: The form is impossible.
    """
    index = settings.index
    try:
        return IndexNames(
            index.prefix,
            index.period,
            index.data_stream or index.name,
            ZoneInfo(index.zone),
            route=settings.name,
            stream=index.data_stream is not None,
        )
    except ValueError as error:
        raise ConfigError(f"routes.{settings.name}.index.name: {error}") from error


def _dating(settings: RouteSettings) -> Dating:
    guard, index = settings.time_guard, settings.index
    return Dating(
        Guard(
            epoch_ms(guard.not_before),
            epoch_ms(guard.not_after),
            guard.past_days * _DAY_MS,
            guard.future_days * _DAY_MS,
        ),
        index.time_field,
        reader_of(index.time_format, ZoneInfo(index.zone)),
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
