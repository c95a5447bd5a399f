"""
The topics of letters of a simulation: writing takes its time, and may fail in the midst.
"""

from collections.abc import Callable, Sequence

from sink.core.dead_letter import DeadLetter
from sink.errors import Unavailable
from sink.testing import FakeDeadLetters, FakeParked
from tests.simulation.history import History
from tests.simulation.kafka import SimulatedBroker
from tests.simulation.scheduler import Scheduler

_SLOWEST_S = 0.05

Write = Callable[[Sequence[DeadLetter]], None]


class Way:
    """
    The way of letters to a topic and of the acknowledgement back.
    """

    def __init__(self, name: str, scheduler: Scheduler, history: History) -> None:
        self.cut = 0  # how many of the next writes end in their midst
        self._name = name
        self._scheduler = scheduler
        self._history = history

    def go(self, letters: Sequence[DeadLetter], write: Write) -> None:
        """
        Write letters.

        Raises:
            Unavailable: As the topic says, or what was written was not acknowledged as a whole.
        """
        self._scheduler.wait(self._scheduler.within(0, _SLOWEST_S))
        written = letters
        if self.cut:
            self.cut -= 1
            written = letters[: int(self._scheduler.random.random() * (len(letters) + 1))]
        write(written)
        ids = ", ".join(str(letter.id) for letter in written)
        self._history.note(self._name, "{} of {} written: {}", len(written), len(letters), ids)
        self._scheduler.wait(self._scheduler.within(0, _SLOWEST_S))
        if written is not letters:
            raise Unavailable(f"{self._name}: not all were acknowledged")


class SimulatedDeadLetters(FakeDeadLetters):
    """
    The dead-letter topic.
    """

    def __init__(self, scheduler: Scheduler, history: History) -> None:
        super().__init__()
        self.way = Way("dead letters", scheduler, history)

    def write(self, letters: Sequence[DeadLetter]) -> None:
        self.way.go(letters, super().write)


class SimulatedParked(FakeParked):
    """
    The parked topic.
    """

    def __init__(
        self, broker: SimulatedBroker, topic: str, scheduler: Scheduler, history: History
    ) -> None:
        super().__init__(broker, topic)
        self.way = Way("parked topic", scheduler, history)

    def write(self, letters: Sequence[DeadLetter]) -> None:
        self.way.go(letters, super().write)
