"""
What was done about templates and policies, in the log.
"""

import logging
from collections.abc import Iterable

import structlog

from sink.core.template_plan import WRITES, Step, StepAction
from sink.templates.planning import sentence

log = structlog.get_logger()

_LEVELS = dict.fromkeys((*WRITES, StepAction.HELD), logging.INFO) | {
    StepAction.FOREIGN: logging.ERROR,
    StepAction.LEFT_OUT: logging.WARNING,
}


def tell(steps: Iterable[Step]) -> None:
    """
    Log each step that is more than to keep what is there.
    """
    for step in steps:
        if step.action in _LEVELS:
            event = "template applied" if step.action in WRITES else "template not applied"
            log.log(_LEVELS[step.action], event, what=sentence(step))
