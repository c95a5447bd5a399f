"""
Which data views Kibana should have, and what is to be done about those it has.

One for each user topic: topics whose index names have one pattern share one. A data view that is
there is never changed, whoever made it. `sink.kibana` carries the steps out.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import quote
from uuid import UUID, uuid5

from sink.core.route import Route, route_of

TIMESTAMP = "@timestamp"
_IDS = UUID("7c1f3a52-5a3b-4d0e-9c5e-2f2d3b1f6a10")  # of this project's own; any would do
DEFAULT_SPACE = "default"


class DataView(NamedTuple):
    """
    A data view as Kibana lists it.
    """

    id: str
    title: str  # index patterns, separated by commas
    name: str


class Wanted(NamedTuple):
    """
    A data view that the routes ask for.
    """

    title: str
    name: str  # the user topic, or the route where several topics share it
    time_field: str
    topics: tuple[str, ...]


class Action(StrEnum):
    """
    What becomes of one data view or dashboard.
    """

    CREATE = "create"
    KEEP = "keep"  # it is there, or one of the same title is
    REFUSED = "refused"  # Kibana does not take it


class Step(NamedTuple):
    """
    One data view, what is or was done about it and why.
    """

    action: Action
    view: DataView
    wanted: Wanted
    reason: str


@dataclass(frozen=True, slots=True)
class Link:
    """
    Where the logs of some topics are looked at.
    """

    name: str
    title: str
    topics: tuple[str, ...]
    url: str


def wanted_views(
    routes: Sequence[Route], topics: Iterable[str], time_fields: Mapping[str, str]
) -> list[Wanted]:
    """
    Tell the data views of topics, by name.

    Args:
        topics: All there are; those that no route takes are passed over. Topics that a route names
            count as well: their data view is there before their first record is.
        time_fields: By route.
    """
    named = (topic for route in routes for topic in route.topics)
    groups: dict[str, list[tuple[str, Route]]] = {}
    for topic in sorted({*topics, *named}):
        route = route_of(topic, routes)
        if route is not None:
            title = ",".join(route.names.wildcards(route.user_topic(topic)))
            groups.setdefault(title, []).append((topic, route))
    views = [_view(title, group, time_fields) for title, group in groups.items()]
    return sorted(views, key=lambda view: (view.name, view.title))


def plan(wanted: Iterable[Wanted], existing: Sequence[DataView], space: str | None) -> list[Step]:
    """
    Compare what is wanted with what Kibana has in a space.
    """
    by_id = {view.id: view for view in existing}
    by_title = {view.title: view for view in reversed(existing)}
    names = {view.name for view in existing}
    steps: list[Step] = []
    for each in wanted:
        step = _step(each, by_id, by_title, names, space)
        names.add(step.view.name)
        steps.append(step)
    return steps


def object_id(space: str | None, what: str) -> str:
    """
    Make the id of a data view or dashboard: the same each time, for two sinks, and after a restart.

    The space is part of it: since version 8 Kibana's ids are unique across spaces.
    """
    return str(uuid5(_IDS, f"{space or DEFAULT_SPACE}/{what}"))


def discover_url(base: str, space: str | None, id_: str) -> str:
    """
    Make the link to Discover that shows the last 15 minutes of a data view.

    `index` is what Discover knew before 8.14; later versions take it for the data source.
    """
    quoted = id_.replace("!", "!!").replace("'", "!'")  # rison
    state = quote(f"_g=(time:(from:now-15m,to:now))&_a=(index:'{quoted}')", safe="=&(),:'!")
    return f"{base}{space_path(space)}/app/discover#/?{state}"


def dashboard_url(base: str, space: str | None, id_: str) -> str:
    """
    Make the link to a dashboard.
    """
    return f"{base}{space_path(space)}/app/dashboards#/view/{quote(id_, safe='')}"


def space_path(space: str | None) -> str:
    """
    Give what stands before the path of every request and link of a space.
    """
    return "" if space in (None, DEFAULT_SPACE) else f"/s/{space}"


def _view(title: str, group: Sequence[tuple[str, Route]], time_fields: Mapping[str, str]) -> Wanted:
    topics = tuple(topic for topic, _ in group)
    user_topics = {route.user_topic(topic) for topic, route in group}
    route = group[0][1].name
    name = user_topics.pop() if len(user_topics) == 1 else route
    return Wanted(title, name, time_fields.get(route, TIMESTAMP), topics)


def _step(
    wanted: Wanted,
    by_id: Mapping[str, DataView],
    by_title: Mapping[str, DataView],
    names: Collection[str],
    space: str | None,
) -> Step:
    id_ = object_id(space, wanted.title)
    if id_ in by_id:
        return Step(Action.KEEP, by_id[id_], wanted, "it is there")
    if wanted.title in by_title:
        return Step(Action.KEEP, by_title[wanted.title], wanted, "one of the same title is there")
    # Kibana refuses a name that another data view has.
    name = wanted.name if wanted.name not in names else f"{wanted.name} ({wanted.title})"
    return Step(Action.CREATE, DataView(id_, wanted.title, name), wanted, "there is none yet")
