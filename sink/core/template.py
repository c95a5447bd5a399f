"""
Index templates: what the sources and the routes ask for.

A route whose indices are not kept for ever gets a template of its own, above the one of its
collector: the same with the settings of its lifecycle. Such a template is named by its pattern, so
that another wish for the same indices changes it in place.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from sink.core.destination import Destination
from sink.core.lifecycle import Lifecycle, index_settings, stream_lifecycle
from sink.core.template_body import Body, meta_of, signed, strings, version_of
from sink.errors import ConfigError

_STREAM_PRIORITY = 200
# Above every collector's template of the sink, below the 100 of those that Elasticsearch brings.
_LIFECYCLE_PRIORITY = 5

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


class Means(StrEnum):
    """
    What keeps the lifecycle of a route.
    """

    POLICY = "policy"  # index lifecycle management
    STREAM = "stream"  # the lifecycle of the data stream itself
    NOTHING = "nothing"


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
    present: Collection[str] = (),
) -> list[Template]:
    """
    Make the templates that the routes need.

    Args:
        means: What keeps the lifecycle of each policy's name; ILM where it is not said.
        present: Names of index templates in the cluster. One that a lifecycle made is wanted
            without it when its route has none any more.
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
            present,
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
    present: Collection[str],
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
    kept = {
        own.name: own
        for each in destinations
        for way in [_way(each, means)]
        for own in _kept(name, body, each, way)
        if way is not Means.NOTHING or own.name in present
    }
    whole = Template(Kind.INDEX, name, signed({**body, "index_patterns": patterns}))
    return [whole, *(kept[each] for each in sorted(kept))]


def _of_streams(source: TemplateSource) -> tuple[str, dict[str, object]]:
    """
    Make the template of the data streams of the same collectors.

    A template makes data streams or indices, not both. Elasticsearch brings one for `logs-*-*` of
    priority 100, and Fleet's are of 200: what a route is for is better known to the operator.
    """
    raised = _STREAM_PRIORITY + _priority(source.body)
    return f"{source.name}-data-stream", {"data_stream": {}, **source.body, "priority": raised}


def _way(each: Destination, means: Mapping[str, Means]) -> Means:
    if each.lifecycle is None:
        return Means.NOTHING
    return means.get(each.lifecycle.policy, Means.POLICY)


def _kept(name: str, body: Body, each: Destination, way: Means) -> Iterator[Template]:
    """
    Make the templates of a route's indices that grow old.
    """
    for key, patterns in each.ageing.items():
        digest = hashlib.sha256(key.encode()).hexdigest()[:8]
        own = {
            **body,
            "priority": _priority(body) + _LIFECYCLE_PRIORITY,
            "index_patterns": sorted(patterns),
        }
        if each.lifecycle and way in _WAYS:
            alias = key if each.alias else None
            own["template"] = _WAYS[way](_table(body, "template"), each.lifecycle, alias)
        yield Template(Kind.INDEX, f"{name}-lifecycle-{digest}", signed(own))


def _by_policy(template: Body, lifecycle: Lifecycle, alias: str | None) -> Body:
    settings = _table(template, "settings")
    index = {**_table(settings, "index"), "lifecycle": index_settings(lifecycle, alias)}
    return {**template, "settings": {**settings, "index": index}}


def _by_stream(template: Body, lifecycle: Lifecycle, _: str | None) -> Body:
    return {**template, "lifecycle": stream_lifecycle(lifecycle)}


_WAYS = {Means.POLICY: _by_policy, Means.STREAM: _by_stream}


def _priority(body: Body) -> int:
    priority = body.get("priority")
    return priority if isinstance(priority, int) else 0


def _table(body: Body, key: str) -> Body:
    found = body.get(key)
    return found if isinstance(found, Mapping) else {}
