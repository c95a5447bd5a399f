"""
A dead-letter topic and a parked topic in memory.
"""

from collections.abc import Sequence

from sink.core.dead_letter import DeadLetter
from sink.errors import Unavailable
from sink.testing.broker import FakeBroker


class FakeDeadLetters:
    """
    Keeps what is written to it. Any thread may tell it to fail.
    """

    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []
        self.attempts = 0
        self._down = False

    def down(self) -> None:
        """
        Acknowledge nothing from now on.
        """
        self._down = True

    def up(self) -> None:
        """
        Acknowledge again.
        """
        self._down = False

    def write(self, letters: Sequence[DeadLetter]) -> None:
        """
        Write dead letters, with their headers made, as on the way to Kafka.

        Raises:
            Unavailable: It was told to be down.
        """
        self.attempts += 1
        if self._down:
            raise Unavailable("dead-letter topic: it was told not to acknowledge")
        for letter in letters:
            letter.headers({})
        self.letters += letters


class FakeParked(FakeDeadLetters):
    """
    Keeps what is written to it in a topic of a broker, from where it is read again.
    """

    def __init__(self, broker: FakeBroker, topic: str) -> None:
        super().__init__()
        self._broker = broker
        self._topic = topic

    def write(self, letters: Sequence[DeadLetter]) -> None:
        """
        Write letters.

        Raises:
            Unavailable: It was told to be down.
        """
        super().write(letters)
        for letter in letters:
            record = letter.record
            value = record.value()
            raw = value.encode() if isinstance(value, str) else value
            self._broker.produce(
                self._topic, raw, key=record.key(), headers=letter.headers({}), timestamp_ms=1
            )
