"""
Index templates: what the sources and the routes ask for, and what is to be done about it.

A template is the sink's own when its `_meta.owner` says so; any other of the same name is foreign
and never touched. Nothing is ever deleted, also not a pattern of an index template: two sinks
with different routes on one cluster would otherwise take each other's patterns away, and indices
would be created without a mapping. `sink.templates` carries the steps out.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from sink.errors import ConfigError

OWNER = "ekk-sink"

Body = Mapping[str, object]


class Kind(StrEnum):
    """
    The two kinds of template. Source: Elasticsearch, "Index templates".
    """

    COMPONENT = "component"
    INDEX = "index"


class Source(NamedTuple):
    """
    A template as its JSON file says it, not yet rendered for the routes.
    """

    kind: Kind
    name: str
    version: int
    collectors: frozenset[str]  # whose routes an index template is for; empty for a component
    body: Body


class Destination(NamedTuple):
    """
    Where the documents of a route go.
    """

    route: str
    collector: str
    patterns: tuple[str, ...]  # wildcards that match every index of the route, and no other
    sample: str  # the name of one such index


class Template(NamedTuple):
    """
    A template as Elasticsearch stores it.
    """

    kind: Kind
    name: str
    body: Body


class StepAction(StrEnum):
    """
    What becomes of one template.
    """

    CREATE = "create"
    UPDATE = "update"
    KEEP = "keep"
    NEWER = "newer"  # a newer sink's: left alone
    FOREIGN = "foreign"  # not the sink's: left alone


WRITES = frozenset({StepAction.CREATE, StepAction.UPDATE})


class Step(NamedTuple):
    """
    One template, what is to be done about it and why.
    """

    action: StepAction
    template: Template
    reason: str
    existing: Body | None = None


Existing = Mapping[tuple[Kind, str], Body]


def parse(kind: Kind, name: str, text: str) -> Source:
    """
    Read the JSON source of a template.

    Raises:
        ConfigError: It is not JSON, has no version, names no collectors, or names index patterns.
    """
    where = f"{kind} template {name!r}"
    try:
        body = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{where} is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ConfigError(f"{where} is not a JSON object")
    version = meta_of(body).get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ConfigError(f"{where} has no _meta.version: give it a whole number from 1 up")
    collectors = meta_of(body).get("collectors", [])
    if not isinstance(collectors, list) or bool(collectors) != (kind is Kind.INDEX):
        raise ConfigError(
            f"{where}: _meta.collectors lists the collectors whose routes an index template is "
            'for, such as ["log"]; a component template has none'
        )
    if "index_patterns" in body:
        raise ConfigError(f"{where} names index_patterns: they come from the routes, remove them")
    return Source(kind, name, version, frozenset(map(str, collectors)), body)


def render(sources: Iterable[Source], destinations: Sequence[Destination]) -> list[Template]:
    """
    Make the templates that the routes need, components before the index templates made of them.

    Returns:
        Each index template that a route's collector asks for, and the components it is made of.
    """
    by_name = {
        kind: {source.name: source for source in sorted(sources) if source.kind is kind}
        for sources in [list(sources)]
        for kind in Kind
    }
    index = []
    composed: set[object] = set()
    for source in by_name[Kind.INDEX].values():
        patterns = {
            pattern
            for destination in destinations
            if destination.collector in source.collectors
            for pattern in destination.patterns
        }
        if patterns:
            body = {**source.body, "index_patterns": sorted(patterns)}
            index.append(_signed(Kind.INDEX, source.name, body))
            composed.update(_list_of(source.body, "composed_of"))
    components = [
        _signed(Kind.COMPONENT, name, source.body)
        for name, source in by_name[Kind.COMPONENT].items()
        if name in composed
    ]
    return components + index
