"""
The plan for a cluster, and its execution: created or updated when the sink's own.

Never deletes anything and never touches what is foreign. Called at start, every ten minutes, by
`sink templates` and by `sink check`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from sink.config import Config
from sink.core.coverage import shadowed, uncovered
from sink.core.destination import Destination
from sink.core.feature import Version, fitted, has_stream_lifecycle, version_of_cluster
from sink.core.lifecycle import policy_body
from sink.core.lifecycle_template import Means
from sink.core.template import TEMPLATES, Kind, Template, render
from sink.core.template_body import is_own
from sink.core.template_plan import WRITES, Step, StepAction
from sink.core.template_plan import plan as plan_of
from sink.core.text_analysis import COMPONENT, choose
from sink.errors import ConfigError
from sink.templates.routes import destinations
from sink.templates.sources import load, variants

_NO_ILM = "the cluster has no index lifecycle management"


class TemplateStore(Protocol):
    """
    What the sink installs, in a cluster. Each call raises `Unavailable` or `Unauthorized`.
    """

    async def get_template(self, kind: str, name: str) -> dict[str, object] | None:
        """
        Fetch the body of a template; None where there is none.
        """

    async def ping(self) -> str:
        """
        Tell the version of Elasticsearch.
        """

    async def has_ilm(self) -> bool:
        """
        Tell whether the cluster has index lifecycle management.
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


class _Lifecycles(NamedTuple):
    """
    What keeps the lifecycle of each policy's name, and what is to be done about the policies.
    """

    means: Mapping[str, Means]
    steps: list[Step]


def wanted(config: Config) -> list[Template]:
    """
    Make what a configuration asks for, in the order it is to be written.

    Without a cluster text is analyzed as any can do it, and lifecycles are kept by policies.
    """
    routes = destinations(config)
    return [
        *_policies(routes).values(),
        *render(load(config.templates.dir), routes),
        *_aliases(routes, {}),
    ]


async def plan(store: TemplateStore, config: Config) -> list[Step]:
    """
    Compare what the cluster has with what the configuration asks for. Writes nothing.
    """
    routes = destinations(config)
    version = version_of_cluster(await store.ping())
    kept = await _lifecycles(store, routes, version)
    offered, ways = fitted(load(config.templates.dir), version), variants(config.templates.dir)
    there = await store.get_template(Kind.COMPONENT, COMPONENT) if ways else None
    choice = choose(offered.sources, ways, await store.plugins() if ways else frozenset(), there)
    index = await store.get_templates(Kind.INDEX)
    templates = [
        *render(choice.sources, routes, means=kept.means, present=index),
        *_aliases(routes, kept.means),
    ]
    existing = {
        (each.kind, each.name): index.get(each.name)
        if each.kind is Kind.INDEX
        else await store.get_template(each.kind, each.name)
        for each in templates
    }
    why = {**offered.lacks, COMPONENT: choice.why}
    steps = [_explained(step, why) for step in plan_of(templates, existing)]
    return [*kept.steps, *steps]


async def apply(store: TemplateStore, config: Config, *, strict: bool = False) -> list[Step]:
    """
    Create and update what is the sink's own. Indices that are there keep mapping and lifecycle.

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
        for kind in TEMPLATES
        for name, body in sorted((await store.get_templates(kind)).items())
        if is_own(body)
    ]


def sentence(step: Step) -> str:
    """
    Say a step in words, for a log line or a person.
    """
    noun = step.template.kind + " template" * (step.template.kind in TEMPLATES)
    return f"{step.action} {noun} {step.template.name!r}: {step.reason}"


async def _lifecycles(
    store: TemplateStore, routes: Sequence[Destination], version: Version
) -> _Lifecycles:
    """
    See what the cluster can do for the lifecycles of the routes.
    """
    policies = _policies(routes)
    if not policies:
        return _Lifecycles({}, [])
    if not await store.has_ilm():
        return _without_ilm(routes, policies, version)
    existing = {
        (Kind.POLICY, name): await store.get_template(Kind.POLICY, name) for name in policies
    }
    steps = plan_of([*policies.values()], existing)
    foreign = (step for step in steps if step.action is StepAction.FOREIGN)
    return _Lifecycles({step.template.name: Means.NOTHING for step in foreign}, steps)


def _without_ilm(
    routes: Sequence[Destination], policies: Mapping[str, Template], version: Version
) -> _Lifecycles:
    means = dict.fromkeys(policies, Means.NOTHING)
    steps = []
    for name, policy in policies.items():
        of_it = [each for each in routes if each.lifecycle and each.lifecycle.policy == name]
        if all(each.stream for each in of_it) and has_stream_lifecycle(version):
            means[name] = Means.STREAM
            reason = f"{_NO_ILM}: the data streams have the lifecycle of their own, without tiers"
        else:
            names = ", ".join(each.route for each in of_it)
            reason = (
                f"{_NO_ILM}: the indices of route {names} do not roll over and are never deleted"
            )
        steps.append(Step(StepAction.LEFT_OUT, policy, reason))
    return _Lifecycles(means, steps)


def _policies(routes: Sequence[Destination]) -> dict[str, Template]:
    found = {each.lifecycle.policy: each.lifecycle for each in routes if each.lifecycle}
    return {name: Template(Kind.POLICY, name, policy_body(found[name])) for name in sorted(found)}


def _aliases(routes: Sequence[Destination], means: Mapping[str, Means]) -> list[Template]:
    """
    Name the aliases that roll over: each needs a first index, or a bulk would make an index of it.
    """
    names = {
        name
        for each in routes
        if each.alias and each.lifecycle
        if means.get(each.lifecycle.policy) is not Means.NOTHING
        for name in each.ageing
    }
    return [
        Template(Kind.ALIAS, name, {"aliases": {name: {"is_write_index": True}}})
        for name in sorted(names)
    ]


def _explained(step: Step, why: Mapping[str, str]) -> Step:
    more = why.get(step.template.name)
    return step._replace(reason=f"{step.reason}; {more}") if more else step
