"""
What blocks a thread, on the clock of a scheduler.
"""

import threading
from collections.abc import Callable

from sink.core.bulk import Bulk
from sink.edge.handoff import Handoff, Settlement
from sink.stop import Stop
from tests.simulation.scheduler import Scheduler, Signal


class VirtualCondition(threading.Condition):
    """
    A condition. Nobody is interrupted while it is held, so there is nothing to lock.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._signal = Signal(scheduler)

    def __enter__(self) -> bool:
        return True

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self, timeout: float | None = None) -> bool:
        self._signal.wait(timeout)
        return True

    def notify_all(self) -> None:
        self._signal.tell()


class VirtualEvent(threading.Event):
    """
    An event that tasks wait for.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._signal = Signal(scheduler)

    def set(self) -> None:
        super().set()
        self._signal.tell()

    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_set():
            self._signal.wait(timeout)
        return self.is_set()


class SimulatedStop(Stop):
    """
    The wish to stop a simulated process.
    """

    def __init__(self, scheduler: Scheduler, timeout_ms: int, workers: int) -> None:
        super().__init__(timeout_ms, workers)
        self._event = VirtualEvent(scheduler)
        self._clock = scheduler.clock
        self._all_here = Signal(scheduler)
        self._missing = workers
        self._somebody_left = False

    def request(self) -> None:
        self._deadline = self._clock() + self._timeout_s
        self._event.set()

    def leave_together(self) -> None:
        self._missing -= 1
        if self._missing and not self._somebody_left:
            self._all_here.wait(max(0.0, self.remaining_s() - 1.0))
        self._all_here.tell()

    def left(self) -> None:
        self._somebody_left = True
        self._all_here.tell()


class SimulatedHandoff(Handoff):
    """
    The handoff of a simulated process: threads may be interrupted wherever they use it.
    """

    def __init__(
        self, scheduler: Scheduler, workers: int, places: int, bytes_max: int, aside_bytes_max: int
    ) -> None:
        super().__init__(workers, places, bytes_max, aside_bytes_max)
        self._scheduler = scheduler
        self._settled_some = [Signal(scheduler) for _ in range(workers)]

    def offer(self, bulk: Bulk) -> bool:
        self._scheduler.pause()
        return super().offer(bulk)

    def settled(self, worker: int, timeout_s: float = 0) -> list[Settlement]:
        if timeout_s > 0 and self._settled[worker].empty():
            self._settled_some[worker].wait(timeout_s)
        else:
            self._scheduler.pause()
        return super().settled(worker)

    def settle(self, bulk: Bulk, *told: object) -> None:
        super().settle(bulk, *told)  # type: ignore[arg-type]
        self._settled_some[bulk.worker].tell()

    def finish(self, part: Bulk, *told: object) -> None:
        super().finish(part, *told)  # type: ignore[arg-type]
        self._settled_some[part.worker].tell()


class SimulatedThread:
    """
    Stands for `threading.Thread`, of the process whose task begins it.
    """

    scheduler: Scheduler  # of the schedule that runs

    def __init__(self, *, target: Callable[[], object], name: str, daemon: bool) -> None:
        self._target = target
        self._name = name
        self._alive = False
        assert daemon

    def start(self) -> None:
        self._alive = True
        self.scheduler.spawn(self._name, self.scheduler.current().group, self._run)

    def is_alive(self) -> bool:
        return self._alive

    def _run(self) -> None:
        self.scheduler.wait(self.scheduler.within(0, 0.1))
        self._target()
        self._alive = False
