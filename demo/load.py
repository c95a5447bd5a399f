"""
Produces the records of the demo at a steady rate.
"""

from collections import Counter

from confluent_kafka import KafkaError, Message, Producer

from demo import samples
from demo.errors import DemoError

_FLUSH_S = 30.0


class Load:
    """
    A producer and what Kafka has acknowledged of it. Used by one thread.

    Args:
        servers: host:port.
        rate: Records a second.
    """

    def __init__(self, servers: str, rate: int) -> None:
        self.produced: Counter[str] = Counter()  # topic → acknowledged records
        self._rate = rate
        self._records = samples.records()
        self._sent = 0
        self._failures: list[str] = []
        self._producer = Producer({"bootstrap.servers": servers, "linger.ms": 20})

    def produce_until(self, elapsed_s: float) -> None:
        """
        Send what is due so long after the begin.
        """
        while self._sent < self._rate * elapsed_s:
            topic, value = next(self._records)
            self._send(topic, value)
            self._sent += 1
        self._producer.poll(0)

    def close(self) -> None:
        """
        Wait until Kafka has everything.

        Raises:
            DemoError: It refused some, or has not acknowledged them in time.
        """
        unsent = self._producer.flush(_FLUSH_S)
        if unsent or self._failures:
            reasons = "; ".join(sorted(set(self._failures))) or f"no answer within {_FLUSH_S:g} s"
            raise DemoError(
                f"{unsent + len(self._failures)} records could not be produced: {reasons}"
            )

    def _send(self, topic: str, value: bytes | None) -> None:
        while True:
            try:
                self._producer.produce(topic, value, on_delivery=self._delivered)
            except BufferError:  # its queue is full: make room
                self._producer.poll(0.1)
            else:
                return

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.produced[message.topic() or ""] += 1
        else:
            self._failures.append(str(error))
