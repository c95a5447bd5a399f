"""
Index templates: what the sources and the routes ask for, and what is to be done about it.

A template is the sink's own when its `_meta.owner` says so; any other of the same name is foreign
and never touched. Nothing is ever taken away, also not a pattern of an index template: two sinks
with different routes on one cluster would otherwise remove each other's patterns at each start,
and indices would be created without their mapping. `sink.templates` carries the steps out.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from sink.core.destination import Destination
from sink.errors import ConfigError

OWNER = "ekk-sink"

_STREAM_PRIORITY = 200

# What Elasticsearch takes as a name, less what means more than itself in the path of a request.
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]*")

Body = Mapping[str, object]


class Kind(StrEnum):
    """
    The two kinds of template, in the order they are written.

    An index template is refused while a component that it is composed of is missing.
    Source: Elasticsearch, "Create or update index template API".
    """

    COMPONENT = "component"
    INDEX = "index"


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


class StepAction(StrEnum):
    """
    What becomes of one template.
    """

    CREATE = "create"
    UPDATE = "update"
    KEEP = "keep"
    NEWER = "newer"  # written by a newer sink: left alone
    FOREIGN = "foreign"  # not the sink's: left alone, and the operator told


WRITES = frozenset({StepAction.CREATE, StepAction.UPDATE})


class Step(NamedTuple):
    """
    One template, what is to be done about it and why.
    """

    action: StepAction
    template: Template
    reason: str
    existing: Body | None = None

    def afterwards(self) -> Template:
        """
        Give the template that is in the cluster once the step is done.
        """
        if self.action in WRITES or self.existing is None:
            return self.template
        return self.template._replace(body=self.existing)


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
    collectors = _strings(_meta(body), "collectors")
    if bool(collectors) != (kind is Kind.INDEX):
        raise ConfigError(
            f"{where}: _meta.collectors lists the collectors whose routes an index template is "
            'for, such as ["log"]; a component template has none'
        )
    if "index_patterns" in body:
        raise ConfigError(f"{where} names index_patterns: they come from the routes, remove them")
    return TemplateSource(kind, name, frozenset(collectors), body)


def render(
    sources: Iterable[TemplateSource], destinations: Iterable[Destination]
) -> list[Template]:
    """
    Make the templates that the routes need.

    Returns:
        The components that are needed, then the index templates composed of them, each by name.
    """
    patterns: dict[tuple[str, bool], set[str]] = {}
    for each in destinations:
        patterns.setdefault((each.collector, each.stream), set()).update(each.patterns)
    ordered = sorted(sources, key=lambda source: (list(Kind).index(source.kind), source.name))
    index = [
        _signed(Kind.INDEX, name, {**body, "index_patterns": sorted(wanted)})
        for source in ordered
        for name, body, stream in [(source.name, source.body, False), _of_streams(source)]
        if (wanted := set().union(*(patterns.get((c, stream), ()) for c in source.collectors)))
    ]
    composed = {name for template in index for name in _strings(template.body, "composed_of")}
    components = [
        _signed(source.kind, source.name, source.body)
        for source in ordered
        if source.kind is Kind.COMPONENT and source.name in composed
    ]
    return components + index


def plan(
    wanted: Sequence[Template], existing: Mapping[tuple[Kind, str], Body | None]
) -> list[Step]:
    """
    Compare what is wanted with what the cluster has.

    Args:
        wanted: From `render`; the order stays.
        existing: The body in the cluster by kind and name; None or absent where there is none.
    """
    return [_step(template, existing.get((template.kind, template.name))) for template in wanted]


def patterns_of(template: Template) -> list[str]:
    """
    Give the index patterns of a template; a component has none.
    """
    return _strings(template.body, "index_patterns")


def makes_streams(template: Template) -> bool:
    """
    Tell whether what matches an index template becomes a data stream.
    """
    return isinstance(template.body.get("data_stream"), Mapping)


def is_own(body: Body) -> bool:
    """
    Tell whether a sink wrote a template.
    """
    return _meta(body).get("owner") == OWNER


def version_of(body: Body) -> int:
    """
    Give the version of a template that a sink wrote; 0 where it has none.
    """
    version = _meta(body).get("version")
    return version if type(version) is int else 0


def checksum(body: Body) -> str:
    """
    Give the SHA-256 of a template's canonical JSON, its own `_meta.checksum` left out.
    """
    meta = {key: value for key, value in _meta(body).items() if key != "checksum"}
    canonical = json.dumps({**body, "_meta": meta}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _of_streams(source: TemplateSource) -> tuple[str, Body, bool]:
    """
    Make the template of the data streams of the same collectors.

    A template makes data streams or indices, not both. Elasticsearch brings one for `logs-*-*` of
    priority 100, and Fleet's are of 200: what a route is for is better known to the operator.
    """
    priority = source.body.get("priority")
    raised = _STREAM_PRIORITY + (priority if isinstance(priority, int) else 0)
    body = {"data_stream": {}, **source.body, "priority": raised}
    return f"{source.name}-data-stream", body, True


def _step(template: Template, existing: Body | None) -> Step:
    if existing is None:
        return Step(StepAction.CREATE, template, "there is none yet")
    if not is_own(existing):
        reason = (
            "one that is not the sink's has this name and is left alone: "
            "rename or remove it, or rename the sink's in templates.dir"
        )
        return Step(StepAction.FOREIGN, template, reason, existing)
    template = _widened(template, existing)
    theirs, ours = version_of(existing), version_of(template.body)
    if theirs > ours:
        reason = f"version {theirs} is there, of a newer sink than this one's {ours}: left alone"
        return Step(StepAction.NEWER, template, reason, existing)
    if theirs < ours:
        reason = f"version {theirs} is there, older than {ours}"
        return Step(StepAction.UPDATE, template, reason, existing)
    if _meta(existing).get("checksum") != _meta(template.body)["checksum"]:
        reason = f"version {ours} is there with another content"
        return Step(StepAction.UPDATE, template, reason, existing)
    return Step(StepAction.KEEP, template, f"version {ours} is there", existing)


def _widened(template: Template, existing: Body) -> Template:
    """
    Add the patterns that are there already: they may be those of another sink.
    """
    there = patterns_of(template._replace(body=existing))
    if not there:
        return template
    patterns = sorted({*patterns_of(template), *there})
    return _signed(template.kind, template.name, {**template.body, "index_patterns": patterns})


def _signed(kind: Kind, name: str, body: Body) -> Template:
    meta = {**_meta(body), "owner": OWNER}
    meta["checksum"] = checksum({**body, "_meta": meta})
    return Template(kind, name, {**body, "_meta": meta})


def _meta(body: Body) -> Body:
    meta = body.get("_meta")
    return meta if isinstance(meta, Mapping) else {}


def _strings(body: Body, key: str) -> list[str]:
    found = body.get(key)
    return [str(each) for each in found] if isinstance(found, list) else []
