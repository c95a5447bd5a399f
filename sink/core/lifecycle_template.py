"""
The index templates that put the indices of routes under their lifecycle.

Each is the collector's own template with the settings of a lifecycle, above it in priority. Two of
one priority whose patterns overlap are refused by Elasticsearch, so what overlaps one that is there
goes into it: another wish for the same indices changes a template in place.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from sink.core.destination import Destination
from sink.core.lifecycle import Lifecycle, index_settings, overlapping, stream_lifecycle
from sink.core.template_body import Body, is_own, strings

# Above every collector's template of the sink, below the 100 of those that Elasticsearch brings.
_PRIORITY = 5


class Means(StrEnum):
    """
    What keeps the lifecycle of a route.
    """

    POLICY = "policy"  # index lifecycle management
    STREAM = "stream"  # the lifecycle of the data stream itself
    NOTHING = "nothing"


class _Ageing(NamedTuple):
    """
    Indices of a route that may grow old.
    """

    key: str
    patterns: tuple[str, ...]
    route: Destination
    way: Means


def kept(
    name: str,
    body: Body,
    destinations: Collection[Destination],
    means: Mapping[str, Means],
    present: Mapping[str, Body],
) -> dict[str, Body]:
    """
    Make the templates of the lifecycles of one collector's routes: name → body.

    Args:
        name: Of the collector's template.
        means: What keeps the lifecycle of each policy's name; ILM where it is not said.
        present: The index templates in the cluster.
    """
    prefix = f"{name}-lifecycle-"
    homes = {
        each: strings(there, "index_patterns")
        for each, there in present.items()
        if each.startswith(prefix) and is_own(there)
    }
    found: dict[str, Body] = {}
    for ageing in _ageing(destinations, means):
        for target in _targets(prefix, ageing, homes):
            if ageing.way is not Means.NOTHING:
                homes[target] = sorted({*homes.get(target, ()), *ageing.patterns})
            found[target] = {**_of(ageing, body), "index_patterns": homes[target]}
    return found


def _ageing(destinations: Collection[Destination], means: Mapping[str, Means]) -> list[_Ageing]:
    """
    List all, the wide patterns first: narrow ones within them need no template of their own.
    """
    found = [
        _Ageing(key, patterns, each, _way(each, means))
        for each in destinations
        for key, patterns in each.ageing.items()
    ]
    return sorted(found, key=lambda ageing: (len(ageing.key), ageing.key))


def _way(each: Destination, means: Mapping[str, Means]) -> Means:
    if each.lifecycle is None:
        return Means.NOTHING
    return means.get(each.lifecycle.policy, Means.POLICY)


def _targets(prefix: str, ageing: _Ageing, homes: Mapping[str, list[str]]) -> Iterator[str]:
    """
    Name the template for some indices; all that reach them, where they are to be in none.
    """
    reaching = sorted(
        name
        for name, theirs in homes.items()
        if any(overlapping(one, other) for one in ageing.patterns for other in theirs)
    )
    if ageing.way is Means.NOTHING:
        yield from reaching
        return
    own = prefix + hashlib.sha256(ageing.key.encode()).hexdigest()[:8]
    yield own if own in reaching or not reaching else reaching[0]


def _of(ageing: _Ageing, body: Body) -> Body:
    priority = body.get("priority")
    raised = (priority if isinstance(priority, int) else 0) + _PRIORITY
    lifecycle = ageing.route.lifecycle
    if lifecycle is None or ageing.way is Means.NOTHING:
        return {**body, "priority": raised}
    alias = ageing.key if ageing.route.alias else None
    template = _WAYS[ageing.way](_table(body, "template"), lifecycle, alias)
    return {**body, "priority": raised, "template": template}


def _by_policy(template: Body, lifecycle: Lifecycle, alias: str | None) -> Body:
    settings = _table(template, "settings")
    index = {**_table(settings, "index"), "lifecycle": index_settings(lifecycle, alias)}
    return {**template, "settings": {**settings, "index": index}}


def _by_stream(template: Body, lifecycle: Lifecycle, _: str | None) -> Body:
    return {**template, "lifecycle": stream_lifecycle(lifecycle)}


_WAYS = {Means.POLICY: _by_policy, Means.STREAM: _by_stream}


def _table(body: Body, key: str) -> Body:
    found = body.get(key)
    return found if isinstance(found, Mapping) else {}
