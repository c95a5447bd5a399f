"""
What the sink's templates use that an older Elasticsearch refuses, and what is lost without it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from sink.core.template import TemplateSource
from sink.core.template_body import Body, strings

_LIMITS = ("template", "settings", "index", "mapping", "total_fields")
_BEYOND = "ignore_dynamic_beyond_limit"
_MISSING = "ignore_missing_component_templates"
_STREAM_LIFECYCLE = (8, 14)  # generally available. Source: "Data stream lifecycle"

Version = tuple[int, int]


class Fitted(NamedTuple):
    """
    Sources that a cluster takes, and what each lacks because of its age: name → a sentence.
    """

    sources: list[TemplateSource]
    lacks: Mapping[str, str]


def version_of_cluster(number: str) -> Version:
    """
    Read major and minor of a version such as 8.19.2; what is no version counts as the newest.
    """
    found = re.match(r"(\d+)\.(\d+)", number)
    return (int(found[1]), int(found[2])) if found else (99, 0)


def has_stream_lifecycle(version: Version) -> bool:
    """
    Tell whether data streams have a lifecycle of their own.
    """
    return version >= _STREAM_LIFECYCLE


def fitted(sources: Iterable[TemplateSource], version: Version) -> Fitted:
    """
    Leave out of the sources what a cluster of a version refuses.
    """
    found, lacks = [], {}
    for source in sources:
        body = source.body
        for since, without, lost in _FEATURES:
            less = without(body) if version < since else body
            if less != body:
                body = less
                older = ".".join(map(str, since))
                lacks[source.name] = f"left out for Elasticsearch before {older}: {lost}"
        found.append(source._replace(body=body))
    return Fitted(found, lacks)


def _without_beyond_limit(body: Body) -> Body:
    return _without(body, (*_LIMITS, _BEYOND))


def _without_what_may_be_missing(body: Body) -> Body:
    optional = strings(body, _MISSING)
    if not optional:
        return body
    composed = [name for name in strings(body, "composed_of") if name not in optional]
    left = {key: value for key, value in body.items() if key != _MISSING}
    return {**left, "composed_of": composed}


def _without(body: Body, path: tuple[str, ...]) -> Body:
    """
    Leave out what stands at the end of a path of keys.
    """
    key, *rest = path
    inner = body.get(key)
    if not rest or key not in body:
        return {name: value for name, value in body.items() if name != key}
    if not isinstance(inner, Mapping):
        return body
    return {**body, key: _without(inner, tuple(rest))}


# Since which version, what is left out before, and what that means. Sources: the pull requests
# elastic/elasticsearch #96235 and #92436, and the guide of 8.7 and 8.14.
_FEATURES: tuple[tuple[Version, Callable[[Body], Body], str], ...] = (
    (
        (8, 14),
        _without_beyond_limit,
        f"{_BEYOND}, so a document that would exceed the limit of fields is refused and "
        "dead-lettered instead of being indexed without them",
    ),
    (
        (8, 7),
        _without_what_may_be_missing,
        f"{_MISSING}, so the component templates of your own are not composed in",
    ),
)
