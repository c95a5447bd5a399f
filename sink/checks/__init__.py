"""
Whether a configuration would work: asks all sides, writes nothing, joins no group.

Each check is a small function that gives findings; a table for each side puts them in order. Called
by `sink check`.
"""

import asyncio
from collections.abc import Sequence
from itertools import chain

from sink import templates
from sink.checks import elasticsearch, kafka, kibana
from sink.checks import routes as of_routes
from sink.checks.finding import Finding, Level, good
from sink.config import Config
from sink.core.budget import memory_bound_bytes
from sink.core.route import Route
from sink.routes import routes_of

__all__ = ["Finding", "Level", "findings"]


async def findings(config: Config, now_ms: int) -> list[Finding]:
    """
    Try a configuration. All sides are asked at the same time, and each whatever the others say.

    Args:
        now_ms: The time for which indices are named, milliseconds since the epoch.
    Raises:
        ConfigError: A route, a template or what is passed through to a library is impossible.
    """
    routes = routes_of(config)
    templates.wanted(config)  # a fault in templates.dir is told also when nothing answers
    found = await asyncio.gather(
        asyncio.to_thread(kafka.findings, config, routes, now_ms),
        elasticsearch.findings(config),
        kibana.findings(config),
    )
    told = [_configuration(config, routes), *of_routes.findings(routes)]
    return [*told, *chain.from_iterable(found)]


def _configuration(config: Config, routes: Sequence[Route]) -> Finding:
    mib = round(memory_bound_bytes(config) / 2**20)
    return good(
        "configuration",
        f"group {config.kafka.group_id}, {len(routes)} route{'s'[: len(routes) != 1]}, "
        f"dead letters to {config.dead_letter_topic}, at most {mib} MiB of memory",
    )
