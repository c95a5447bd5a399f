"""
Index templates: what the sources and the routes ask for.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from sink.core.destination import Destination
from sink.core.lifecycle_template import Means, kept
from sink.core.template_body import Body, meta_of, signed, strings, version_of
from sink.errors import ConfigError

_STREAM_PRIORITY = 200

# What Elasticsearch takes as a name, less what means more than itself in the path of a request.
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]*")


class Kind(StrEnum):
    """
    What the sink installs, in the order it is written.

    An index template is refused while a component that it is composed of is missing, and an alias
    gets its first index by its template. Source: Elasticsearch, "Create or update index template".
    """

    POLICY = "policy"
    COMPONENT = "component"
    INDEX = "index"
    ALIAS = "alias"


TEMPLATES = (Kind.COMPONENT, Kind.INDEX)


class TemplateSource(NamedTuple):
    """
    A template as its JSON file gives it, without the index patterns of the routes.
    """

    kind: Kind
    name: str
    collectors: frozenset[str]  # whose routes an index template is for; a component has none
    body: Body


class Template(NamedTuple):
    """
    A template as Elasticsearch stores it.
    """

    kind: Kind
    name: str
    body: Body


def parse(kind: Kind, name: str, text: str) -> TemplateSource:
    """
    Read the JSON source of a template.

    Raises:
        ConfigError: Its name is not one Elasticsearch takes, it is no JSON object, has no version,
            collectors in the wrong place, or names index patterns.
    """
    where = f"{kind} template {name!r}"
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{where}: name its file with small letters, digits and . _ - @ only")
    try:
        body = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{where} is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ConfigError(f"{where} is not a JSON object")
    if version_of(body) < 1:
        raise ConfigError(f"{where} has no _meta.version: give it a whole number from 1 up")
    collectors = strings(meta_of(body), "collectors")
    if bool(collectors) != (kind is Kind.INDEX):
        raise ConfigError(
            f"{where}: _meta.collectors lists the collectors whose routes an index template is "
            'for, such as ["log"]; a component template has none'
        )
    if "index_patterns" in body:
        raise ConfigError(f"{where} names index_patterns: they come from the routes, remove them")
    return TemplateSource(kind, name, frozenset(collectors), body)


def render(
    sources: Iterable[TemplateSource],
    destinations: Collection[Destination],
    *,
    means: Mapping[str, Means] | None = None,
    present: Mapping[str, Body] | None = None,
) -> list[Template]:
    """
    Make the templates that the routes need.

    Args:
        means: What keeps the lifecycle of each policy's name; ILM where it is not said.
        present: The index templates in the cluster. Those that a lifecycle made are changed in
            place, also for a route that has none any more.
    Returns:
        The components that are needed, then the index templates composed of them, each by name.
    """
    ordered = sorted(sources, key=lambda source: (TEMPLATES.index(source.kind), source.name))
    index = [
        template
        for source in ordered
        for stream in (False, True)
        for template in _of_source(
            source,
            [d for d in destinations if d.stream is stream and d.collector in source.collectors],
            means or {},
            present or {},
        )
    ]
    composed = {name for template in index for name in strings(template.body, "composed_of")}
    components = [
        Template(source.kind, source.name, signed(source.body))
        for source in ordered
        if source.kind is Kind.COMPONENT and source.name in composed
    ]
    return components + index


def patterns_of(template: Template) -> list[str]:
    """
    Give the index patterns of a template; a component has none.
    """
    return strings(template.body, "index_patterns")


def makes_streams(template: Template) -> bool:
    """
    Tell whether what matches an index template becomes a data stream.
    """
    return isinstance(template.body.get("data_stream"), Mapping)


def _of_source(
    source: TemplateSource,
    destinations: Collection[Destination],
    means: Mapping[str, Means],
    present: Mapping[str, Body],
) -> list[Template]:
    """
    Make the index templates of one source, all for data streams or all for indices.
    """
    patterns = sorted({pattern for each in destinations for pattern in each.patterns})
    if not patterns:
        return []
    name, body = source.name, dict(source.body)
    if any(each.stream for each in destinations):
        name, body = _of_streams(source)
    aged = kept(name, body, destinations, means, present)
    whole = Template(Kind.INDEX, name, signed({**body, "index_patterns": patterns}))
    return [whole, *(Template(Kind.INDEX, each, signed(aged[each])) for each in sorted(aged))]


def _of_streams(source: TemplateSource) -> tuple[str, dict[str, object]]:
    """
    Make the template of the data streams of the same collectors.

    A template makes data streams or indices, not both. Elasticsearch brings one for `logs-*-*` of
    priority 100, and Fleet's are of 200: what a route is for is better known to the operator.
    """
    raised = _STREAM_PRIORITY + _priority(source.body)
    return f"{source.name}-data-stream", {"data_stream": {}, **source.body, "priority": raised}


def _priority(body: Body) -> int:
    priority = body.get("priority")
    return priority if isinstance(priority, int) else 0
