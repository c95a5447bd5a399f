"""
The checks that Elasticsearch answers: each node, privileges, health, room for shards, templates.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from sink import templates
from sink.checks import privileges
from sink.checks.finding import Finding, Level, error, good, warning
from sink.config import Config, ElasticsearchSettings
from sink.core.coverage import uncovered
from sink.core.template import Kind, Template
from sink.core.template_plan import WRITES, Step, StepAction
from sink.edge import cluster
from sink.edge.elastic import Elastic
from sink.errors import Unauthorized, Unavailable

_TIMEOUT_MS = 5000
_SHARDS_LEFT_MIN = 0.1  # of all that fit: a person needs some days to make room
_CREDENTIALS = ("api_key", "api_key_file", "basic_auth", "basic_auth_file")


async def findings(config: Config) -> list[Finding]:
    """
    Ask Elasticsearch: first every node who it is, then one of those that answer.

    Raises:
        ConfigError: The client refuses what is passed through to it.
    """
    settings = config.elasticsearch
    nodes = await asyncio.gather(*(_node(settings, host) for host in settings.hosts))
    up = [host for host, found in zip(settings.hosts, nodes, strict=True) if found.ok]
    if not up:
        return nodes
    # One of several nodes may be down: the client goes on with the others.
    found = [each if each.ok else each._replace(level=Level.WARNING) for each in nodes]
    async with _client(settings, up) as elastic:
        answers = (_answer(elastic, config, *check) for check in _CHECKS)
        return found + [each for answer in await asyncio.gather(*answers) for each in answer]


def _client(settings: ElasticsearchSettings, hosts: Sequence[str]) -> Elastic:
    """
    Make a client that waits less long than the sink does.
    """
    timeout_ms = min(settings.request_timeout_ms, _TIMEOUT_MS)
    changes = {"hosts": tuple(hosts), "request_timeout_ms": timeout_ms}
    return Elastic(settings.model_copy(update=changes))


async def _node(settings: ElasticsearchSettings, host: str) -> Finding:
    try:
        async with _client(settings, [host]) as elastic:
            version = await elastic.ping()
    except Unavailable as failure:
        return error("Elasticsearch", f"{host}: {failure}", _remedy(settings, failure))
    return good("Elasticsearch", f"{host} answers, version {version}")


def _remedy(settings: ElasticsearchSettings, failure: Unavailable) -> str:
    if not isinstance(failure, Unauthorized):
        return "start it, or correct elasticsearch.hosts (with https also elasticsearch.ca_certs)"
    given = [name for name in _CREDENTIALS if getattr(settings, name) is not None]
    if not given:
        return "set elasticsearch.api_key or elasticsearch.basic_auth (or a file of either)"
    return f"correct elasticsearch.{given[0]}"


async def _answer(
    elastic: Elastic,
    config: Config,
    subject: str,
    privilege: str,
    check: Callable[[Elastic, Config], Awaitable[list[Finding]]],
) -> list[Finding]:
    """
    Make a check. What we may not ask is a warning: what the sink itself needs is in `privileges`.
    """
    try:
        return await check(elastic, config)
    except Unauthorized as failure:
        return [
            warning(subject, f"not known. {failure}", f"grant the cluster privilege {privilege}")
        ]
    except Unavailable as failure:
        return [error(subject, f"not known. {failure}", "see the log of Elasticsearch")]


async def _cluster(elastic: Elastic, config: Config) -> list[Finding]:
    """
    Look at the health, at how many shards the cluster still takes, and whether it makes indices.

    Source: "Miscellaneous cluster settings", cluster.max_shards_per_node: it bounds the shards of
    open indices, unassigned replicas included. Data nodes of the frozen tier have a limit of their
    own and should not be counted; few clusters have such.
    """
    health = await cluster.health(elastic)
    most = await cluster.shards_per_node_max(elastic) * health.data_nodes
    new = await privileges.auto_create(elastic, config)
    return [_health(health), _shards(most - health.shards, most), new]


def _health(health: cluster.Health) -> Finding:
    if health.status == "red":
        return error(
            "cluster health",
            f"red: {health.unassigned_shards} shards have no node, primaries among them",
            "GET _cluster/allocation/explain says why",
        )
    replicas = f", {health.unassigned_shards} replicas have no node" * (health.status == "yellow")
    return good("cluster health", health.status + replicas)


def _shards(left: int, most: int) -> Finding:
    text = f"{max(left, 0)} of {most} are left"
    if left >= most * _SHARDS_LEFT_MIN:
        return good("shards", text)
    level = Level.WARNING if left > 0 else Level.ERROR  # then no index can be created
    remedy = "delete old indices, add a data node, or give the routes a longer index.period"
    return Finding("shards", level, text, remedy)


async def _templates(elastic: Elastic, config: Config) -> list[Finding]:
    """
    See that each index of the routes gets a mapping: once applied, or now where that is left to us.
    """
    look = "`sink templates plan` shows what is there"
    problems = [
        error("templates", each, look) for each in await templates.findings(elastic, config)
    ]
    if problems:
        return problems
    steps = await templates.plan(elastic, config)
    aside = [
        warning("lifecycle", templates.sentence(step), look)
        for step in steps
        if step.action in (StepAction.LEFT_OUT, StepAction.HELD)
    ]
    return [*aside, await _pending(elastic, config, steps)]


async def _pending(elastic: Elastic, config: Config, steps: Sequence[Step]) -> Finding:
    pending = [step for step in steps if step.action in WRITES]
    if not pending:
        return good("templates", "each index of the routes gets one, all are up to date")
    if config.templates.apply_on_start:
        text = f"each index of the routes gets one, the sink writes {len(pending)} at start"
        return good("templates", text)
    there = await elastic.get_templates(Kind.INDEX)
    now = [Template(Kind.INDEX, name, body) for name, body in there.items()]
    without = uncovered(templates.destinations(config), now)
    text = f"{len(pending)} are missing or out of date, and templates.apply_on_start is off"
    remedy = "sink templates apply"
    if without:
        text = f"{text}: no template matches the indices of route {', '.join(without)}"
        return error("templates", text, remedy)
    return warning("templates", text, remedy)


# Subject, the cluster privilege without which it cannot be found out, and how it is.
_CHECKS: tuple[tuple[str, str, Callable[[Elastic, Config], Awaitable[list[Finding]]]], ...] = (
    ("privileges", "monitor", privileges.findings),
    ("cluster health", "monitor", _cluster),
    ("templates", "manage_index_templates", _templates),
)
