"""
Data views and the starter dashboard: compared first, created when missing, never changed.

Called by `sink kibana setup` and by the daemon's upkeep.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sink import templates
from sink.config import Config
from sink.core.dashboard import dashboard
from sink.core.data_view import (
    TIMESTAMP,
    Action,
    Link,
    Step,
    Wanted,
    dashboard_url,
    discover_url,
    object_id,
    wanted_views,
)
from sink.core.data_view import plan as plan_of
from sink.core.destination import covers
from sink.core.mapped_fields import mapped_fields, time_field
from sink.edge.kibana import Kibana, Refused
from sink.routes import routes_of

_REFUSED = (400, 409)  # also for what is there already


class Views(NamedTuple):
    """
    The data views that a configuration asks for, as many as `kibana.data_views_max`.
    """

    wanted: list[Wanted]
    left_out: int  # that are beyond it


class DashboardStep(NamedTuple):
    """
    What is or was done about the dashboard, and where it is.
    """

    action: Action
    title: str
    url: str
    reason: str


def views_for(config: Config, topics: Iterable[str]) -> Views:
    """
    Tell the data views that a configuration asks for.

    Args:
        topics: All that the brokers have.
    Raises:
        ConfigError: A route or a template is impossible.
    """
    fields = _fields(config)
    times = {route: time_field(mapped) for route, mapped in fields.items()}
    found = wanted_views(routes_of(config), topics, times)
    most = config.kibana.data_views_max
    return Views(found[:most], max(0, len(found) - most))


def view_of_all(config: Config, wanted: Sequence[Wanted]) -> Wanted:
    """
    Make the data view over every index of the routes, which the dashboard shows.
    """
    patterns = {pattern for each in templates.destinations(config) for pattern in each.patterns}
    narrow = {pattern for view in wanted for pattern in view.title.split(",")}
    patterns |= {n for n in narrow if not any(covers(wide, n) for wide in patterns)}
    times = {time_field(mapped) for mapped in _fields(config).values()}
    return Wanted(
        ",".join(sorted(patterns)),
        f"all logs of {config.kafka.group_id}",
        times.pop() if len(times) == 1 else TIMESTAMP,
        tuple(topic for view in wanted for topic in view.topics),
    )


async def plan(kibana: Kibana, config: Config, wanted: Iterable[Wanted]) -> list[Step]:
    """
    Compare data views with those that are there. Writes nothing.

    Raises:
        ConfigError: The space is not there.
        Unauthorized, Unavailable: With the reason.
    """
    await kibana.check_space()
    return plan_of(wanted, await kibana.data_views(), config.kibana.space)


async def carry_out(kibana: Kibana, steps: Iterable[Step]) -> list[Step]:
    """
    Create the data views that are missing. One that Kibana refuses does not stop the others.

    Raises:
        Unauthorized, Unavailable: With the reason.
    """
    return [await _done(kibana, step) for step in steps]


async def set_up_dashboard(kibana: Kibana, config: Config, step: Step) -> DashboardStep:
    """
    Create the dashboard, unless it is there.

    Args:
        step: Of the data view it shows, carried out.
    Raises:
        Unauthorized, Unavailable: With the reason.
    """
    planned = plan_dashboard(config)
    fields = {name: kind for mapped in _fields(config).values() for name, kind in mapped.items()}
    id_, wanted = _dashboard_id(config), step.wanted
    result = await kibana.import_objects(
        dashboard(id_, planned.title, step.view.id, wanted.time_field, fields)
    )
    if result.refused:
        return planned._replace(action=Action.REFUSED, reason="; ".join(result.refused))
    if result.there:
        return planned._replace(action=Action.KEEP, reason="it is there")
    return planned._replace(reason="it was missing")


def plan_dashboard(config: Config) -> DashboardStep:
    """
    Tell what would be done about the dashboard.
    """
    url = dashboard_url(config.kibana.link_url, config.kibana.space, _dashboard_id(config))
    title = f"Logs of {config.kafka.group_id}"
    return DashboardStep(Action.CREATE, title, url, "created unless it is there")


def link(config: Config, step: Step) -> Link:
    """
    Make the link to the logs of a data view that is there.
    """
    url = discover_url(config.kibana.link_url, config.kibana.space, step.view.id)
    return Link(step.view.name, step.view.title, step.wanted.topics, url)


async def _done(kibana: Kibana, step: Step) -> Step:
    if step.action is not Action.CREATE:
        return step
    try:
        await kibana.create_data_view(step.view, step.wanted.time_field)
    except Refused as refused:
        if refused.status not in _REFUSED:
            raise
        # Two sinks that start together want the same ones, under the same ids.
        if await kibana.has_data_view(step.view.id):
            return step._replace(action=Action.KEEP, reason="another sink was quicker")
        return step._replace(action=Action.REFUSED, reason=str(refused))
    return step._replace(reason="it was missing")


def _fields(config: Config) -> dict[str, dict[str, str]]:
    """
    List the mapped fields of each route.
    """
    wanted = templates.wanted(config)
    return {each.route: mapped_fields(wanted, each) for each in templates.destinations(config)}


def _dashboard_id(config: Config) -> str:
    return object_id(config.kibana.space, f"dashboard/{config.kafka.group_id}")
