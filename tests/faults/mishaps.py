"""
What befalls a running setup, each with its undoing, and random schedules of it.

Used by the schedules of kill -9 and by the soak.
"""

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random

from engines.process import Engine
from tests.engines.oracle import ask
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

_LEAVE_S = 30.0
_BACK_S = 300.0  # a busy machine starts an engine in minutes
_POOL = ThreadPoolExecutor(2, "mishaps")  # starts engines


@dataclass
class World:
    """
    What mishaps befall.

    Args:
        begin_sink: Starts the sink of a number.
        sinks: Those that are to run always.
        blocked: A pattern of indices, the ones that may be blocked.
    """

    setup: Setup
    begin_sink: Callable[[int], SinkProcess]
    sinks: list[SinkProcess]
    blocked: str
    guests: dict[int, SinkProcess] = field(default_factory=dict)
    starting: list[Future[None]] = field(default_factory=list)

    def restart(self, number: int) -> None:
        """
        Start a sink that has ended, as a supervisor does.
        """
        self.sinks[number] = self.begin_sink(number)

    def block(self, value: bool | None) -> None:
        """
        Set the write block of the indices; None takes the setting away.
        """
        path = f"/{self.blocked}/_settings?allow_no_indices=true"
        wait_until(
            lambda: self._is_answered("PUT", path, {"index.blocks.write": value}),
            _BACK_S,
            "Elasticsearch to answer again",
        )

    def _is_answered(self, method: str, path: str, body: object) -> bool:
        try:
            ask(self.setup, method, path, body)
        except OSError:  # it was killed before, and is still starting
            return False
        return True

    def start(self, engine: Engine) -> None:
        """
        Start an engine, while other things happen.
        """
        self.starting.append(_POOL.submit(engine.start))

    def until_started(self) -> None:
        """
        Wait for the engines that were started again.
        """
        for each in self.starting:
            each.result(_BACK_S)
        self.starting.clear()


Deed = Callable[[World, int], object]


@dataclass(frozen=True)
class Mishap:
    """
    Something that happens, and how it is undone.

    Args:
        hits: What it takes away; `{n}` is a sink's number. Two that hit the same never overlap.
        begin: Does it, to the sink of a number if to any.
        end: Undoes it.
        back_s: What it takes away is hit by nothing else for so long afterwards.
        weight: How often it is chosen, beside the others.
    """

    hits: frozenset[str]
    begin: Deed
    end: Deed
    weight: int = 1
    back_s: float = 0.0


def _kill(world: World, number: int) -> None:
    world.sinks[number].kill()


def _terminate(world: World, number: int) -> None:
    world.sinks[number].process.send_signal(signal.SIGTERM)


def _restart(world: World, number: int) -> None:
    _ended(world.sinks[number].process.wait(_LEAVE_S))
    world.restart(number)


def _ended(code: int) -> None:
    """
    Hold that a sink ended as it was told to, or by a signal that came before it knew any.
    """
    assert code in {0, -signal.SIGKILL, -signal.SIGTERM}, f"a sink ended with {code}"


def _signal(which: signal.Signals) -> Deed:
    return lambda world, number: world.sinks[number].process.send_signal(which)


def _guest_joins(world: World, _: int) -> None:
    number = len(world.sinks)
    world.guests[number] = world.begin_sink(number)


def _guest_leaves(world: World, _: int) -> None:
    _ended(world.guests.pop(len(world.sinks)).terminate(_LEAVE_S))


def _guest_dies(world: World, _: int) -> None:
    world.guests.pop(len(world.sinks)).kill()


_SINK = frozenset({"sink {n}"})
_GUEST = frozenset({"another sink"})
_ELASTICSEARCH = frozenset({"Elasticsearch"})
_BROKER = frozenset({"broker"})

MISHAPS: Mapping[str, Mishap] = {
    "kill -9 of sink {n}": Mishap(_SINK, _kill, _restart, weight=5),
    "SIGTERM to sink {n}": Mishap(_SINK, _terminate, _restart, weight=2),
    "sink {n} frozen": Mishap(_SINK, _signal(signal.SIGSTOP), _signal(signal.SIGCONT)),
    "another sink joins, leaves": Mishap(_GUEST, _guest_joins, _guest_leaves, weight=2),
    "another sink joins, kill -9": Mishap(_GUEST, _guest_joins, _guest_dies),
    "Elasticsearch frozen": Mishap(
        _ELASTICSEARCH,
        lambda world, _: world.setup.elasticsearch.freeze(),
        lambda world, _: world.setup.elasticsearch.thaw(),
        weight=2,
    ),
    "Elasticsearch kill -9": Mishap(
        _ELASTICSEARCH,
        lambda world, _: world.setup.elasticsearch.kill(),
        lambda world, _: world.start(world.setup.elasticsearch),
        back_s=10,
    ),
    "broker frozen": Mishap(
        _BROKER,
        lambda world, _: world.setup.kafka.freeze(),
        lambda world, _: world.setup.kafka.thaw(),
        weight=2,
    ),
    "broker kill -9": Mishap(
        _BROKER,
        lambda world, _: world.setup.kafka.kill(),
        lambda world, _: world.start(world.setup.kafka),
        back_s=10,
    ),
    "indices blocked": Mishap(
        # The block is asked of Elasticsearch, so it has to be there.
        frozenset({"Elasticsearch", "indices"}),
        lambda world, _: world.block(True),
        lambda world, _: world.block(None),
        weight=2,
    ),
}


@dataclass(frozen=True)
class Planned:
    """
    A mishap at a time, in seconds since the schedule began.
    """

    at_s: float
    until_s: float
    name: str
    number: int  # of the sink, where it hits one

    def __str__(self) -> str:
        return f"{self.at_s:.1f}-{self.until_s:.1f} {self.told}"

    @property
    def told(self) -> str:
        """
        Say what it is, and to which sink.
        """
        return self.name.format(n=self.number)

    @property
    def free_s(self) -> float:
        """
        Tell when what it takes away may be hit again.
        """
        return self.until_s + MISHAPS[self.name].back_s

    @property
    def hits(self) -> set[str]:
        """
        Give what it takes away.
        """
        return {each.format(n=self.number) for each in MISHAPS[self.name].hits}


def schedule(
    random: Random,
    *,
    through_s: float,
    gap_s: tuple[float, float],
    hold_s: tuple[float, float],
    sinks: Sequence[int],
    already: Sequence[Planned] = (),
) -> list[Planned]:
    """
    Choose mishaps by chance. What overlaps hits different things.

    Args:
        through_s: The last has begun by then.
        gap_s: Least and longest time between two beginnings.
        hold_s: Least and longest time from beginning to end.
        sinks: The numbers of those that may be hit.
        already: What is planned before anything else.
    """
    planned = [*already]
    at_s = random.uniform(*gap_s)
    while at_s < through_s:
        until_s = at_s + random.uniform(*hold_s)
        number = random.choice(sinks)
        chances = {
            name: mishap.weight
            for name, mishap in MISHAPS.items()
            if _is_possible(Planned(at_s, until_s, name, number), planned)
        }
        if chances:
            name = random.choices([*chances], [*chances.values()])[0]
            planned.append(Planned(at_s, until_s, name, number))
        at_s += random.uniform(*gap_s)
    return sorted(planned, key=lambda each: each.at_s)


def _is_possible(new: Planned, planned: list[Planned]) -> bool:
    return not any(_overlap(each, new) and each.hits & new.hits for each in planned)


def _overlap(one: Planned, other: Planned) -> bool:
    return one.at_s <= other.free_s and other.at_s <= one.free_s


def play(world: World, planned: list[Planned]) -> None:
    """
    Do and undo what was planned, in order of time; all is well again at the end.
    """
    began_s = time.monotonic()
    steps = [(each.at_s, MISHAPS[each.name].begin, each.number) for each in planned]
    steps += [(each.until_s, MISHAPS[each.name].end, each.number) for each in planned]
    for at_s, deed, number in sorted(steps, key=lambda step: step[0]):
        wait_until(_passed(began_s + at_s), at_s + 60, "the next mishap")
        deed(world, number)
    world.until_started()


def _passed(moment_s: float) -> Callable[[], bool]:
    return lambda: time.monotonic() >= moment_s
