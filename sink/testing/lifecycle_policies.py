"""
Which lifecycle policies Elasticsearch takes, and how it gives them back.

Source: "Create or update lifecycle policy API", "Index lifecycle" (phase actions), and the page of
each action.
"""

import re
from collections.abc import Mapping
from typing import Any

_PHASES = {
    "hot": {"set_priority", "unfollow", "rollover", "readonly", "downsample", "shrink"}
    | {"forcemerge", "searchable_snapshot"},
    "warm": {"set_priority", "unfollow", "readonly", "downsample", "allocate", "migrate", "shrink"}
    | {"forcemerge"},
    "cold": {"set_priority", "unfollow", "readonly", "downsample", "searchable_snapshot"}
    | {"allocate", "migrate"},
    "frozen": {"unfollow", "searchable_snapshot"},
    "delete": {"wait_for_snapshot", "delete"},
}
_AFTER_ROLLOVER = {"forcemerge", "shrink", "readonly", "downsample", "searchable_snapshot"}
_AGE = re.compile(r"\d+(nanos|micros|ms|s|m|h|d)")
_NAME = re.compile(r"[^_ ,][^ ,]*")


def refusal(name: str, policy: Mapping[str, Any]) -> str | None:
    """
    Say why a policy is not taken; None where it is.
    """
    if not _NAME.fullmatch(name) or len(name.encode()) > 255:
        return f"invalid policy name [{name}]"
    unknown = set(policy) - {"phases", "_meta", "deprecated"}
    if unknown or not isinstance(policy.get("phases"), Mapping):
        return f"[lifecycle_policy] unknown field {sorted(unknown)} or no phases"
    found = (_of_phase(phase, its) for phase, its in policy["phases"].items())
    return next(filter(None, found), None)


def normal(policy: Mapping[str, Any]) -> dict[str, Any]:
    """
    Add what Elasticsearch adds.
    """
    phases = {}
    for phase, its in policy["phases"].items():
        actions = dict(its.get("actions", {}))
        if "delete" in actions:
            actions["delete"] = {"delete_searchable_snapshot": True, **actions["delete"]}
        phases[phase] = {"min_age": its.get("min_age", "0ms"), "actions": actions}
    return {**policy, "phases": phases}


def _of_phase(phase: str, its: Mapping[str, Any]) -> str | None:
    actions, age = its.get("actions", {}), its.get("min_age", "0ms")
    if phase not in _PHASES:
        return f"Timeseries lifecycle does not support phase [{phase}]"
    strange = sorted(set(actions) - _PHASES[phase])
    needs_rollover = phase == "hot" and "rollover" not in actions
    rollover = actions.get("rollover", {"max_age": ""})
    faults = {
        f"invalid action {strange} defined in phase [{phase}]": strange,
        "the [hot] phase action(s) may not be used without an accompanying [rollover] action": (
            needs_rollover and _AFTER_ROLLOVER & set(actions)
        ),
        "At least one max_* rollover condition must be set.": not any(
            condition.startswith("max_") for condition in rollover
        ),
        "phase [delete] must define actions": phase == "delete" and not actions,
        f"failed to parse setting [min_age] with value [{age}]": not _AGE.fullmatch(age),
    }
    return next((said for said, holds in faults.items() if holds), None)
