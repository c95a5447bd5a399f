"""
Whether the user of Elasticsearch may do what the sink does, and whether a bulk may make an index.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, product
from typing import NamedTuple

from sink import templates
from sink.checks.finding import Finding, error, good, some, warning
from sink.config import Config
from sink.core.destination import Destination, covers
from sink.core.route import Route
from sink.core.template import patterns_of
from sink.edge import cluster
from sink.edge.elastic import Elastic
from sink.routes import routes_of

# ILM acts with the roles that the user had who wrote the policy, so it deletes only where the sink
# may. Source: "Create or update lifecycle policy API".
_AGEING = ("manage",)
_COMMANDS = ("read", "view_index_metadata")  # what looks at indices: sink audit, sink replay
_WRITING = {"create": "create_doc", "index": "index"}


class _Need(NamedTuple):
    """
    A privilege on the indices of some routes.

    Args:
        holds: Which routes need it.
        of: Any one of these is enough.
        subject: What the finding is called; those of one subject are told together.
        harm: What comes of its absence, where it is not that nothing is indexed.
        make: How bad that is.
    """

    holds: Callable[[Route], bool]
    of: Callable[[Route], tuple[str, ...]]
    subject: str = "privileges"
    harm: str = ""
    make: Callable[[str, str, str], Finding] = error


# Source: Elasticsearch, "Security privileges". A bulk creates indices by auto_create. In a data
# stream create_doc adds no field to the mapping, in an index it does.
_NEEDS = (
    _Need(lambda _: True, lambda _: ("create_index", "auto_configure")),
    _Need(lambda _: True, lambda route: (_WRITING[route.op_type],)),
    _Need(
        lambda route: route.names.stream,
        lambda _: ("auto_configure", "write"),
        "privileges: new fields",
        ": documents with a field that is new to the data stream are parked",
    ),
    _Need(
        lambda route: route.create_ahead and route.names.has_date,
        lambda _: ("create_index",),
        "privileges: indices ahead",
        ": the next period's indices are not made ahead of time (index.create_ahead)",
        warning,
    ),
    _Need(
        lambda route: route.new_per_hour_max is not None,
        lambda _: ("view_index_metadata",),
        "privileges: new names",
        ": how many new indices there may be is not limited (index.new_per_hour_max)",
        warning,
    ),
)
_BY_SUBJECT = {need.subject: need for need in _NEEDS}


async def findings(elastic: Elastic, config: Config) -> list[Finding]:
    """
    Compare what the user may do with what the sink does.
    """
    routes = templates.destinations(config)
    needs = [*_needs(routes_of(config), routes)]
    on_cluster = _on_cluster(routes) if config.templates.apply_on_start else []
    held = await cluster.privileges(elastic, on_cluster, [([on], of) for _, of, on in needs])
    if held is None:
        return [
            good(
                "privileges",
                "security is off, none are needed; what a proxy in front of it asks for cannot be "
                "told",
            )
        ]
    lacks = {
        "privileges": [f"{name} on the cluster" for name, has in held.cluster.items() if not has]
    }
    for subject, of, pattern in needs:
        if not any(held.indices[pattern][one] for one in of):
            lacks.setdefault(subject, []).append(f"{' or '.join(of)} on {pattern}")
    found = [_lack(subject, held.user, missing) for subject, missing in lacks.items() if missing]
    return found or [good("privileges", f"user {held.user} has all that are needed")]


def role(config: Config) -> dict[str, object]:
    """
    Give a role with all that the sink and its commands do, as `PUT _security/role/<name>` takes it.
    """
    routes = templates.destinations(config)
    wanted: dict[str, list[str]] = {}
    for _, of, pattern in _needs(routes_of(config), routes):
        wanted.setdefault(pattern, []).append(of[0])
    indices = [
        {"names": [pattern], "privileges": [*dict.fromkeys((*privileges, *_COMMANDS))]}
        for pattern, privileges in wanted.items()
    ]
    return {"cluster": [*_on_cluster(routes), "monitor"], "indices": indices}


def _on_cluster(routes: Iterable[Destination]) -> list[str]:
    ilm = ["manage_ilm"] if any(each.lifecycle for each in routes) else []
    return ["manage_index_templates", *ilm]


def _needs(
    routes: Sequence[Route], destinations: Sequence[Destination]
) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """
    Give what is needed: subject, any one of these privileges, on indices of a pattern.
    """
    for route, each in zip(routes, destinations, strict=True):
        behind = [pattern for found in each.ageing.values() for pattern in found if each.alias]
        patterns = [*(each.patterns or ("*",)), *(behind if each.lifecycle else ())]
        for pattern, need in product(patterns, _NEEDS):
            if need.holds(route):
                yield need.subject, need.of(route), pattern
        for pattern in patterns if each.lifecycle else ():
            yield "privileges", _AGEING, pattern


def _lack(subject: str, user: str, missing: list[str]) -> Finding:
    need = _BY_SUBJECT[subject]
    text = f"user {user} lacks {', '.join(dict.fromkeys(missing))}{need.harm}"
    return need.make(subject, text, "add it to a role of the user")


async def auto_create(elastic: Elastic, config: Config) -> Finding:
    """
    See that the first document of an index makes it: the setting action.auto_create_index.

    Source: "Index API", Automatically create data streams and indices. The first form of its list
    that matches a name decides; a template may say allow_auto_create, which wins.
    """
    setting = await cluster.auto_create_index(elastic)
    allowing = {
        pattern
        for each in templates.wanted(config)
        if each.body.get("allow_auto_create") is True
        for pattern in patterns_of(each)
    }
    patterns = chain.from_iterable(each.patterns for each in templates.destinations(config))
    held_back = [
        pattern
        for pattern in dict.fromkeys(patterns)
        if pattern not in allowing and not _allows(setting.split(","), pattern)
    ]
    if not held_back:
        return good("new indices", "the first document of an index makes it")
    return warning(
        "new indices",
        f"action.auto_create_index is {setting}: no document makes an index of {some(held_back)}, "
        "those for one that is not there are parked",
        "allow these names in it, or create the indices yourself before they are written to",
    )


def _allows(forms: Iterable[str], pattern: str) -> bool:
    """
    Tell whether every index of a pattern may be made; one form may speak of some of them only.
    """
    for form in (each.strip() for each in forms):
        bare = form.removeprefix("-").removeprefix("+")
        if bare in ("true", "false"):
            return bare == "true"
        if covers(bare, pattern):
            return not form.startswith("-")
        if form.startswith("-") and covers(pattern, bare):
            return False
    return False
