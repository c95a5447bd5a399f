"""
What the next index of a topic would get, as the cluster says it.
"""

from typing import Any, NamedTuple, Protocol

from sink.config import Config
from sink.core.coverage import winner
from sink.core.route import route_of
from sink.core.template import Kind, Template
from sink.errors import ConfigError
from sink.routes import routes_of
from sink.templates.planning import TemplateStore


class Simulator(TemplateStore, Protocol):
    """
    A cluster that can be asked what an index would get.
    """

    async def simulate_index(self, index: str) -> dict[str, object]:
        """
        Tell what an index of a name would get; makes none.
        """


class Simulation(NamedTuple):
    """
    The next index of a topic, with all that it would get.
    """

    topic: str
    route: str
    target: str  # index or data stream
    template: str | None  # None: no index template matches
    settings: Any
    mappings: Any
    lifecycle: Any  # of a data stream itself

    def own_lifecycle(self) -> dict[str, Any]:
        """
        Give the lifecycle where there is one.
        """
        return {"lifecycle": self.lifecycle} if self.lifecycle else {}


async def simulate(store: Simulator, config: Config, topic: str, now_ms: int) -> Simulation:
    """
    Ask what the index of a topic that is made next would get from the templates in the cluster.

    Raises:
        ConfigError: No route matches the topic.
    """
    route = route_of(topic, routes_of(config))
    if route is None:
        raise ConfigError(f"no route matches the topic {topic!r}")
    names, user_topic = route.names, route.user_topic(topic)
    values = ["x"] * len(names.fields)
    now = names.dated(user_topic, now_ms, values)
    index = names.dated(user_topic, now.until_ms, values).name if names.has_date else now.name
    there = await store.get_templates(Kind.INDEX)
    templates = [Template(Kind.INDEX, name, body) for name, body in there.items()]
    if not names.has_date and await _is_alias(store, index):
        index = f"{index}-000002"
    taken = winner(index, templates)
    answer: Any = await store.simulate_index(index)
    found = answer.get("template", {})
    return Simulation(
        topic,
        route.name,
        index,
        taken.name if taken else None,
        found.get("settings", {}),
        found.get("mappings", {}),
        found.get("lifecycle"),
    )


async def _is_alias(store: TemplateStore, name: str) -> bool:
    there = await store.get_template(Kind.ALIAS, name)
    return bool(there and there.get("aliases"))
