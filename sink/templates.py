"""
Index templates in the cluster: compared first, created or updated when the sink's own.

Never deletes one and never touches a foreign one. Called at start, every ten minutes, by
`sink templates` and by `sink check`.
"""

import json
from collections.abc import Mapping
from difflib import unified_diff
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Protocol

from sink.config import Config
from sink.core.coverage import shadowed, uncovered
from sink.core.destination import Destination, destination
from sink.core.template import (
    WRITES,
    Kind,
    Step,
    StepAction,
    Template,
    TemplateSource,
    is_own,
    parse,
    render,
)
from sink.core.template import plan as plan_of
from sink.core.text_analysis import COMPONENT, Variant, choose, parse_variant
from sink.errors import ConfigError
from sink.routes import names_of


class TemplateStore(Protocol):
    """
    The templates of a cluster. Each call raises `Unavailable` or `Unauthorized`.
    """

    async def get_template(self, kind: str, name: str) -> dict[str, object] | None:
        """
        Fetch the body of a template; None where there is none.
        """

    async def put_template(self, kind: str, name: str, body: Mapping[str, object]) -> None:
        """
        Create a template or replace it as a whole.
        """

    async def plugins(self) -> frozenset[str] | None:
        """
        Tell the plugins and modules that every node has; None where we may not know.
        """

    async def get_templates(self, kind: str) -> dict[str, dict[str, object]]:
        """
        Fetch the bodies of all templates of a kind, by name.
        """


def load(directory: Path | None) -> list[TemplateSource]:
    """
    Read the sources of the templates: `component/NAME.json` and `index/NAME.json`.

    Args:
        directory: The operator's, instead of the shipped ones; None for the shipped ones.
    Raises:
        ConfigError: There are none, or one cannot be read as a template.
    """
    root: Traversable = _shipped() if directory is None else directory
    sources = [
        parse(kind, entry.name.removesuffix(".json"), _text(entry))
        for kind in Kind
        for entry in _entries(root / kind)
        if entry.name.endswith(".json")
    ]
    if not any(source.kind is Kind.INDEX for source in sources):
        raise ConfigError(
            f"templates.dir: {root} holds no index template: put them at index/NAME.json and "
            "component/NAME.json in it, or remove the setting for the shipped ones"
        )
    return sources


def destinations(config: Config) -> list[Destination]:
    """
    Tell where the documents of each route go.
    """
    return [
        destination(
            route.name,
            route.collector,
            names,
            route.topics or (),
            capped=bool(names.fields or route.index.new_per_hour_max),
        )
        for route in config.routes
        for names in [names_of(route)]
    ]


def wanted(config: Config) -> list[Template]:
    """
    Make the templates that a configuration asks for, in the order they are to be written.

    Without a cluster text is analyzed as any can do it.
    """
    return render(load(config.templates.dir), destinations(config))


def variants(directory: Path | None) -> list[Variant]:
    """
    Read the ways to analyze text: `text/NAME.json`.

    Args:
        directory: See `load`.
    Raises:
        ConfigError: One cannot be read as a template, or does not say what it requires.
    """
    root: Traversable = _shipped() if directory is None else directory
    return [
        parse_variant(entry.name.removesuffix(".json"), _text(entry))
        for entry in _entries(root / "text")
        if entry.name.endswith(".json")
    ]


async def plan(store: TemplateStore, config: Config) -> list[Step]:
    """
    Compare the cluster's templates with those the configuration asks for. Writes nothing.
    """
    offered, ways = load(config.templates.dir), variants(config.templates.dir)
    there = await store.get_template(Kind.COMPONENT, COMPONENT) if ways else None
    choice = choose(offered, ways, await store.plugins() if ways else frozenset(), there)
    templates = render(choice.sources, destinations(config))
    existing = {
        (template.kind, template.name): await store.get_template(template.kind, template.name)
        for template in templates
    }
    return [
        step._replace(reason=f"{step.reason}; {choice.why}")
        if step.template.name == COMPONENT and choice.why
        else step
        for step in plan_of(templates, existing)
    ]


async def apply(store: TemplateStore, config: Config, *, strict: bool = False) -> list[Step]:
    """
    Create and update the sink's own templates. Indices that are there keep their mapping.

    Args:
        strict: Write nothing when a foreign template has the name of one of the sink's.
    Returns:
        What was planned; its creations and updates are done.
    Raises:
        ConfigError: A foreign template is in the way and `strict` was asked for.
    """
    steps = await plan(store, config)
    foreign = [step for step in steps if step.action is StepAction.FOREIGN]
    if strict and foreign:
        raise ConfigError("; ".join(sentence(step) for step in foreign))
    for step in steps:
        if step.action in WRITES:
            await store.put_template(step.template.kind, step.template.name, step.template.body)
    return steps


async def findings(store: TemplateStore, config: Config) -> list[str]:
    """
    List what would be wrong with the routes' mappings once the templates are applied.

    Returns:
        A sentence for each foreign template in the way, each route with an index that no template
        matches, and each route whose index another template takes.
    """
    steps = await plan(store, config)
    own = [step.afterwards() for step in steps if step.template.kind is Kind.INDEX]
    names = {template.name for template in own}
    there = await store.get_templates(Kind.INDEX)
    others = [Template(Kind.INDEX, name, body) for name, body in there.items() if name not in names]
    routes = destinations(config)
    return [
        *(sentence(step) for step in steps if step.action is StepAction.FOREIGN),
        *(
            f"route {route!r}: no index template matches every index it writes. Give its index a "
            "prefix, and its collector an index template in templates.dir"
            for route in uncovered(routes, [*own, *others])
        ),
        *(
            f"route {route!r}: its index takes the template {other.name!r} instead of "
            f"{mine.name!r}, because of the higher priority. Give the route another index prefix"
            for route, mine, other in shadowed(routes, own, others)
        ),
    ]


async def installed(store: TemplateStore) -> list[Template]:
    """
    List the sink's own templates in the cluster, by kind and name.
    """
    return [
        Template(kind, name, body)
        for kind in Kind
        for name, body in sorted((await store.get_templates(kind)).items())
        if is_own(body)
    ]


def sentence(step: Step) -> str:
    """
    Say a step in words, for a log line or a person.
    """
    return f"{step.action} {step.template.kind} template {step.template.name!r}: {step.reason}"


def diff(step: Step) -> str:
    """
    Show what an update changes, as a unified diff of the JSON; empty for any other step.
    """
    if step.action is not StepAction.UPDATE:
        return ""
    before, after = (
        json.dumps(body, indent=2, sort_keys=True, ensure_ascii=False).splitlines()
        for body in (step.existing or {}, step.template.body)
    )
    return "\n".join(unified_diff(before, after, "in the cluster", "wanted", lineterm=""))


def _shipped() -> Traversable:
    """
    Find the templates of the sink: in the installed package, or beside it in a checkout.
    """
    package = resources.files("sink")
    inside = package / "index_templates"
    return inside if inside.is_dir() else package / ".." / "index_templates"


def _entries(folder: Traversable) -> list[Traversable]:
    return sorted(folder.iterdir(), key=lambda entry: entry.name) if folder.is_dir() else []


def _text(entry: Traversable) -> str:
    try:
        return entry.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"template {entry} cannot be read: {error}") from error
