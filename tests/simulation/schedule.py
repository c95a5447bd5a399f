"""
Schedules: what befalls a sink, when, and in which order its threads go on.
"""

from dataclasses import dataclass

from tests.simulation.history import History
from tests.simulation.setup import Setup
from tests.simulation.steps import Step
from tests.simulation.world import World, simulated


class Broken(AssertionError):
    """
    A schedule after which E, D or O does not hold, or something does not end; with its history.
    """

    def __init__(self, schedule: "Schedule", history: History, why: Exception) -> None:
        told = "\n".join(history.lines())
        super().__init__(f"{told}\n\n{type(why).__name__}: {why}")
        self.schedule = schedule


@dataclass(frozen=True)
class Moment:
    """
    A step, and how long all work after it.
    """

    step: Step
    then_ms: int


@dataclass(frozen=True)
class Schedule:
    """
    What befalls some sinks.

    Args:
        seed: Of the choice which thread goes on, of waits and latencies.
    """

    setup: Setup
    seed: int
    moments: tuple[Moment, ...]


def run(schedule: Schedule) -> World:
    """
    Let a schedule befall the sinks, mend everything, and hold E, D and O.

    Raises:
        Broken: With what happened, in order.
    """
    with simulated(schedule.setup, schedule.seed) as world:
        try:
            _befall(world, schedule)
        except Exception as failure:
            raise Broken(schedule, world.history, failure) from failure
    return world


def _befall(world: World, schedule: Schedule) -> None:
    for slot in range(schedule.setup.processes):
        world.start(slot)
    for moment in schedule.moments:
        world.history.note("step", "{}", moment)
        moment.step.befall(world)
        world.run_for(moment.then_ms)
    world.heal()
    world.until_all_is_quiet()
