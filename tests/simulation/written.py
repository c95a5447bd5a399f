"""
Schedules as text: what broke is repeated from it.
"""

import json
from dataclasses import asdict
from typing import Any

from tests.simulation import steps
from tests.simulation.schedule import Moment, Schedule
from tests.simulation.setup import Setup
from tests.simulation.steps import Step


def written(schedule: Schedule) -> str:
    """
    Write a schedule as one line of JSON.
    """
    moments = [
        {"step": type(moment.step).__name__, **asdict(moment.step), "then_ms": moment.then_ms}  # type: ignore[call-overload]
        for moment in schedule.moments
    ]
    return json.dumps({"seed": schedule.seed, "setup": asdict(schedule.setup), "moments": moments})


def read(text: str) -> Schedule:
    """
    Read a schedule that was written so.
    """
    told = json.loads(text)
    moments = tuple(Moment(_step(moment), moment["then_ms"]) for moment in told["moments"])
    return Schedule(Setup(**told["setup"]), told["seed"], moments)


def _step(moment: dict[str, Any]) -> Step:
    kind: type[Step] = getattr(steps, moment["step"])
    lists = {key: tuple(value) for key, value in moment.items() if isinstance(value, list)}
    facts = {key: value for key, value in moment.items() if key not in {"step", "then_ms"}}
    return kind(**facts | lists)
