"""
What Elasticsearch answers about templates, lifecycle policies and aliases, as the sink keeps them.
"""

from typing import Any

# Elasticsearch 9 tells when a template was written; it is no part of what was written.
_ADDED_BY_THE_SERVER = frozenset(
    {"created_date", "created_date_millis", "modified_date", "modified_date_millis"}
)


def body_of(kind: str, name: str, answer: dict[str, Any]) -> dict[str, object]:
    """
    Read the one that was asked for.

    Sources: "Get index template", "Get component template", "Get lifecycle policy", "Get index".
    """
    if kind == "policy":
        return dict(answer[name]["policy"])
    if kind == "alias":
        holding = {index for index, its in answer.items() if name in its.get("aliases", {})}
        return {"aliases": sorted(holding)}
    return bodies_of(kind, answer)[name]


def bodies_of(kind: str, answer: dict[str, Any]) -> dict[str, dict[str, object]]:
    """
    Read name → body of an answer about templates.
    """
    found = {entry["name"]: entry[f"{kind}_template"] for entry in answer[f"{kind}_templates"]}
    for body in found.values():
        for added in _ADDED_BY_THE_SERVER & body.keys():
            del body[added]
    return found


def first_index(alias: str) -> str:
    """
    Name the first index behind an alias that rolls over: such a name is counted on.
    """
    return f"{alias}-000001"
