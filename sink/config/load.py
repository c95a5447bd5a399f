"""
Bring the configuration together: defaults, then the file, then the environment, then flags.

Each source is kept apart, so that a value and a mistake can be told with where they came from.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from sink.config.problems import Location, describe, dotted, unknown_variables
from sink.config.settings import Config
from sink.config.shape import TABLES
from sink.errors import ConfigError

DEFAULT_FILE = Path("sink.toml")
DEFAULT = "default"
ENVIRONMENT = "environment"
FLAG = "flag"

_TABLES = {(name,) for name in ("client", *TABLES)}

_NO_FILE = (
    "There is no ./sink.toml here: name a file with -c, or write one with "
    "`sink config init -o sink.toml`"
)


class _Variables(Config, BaseSettings):
    """
    The declaration as pydantic-settings wants it, to nest SINK__SECTION__KEY by.
    """

    model_config = SettingsConfigDict(
        env_prefix="SINK__",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        # Values stay text until their own validator reads them: so one bad variable is reported
        # by its name, and lists may be written with commas.
        enable_decoding=False,
        defer_build=True,
    )


class Effective(NamedTuple):
    """
    One setting as it holds now.
    """

    key: str  # kafka.threads, routes[0].name
    value: object  # as JSON has it, secrets masked
    source: str  # default · file sink.toml · environment SINK__KAFKA__THREADS · flag


class _Layer(NamedTuple):
    name: str  # "file sink.toml", "environment", "flag"
    values: dict[str, Any]


def load(path: Path | None = None, overrides: Mapping[str, object] | None = None) -> Config:
    """
    Load the configuration.

    Args:
        path: The TOML file; None takes ./sink.toml if it is there.
        overrides: Flags, by dotted key (`kafka.threads`); None means the flag was not given.

    Raises:
        ConfigError: Every problem found, one a line.
    """
    return _validated(_layers(path, overrides or {}))


def effective(
    path: Path | None = None, overrides: Mapping[str, object] | None = None
) -> list[Effective]:
    """
    Return every setting with the value that holds and the source it came from.

    Raises:
        ConfigError: As `load`.
    """
    layers = _layers(path, overrides or {})
    config = _validated(layers)
    return [
        Effective(
            dotted(location),
            value,
            _source(layers, location) if _is_set(config, location) else DEFAULT,
        )
        for location, value in _leaves(config.model_dump(mode="json"), ())
    ]


def _layers(path: Path | None, overrides: Mapping[str, object]) -> list[_Layer]:
    flags: dict[str, Any] = {}
    for key, value in overrides.items():
        if value is not None:
            section, _, name = key.partition(".")
            flags = _merged(flags, {section: {name: value} if name else value})
    environment = _Layer(ENVIRONMENT, EnvSettingsSource(_Variables)())
    file = path or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    read = [_Layer(f"file {file}", _read(file))] if file else []
    return [*read, environment, _Layer(FLAG, flags)]


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"file {file}: is no TOML: {error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"file {file}: is no UTF-8 text (byte {error.start})") from None
    except (ValueError, RecursionError) as error:  # tomllib's own: a number or nesting too long
        raise ConfigError(f"file {file}: is no TOML: {error}") from None
    except OSError as error:
        raise ConfigError(f"file {file}: cannot be read: {error.strerror}") from None


def _merged(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """
    Lay one source over another. A setting is replaced as a whole, a pass-through table too.
    """
    result = dict(lower)
    for key, value in upper.items():
        below = result.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            result[key] = {**below, **value}
        else:
            result[key] = value
    return result


def _validated(layers: list[_Layer]) -> Config:
    values: dict[str, Any] = {}
    for layer in layers:
        values = _merged(values, layer.values)
    problems = unknown_variables(name.upper() for name in os.environ)
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        problems += describe(error, lambda location: _origin(layers, location))
        if not any(layer.name.startswith("file ") for layer in layers):
            problems.append(_NO_FILE)
    if problems:
        # The validation error itself is left behind: it knows the values, secrets among them.
        raise ConfigError("\n".join(problems)) from None
    return config


def _setting_part(location: Location) -> tuple[str, ...]:
    """
    Cut a location to what one source sets as a whole: section and key, or all routes.
    """
    keys = tuple(str(part) for part in location[:2])
    return keys[:1] if keys[:1] == ("routes",) else keys


def _sets(layer: _Layer, keys: tuple[str, ...]) -> bool:
    values: Any = layer.values
    for key in keys:
        if not isinstance(values, Mapping) or key not in values:
            return False
        values = values[key]
    return True


def _source(layers: list[_Layer], location: Location) -> str:
    """
    Name the strongest source that sets a location.
    """
    keys = _setting_part(location)
    name = next((layer.name for layer in reversed(layers) if _sets(layer, keys)), DEFAULT)
    return f"{name} {'__'.join(('SINK', *keys)).upper()}" if name == ENVIRONMENT else name


def _origin(layers: list[_Layer], location: Location) -> str:
    """
    Name where a mistake may have been made: one source of a key, every source of a section.
    """
    keys = _setting_part(location)
    if len(keys) == 2 or keys == ("routes",):
        source = _source(layers, location)
        return "" if source == DEFAULT else source
    return ", ".join(layer.name for layer in layers if layer.values and _sets(layer, keys))


def _is_set(config: Config, location: Location) -> bool:
    """
    Say whether any source sets a location: inside a route, the route's own source may not.
    """
    held: Any = config
    for part in location:
        if isinstance(part, str):
            if part not in held.model_fields_set:
                return False
            held = getattr(held, part)
        else:
            held = held[part]
    return True


def _leaves(values: Any, location: Location) -> Iterator[tuple[Location, object]]:
    """
    Yield each setting of a dumped configuration; a table without settings of its own is one.
    """
    inside: Iterator[tuple[str | int, Any]] | None = None
    if isinstance(values, dict) and location[-1:] not in _TABLES:
        inside = iter(values.items())
    elif isinstance(values, list) and location == ("routes",):
        inside = iter(enumerate(values))
    if inside is None:
        yield location, values
        return
    for key, value in inside:
        yield from _leaves(value, (*location, key))
