"""
The plan for templates and lifecycle policies: what is wanted compared with what is there.

A template is the sink's own when its `_meta.owner` says so; any other of the same name is foreign
and never touched. Nothing is ever taken away, also not a pattern of an index template: two sinks
with different routes on one cluster would otherwise remove each other's patterns at each start,
and indices would be created without their mapping. A policy that is there is never changed: indices
that nobody wants deleted may be under it. `sink.templates` carries the steps out.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from sink.core.template import Kind, Template, patterns_of
from sink.core.template_body import (
    Body,
    checksum,
    is_own,
    meta_of,
    signed,
    strings,
    succeeding,
    version_of,
    was_rolled_back_from,
)
from sink.core.template_form import same_but_patterns


class StepAction(StrEnum):
    """
    What becomes of one template.
    """

    CREATE = "create"
    UPDATE = "update"
    KEEP = "keep"
    NEWER = "newer"  # written by a newer sink: left alone
    HELD = "held"  # rolled back by a person: left alone
    FOREIGN = "foreign"  # not the sink's: left alone, and the operator told
    LEFT_OUT = "left out"  # the cluster cannot do it


WRITES = frozenset({StepAction.CREATE, StepAction.UPDATE})


class Step(NamedTuple):
    """
    One template, what is to be done about it and why.
    """

    action: StepAction
    template: Template
    reason: str
    existing: Body | None = None

    def afterwards(self) -> Template:
        """
        Give the template that is in the cluster once the step is done.
        """
        if self.action in WRITES or self.existing is None:
            return self.template
        return self.template._replace(body=self.existing)


def plan(
    wanted: Sequence[Template], existing: Mapping[tuple[Kind, str], Body | None]
) -> list[Step]:
    """
    Compare what is wanted with what the cluster has.

    Args:
        wanted: The order stays.
        existing: The body in the cluster by kind and name; None or absent where there is none.
    """
    return [_step(template, existing.get((template.kind, template.name))) for template in wanted]


def _step(template: Template, existing: Body | None) -> Step:
    if existing is None:
        return Step(StepAction.CREATE, template, "there is none yet")
    return _STEPS[template.kind](template, existing)


def _of_template(template: Template, existing: Body) -> Step:
    if not is_own(existing):
        reason = (
            "one that is not the sink's has this name and is left alone: "
            "rename or remove it, or rename the sink's in templates.dir"
        )
        return Step(StepAction.FOREIGN, template, reason, existing)
    template = _widened(template, existing)
    theirs, ours = version_of(existing), version_of(template.body)
    if theirs > ours:
        reason = f"version {theirs} is there, of a newer sink than this one's {ours}: left alone"
        return Step(StepAction.NEWER, template, reason, existing)
    if was_rolled_back_from(existing, template.body):
        return _held(template, existing)
    if theirs == ours and meta_of(existing).get("checksum") == checksum(template.body):
        return Step(StepAction.KEEP, template, f"version {ours} is there", existing)
    older = f"version {theirs} is there, older than {ours}"
    reason = older if theirs < ours else f"version {ours} is there with another content"
    wider = same_but_patterns(template.body, existing)
    body = succeeding(template.body, existing, wider=wider)
    return Step(StepAction.UPDATE, template._replace(body=body), reason, existing)


def _held(template: Template, existing: Body) -> Step:
    """
    Leave what a person rolled back, but for the patterns of new routes.
    """
    reason = (
        f"rolled back to version {version_of(existing)} by a person, and left so until this sink "
        f"wants another: `sink templates rollback {template.name}` brings it back"
    )
    patterns = patterns_of(template)
    if patterns == strings(existing, "index_patterns"):
        return Step(StepAction.HELD, template, reason, existing)
    wider = template._replace(body={**existing, "index_patterns": patterns})
    return Step(StepAction.UPDATE, wider, f"{reason}; it gets the patterns of new routes", existing)


def _of_policy(template: Template, existing: Body) -> Step:
    if is_own(existing):
        reason = "it is there, and indices may be under it: a policy is never changed"
        return Step(StepAction.KEEP, template, reason, existing)
    reason = (
        "one that is not the sink's has this name: the indices are kept for ever. "
        "Rename it, or change a number of the lifecycle"
    )
    return Step(StepAction.FOREIGN, template, reason, existing)


def _of_alias(template: Template, existing: Body) -> Step:
    if existing.get("aliases"):
        return Step(StepAction.KEEP, template, "it is there", existing)
    reason = (
        "an index has this name, so nothing can roll over and it is kept for ever: move its "
        "documents (_reindex), delete it, and the alias is made; or give the route another name"
    )
    return Step(StepAction.FOREIGN, template, reason, existing)


_STEPS: Mapping[Kind, Callable[[Template, Body], Step]] = {
    Kind.COMPONENT: _of_template,
    Kind.INDEX: _of_template,
    Kind.POLICY: _of_policy,
    Kind.ALIAS: _of_alias,
}


def _widened(template: Template, existing: Body) -> Template:
    """
    Add the patterns that are there already: they may be those of another sink.
    """
    there = strings(existing, "index_patterns")
    if not there:
        return template
    patterns = sorted({*patterns_of(template), *there})
    return template._replace(body=signed({**template.body, "index_patterns": patterns}))
