"""
An event loop that waits on the clock of a scheduler, and has no sockets.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tests.simulation.scheduler import Group, Scheduler, Signal

Value = TypeVar("Value")


class _Selector:
    """
    What the loop asks for events: it waits until something is to be done.
    """

    def __init__(self, scheduler: Scheduler, group: Group) -> None:
        self.woken = Signal(scheduler)
        self._scheduler = scheduler
        self._group = group
        self._told = False

    def tell(self) -> None:
        self._told = True
        self.woken.tell()

    def select(self, timeout_s: float | None) -> list[Any]:
        """
        Wait. Another loop of the same thread may run meanwhile.
        """
        if self._group.dead:
            assert timeout_s is not None, "a task waits although it was cancelled"
            return []
        running = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        try:
            if self._told or timeout_s == 0:
                self._scheduler.pause()
            else:
                self.woken.wait(timeout_s)
        finally:
            self._told = False
            asyncio._set_running_loop(running)
        return []


class SimulatedLoop(asyncio.BaseEventLoop):
    """
    The loop of a simulated process.
    """

    def __init__(self, scheduler: Scheduler, group: Group) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._group = group
        self._selector = _Selector(scheduler, group)
        self._letters: list[Callable[[], None]] = []  # what the one thread of letters still does
        self._writes = False

    def time(self) -> float:
        return self._scheduler.now_s

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., Value], *args: Any
    ) -> "asyncio.Future[Value]":
        """
        Run something on the one thread that there is besides, one after the other.
        """
        future: asyncio.Future[Value] = self.create_future()
        self._letters.append(lambda: self._answer(future, func, args))
        if not self._writes:
            self._writes = True
            self._scheduler.spawn("letters", self._group, self._write_letters)
        return future

    def _write_letters(self) -> None:
        while self._letters:
            self._letters.pop(0)()
        self._writes = False

    def _answer(
        self, future: "asyncio.Future[Value]", func: Callable[..., Value], args: Sequence[Any]
    ) -> None:
        try:
            answer = func(*args)
        except Exception as failure:
            self.call_soon_threadsafe(_tell, future, future.set_exception, failure)
        else:
            self.call_soon_threadsafe(_tell, future, future.set_result, answer)

    def _process_events(self, event_list: Sequence[Any]) -> None:
        """
        There are none.
        """

    def _write_to_self(self) -> None:
        self._selector.tell()


def _tell(future: "asyncio.Future[Any]", tell: Callable[[Any], None], what: object) -> None:
    if not future.done():
        tell(what)
