"""
What differs between the cluster and what is wanted, as a person reads it.
"""

import json
from collections.abc import Sequence
from difflib import unified_diff

from sink.core.template import Kind
from sink.core.template_body import Body
from sink.core.template_form import comparable
from sink.core.template_plan import Step, StepAction


def diff(step: Step) -> str:
    """
    Show what an update changes, as a unified diff of the JSON; empty for any other step.
    """
    return difference(step) if step.action is StepAction.UPDATE else ""


def difference(step: Step) -> str:
    """
    Show how what is in the cluster differs from what is wanted; empty where it does not.

    By content, whatever the checksums say: a change by hand is shown as well.
    """
    alias_is_there = step.template.kind is Kind.ALIAS and step.action is StepAction.KEEP
    if alias_is_there or step.action is StepAction.LEFT_OUT:
        return ""
    before = [] if step.existing is None else _lines(step.existing)
    name = f"{step.template.kind}/{step.template.name}"
    there = f"{name} in the cluster" if before else "/dev/null"
    after = _lines(step.template.body)
    return "\n".join(unified_diff(before, after, there, f"{name} wanted", lineterm=""))


def _lines(body: Body) -> Sequence[str]:
    form = comparable(body)
    return json.dumps(form, indent=2, sort_keys=True, ensure_ascii=False).splitlines()
