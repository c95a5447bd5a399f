"""
Who goes on, and what time it is.
"""

import heapq
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from random import Random

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

# What a turn takes: without it one that never waits would stop the clock for all others.
_TURN_S = 0.000_05
TURNS_MAX = 400_000


class ProcessDied(BaseException):
    """
    The process of a task was killed: no line of it runs any more.
    """


class Group:
    """
    The tasks of one process: they are frozen, and die, together.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.frozen = False
        self.thawed_s = 0.0  # when it was frozen last, the end of it
        self.tasks: list[Task] = []
        self.to_go_on: list[tuple[Task, int]] = []  # once it is not frozen any more


class Task:
    """
    What would be a thread.
    """

    def __init__(self, name: str, group: Group, body: Callable[[], None], hub: greenlet) -> None:
        self.name = name
        self.group = group
        self.waits = 0  # how often it waited: a timer of an earlier wait is void
        self.waiting = False
        self.greenlet = greenlet(body, hub)


class Signal:
    """
    Something that tasks wait for. What is told while nobody waits is not kept.
    """

    def __init__(self, scheduler: "Scheduler") -> None:
        self._scheduler = scheduler
        self._waiting: list[tuple[Task, int]] = []

    def tell(self) -> None:
        """
        Let all go on that wait.
        """
        waiting, self._waiting = self._waiting, []
        for task, wait in waiting:
            self._scheduler.wake(task, wait)

    def wait(self, timeout_s: float | None) -> None:
        """
        Wait until it is told, at most so long.
        """
        task = self._scheduler.current()
        self._waiting.append((task, task.waits + 1))
        self._scheduler.wait(timeout_s)


class Scheduler:
    """
    Runs tasks one at a time, on a clock of its own.

    Args:
        seed: Of the choice who goes on.
    """

    def __init__(self, seed: int) -> None:
        self.now_s = 1000.0
        self.random = Random(seed)
        self.turns = 0
        self._hub = getcurrent()
        self._ready: list[tuple[Task, int]] = []
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._current: Task | None = None

    def clock(self) -> float:
        """
        Tell the time, in seconds. It stands for `time.monotonic`.
        """
        return self.now_s

    def current(self) -> Task:
        """
        Give the task that runs.
        """
        assert self._current is not None, "only a task may wait"
        return self._current

    def spawn(self, name: str, group: Group, body: Callable[[], None]) -> Task:
        """
        Begin a task of a process, unless that is dying.
        """
        task = Task(name, group, body, self._hub)
        if not group.dead:
            group.tasks.append(task)
            task.waiting = True
            self._ready.append((task, 0))
        return task

    def at(self, time_s: float, act: Callable[[], None]) -> None:
        """
        Do something that belongs to no process, at a time.
        """
        heapq.heappush(self._timers, (time_s, next(self._numbers), act))

    def within(self, from_s: float, until_s: float) -> float:
        """
        Choose a length of time.
        """
        return from_s + (until_s - from_s) * self.random.random()

    def pause(self) -> None:
        """
        Let others go first, where a thread could be interrupted.
        """
        task = self.current()
        if not (self._ready or task.group.dead or self._timer_is_due()):
            self.now_s += _TURN_S
            return
        self._ready.append((task, task.waits + 1))
        self.wait(None)

    def wait(self, timeout_s: float | None) -> None:
        """
        Wait to be woken, at most so long.

        Raises:
            ProcessDied: It was killed.
        """
        task = self.current()
        if task.group.dead:
            raise ProcessDied
        task.waits += 1
        task.waiting = True
        if timeout_s is not None:
            wait = task.waits
            self.at(self.now_s + max(0.0, timeout_s), lambda: self.wake(task, wait))
        self._hub.switch()

    def wake(self, task: Task, wait: int) -> None:
        """
        Let a task go on, if it is in that wait still.
        """
        if task.waiting and task.waits == wait:
            self._ready.append((task, wait))

    def run_for(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """
        Let all go on for a time, or until something is true.
        """
        end_s = self.now_s + seconds
        while self.now_s < end_s and not until():
            self._let_timers_act()
            if self._ready:
                self._turn()
            else:
                next_s = self._timers[0][0] if self._timers else end_s
                self.now_s = min(max(next_s, self.now_s), end_s)

    def thaw(self, group: Group) -> None:
        """
        Let the tasks of a process go on that was frozen.
        """
        group.frozen, group.thawed_s = False, self.now_s
        self._ready += group.to_go_on
        group.to_go_on.clear()

    def kill(self, group: Group) -> None:
        """
        End all tasks of a process where they are.
        """
        group.dead = True
        for task in group.tasks:
            if task.greenlet:  # it began, and has not ended
                self._current = task
                with suppress(ProcessDied):
                    task.greenlet.throw(ProcessDied)
            task.waiting = False
        group.tasks.clear()
        self._current = None

    def _let_timers_act(self) -> None:
        while self._timer_is_due():
            heapq.heappop(self._timers)[2]()

    def _timer_is_due(self) -> bool:
        return bool(self._timers) and self._timers[0][0] <= self.now_s

    def _turn(self) -> None:
        self.turns += 1
        assert self.turns < TURNS_MAX, "it runs in circles"
        ready = self._ready
        chosen = int(self.random.random() * len(ready))
        ready[chosen], ready[-1] = ready[-1], ready[chosen]
        task, wait = ready.pop()
        if not task.waiting or task.waits != wait:
            return
        if task.group.frozen:
            task.group.to_go_on.append((task, wait))
            return
        task.waiting = False
        self.now_s += _TURN_S
        self._current = task
        task.greenlet.switch()
        self._current = None
