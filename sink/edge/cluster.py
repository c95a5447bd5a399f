"""
Questions about the cluster as a whole: its health, its room for shards, what we may do.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sink.edge.elastic import Elastic
from sink.edge.elastic_answers import Refused


class Health(NamedTuple):
    """
    The state of the cluster and its shards.
    """

    status: str  # green, yellow or red
    shards: int  # of open indices, those that no node holds included
    unassigned_shards: int
    data_nodes: int


class Privileges(NamedTuple):
    """
    Which of the privileges that were asked for the user holds.
    """

    user: str
    cluster: Mapping[str, bool]
    indices: Mapping[str, Mapping[str, bool]]  # index pattern → privilege → held


async def health(elastic: Elastic) -> Health:
    """
    Ask how the cluster is. Source: "Cluster health API".

    Raises:
        Unauthorized, Unavailable: With the reason.
    """
    answer = await elastic.ask("GET", "/_cluster/health")
    shards = sum(answer[f"{state}_shards"] for state in ("active", "initializing", "unassigned"))
    return Health(
        answer["status"], shards, answer["unassigned_shards"], answer["number_of_data_nodes"]
    )


async def shards_per_node_max(elastic: Elastic) -> int:
    """
    Ask for cluster.max_shards_per_node. Source: "Miscellaneous cluster settings".

    Raises:
        Unauthorized, Unavailable: With the reason.
    """
    return int(await _setting(elastic, "max_shards_per_node", "cluster"))


async def auto_create_index(elastic: Elastic) -> str:
    """
    Ask for action.auto_create_index: true, false, or forms of names with commas between.

    Raises:
        Unauthorized, Unavailable: With the reason.
    """
    return await _setting(elastic, "auto_create_index", "action")


async def _setting(elastic: Elastic, name: str, group: str) -> str:
    answer = await elastic.ask(
        "GET", f"/_cluster/settings?include_defaults&filter_path=*.{group}.{name}"
    )
    scopes = ("transient", "persistent", "defaults")  # the first that sets it wins
    told = (answer.get(scope, {}).get(group, {}) for scope in scopes)
    return next(str(settings[name]) for settings in told if name in settings)


async def privileges(
    elastic: Elastic,
    cluster: Sequence[str],
    indices: Iterable[tuple[Sequence[str], Sequence[str]]],
) -> Privileges | None:
    """
    Ask which privileges we hold. Source: "Has privileges API".

    Args:
        indices: Index patterns, each with the privileges on all of them.
    Returns:
        None where security is off: then no handler takes the path.
    Raises:
        Unauthorized, Unavailable: With the reason.
    """
    wanted: dict[str, Any] = {
        "cluster": cluster,
        "index": [{"names": names, "privileges": held} for names, held in indices],
    }
    try:
        answer = await elastic.ask("POST", "/_security/user/_has_privileges", wanted)
    except Refused as refused:
        if refused.status in (400, 405) and not refused.error_type:
            return None
        raise
    return Privileges(answer["username"], answer["cluster"], answer["index"])
