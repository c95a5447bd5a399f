"""
A stand-in for confluent_kafka.Producer that is told what becomes of its records.
"""

import json
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError, KafkaException


class FakeClient:
    """
    Holds records until it is told to deliver them, or to fail.

    Nothing here waits: a test in which one of its callers waited would not end.
    """

    def __init__(self, properties: dict[str, Any]) -> None:
        self.properties = properties
        self.records: list[tuple[str, bytes]] = []  # in memory
        self.delivered: list[tuple[str, bytes]] = []
        self.refusal: Exception | None = None
        self.reachable = True
        self.when_produced: Callable[[], None] = lambda: None
        self._reports: list[KafkaError | None] = []  # that no poll has told yet

    def produce(self, topic: str, value: bytes) -> None:
        self.when_produced()
        if self.refusal is not None:
            raise self.refusal
        if len(self) >= self.properties["queue.buffering.max.messages"]:
            raise BufferError("Local: Queue full")
        self.records.append((topic, value))

    def poll(self, _timeout_s: float) -> int:
        reports, self._reports = self._reports, []
        for error in reports:
            self.properties["on_delivery"](error, None)
        return len(reports)

    def flush(self, _timeout_s: float) -> int:
        if self.reachable:
            self.deliver()
        self.poll(0)
        return len(self)

    def purge(self) -> None:
        self.fail(KafkaError._PURGE_QUEUE)

    def __len__(self) -> int:
        return len(self.records) + len(self._reports)

    def deliver(self) -> None:
        self.delivered += self.records
        self._report(None)

    def fail(self, code: int) -> None:
        self._report(KafkaError(code))

    def complain(self, reason: str) -> None:
        self.properties["error_cb"](KafkaError(KafkaError._TRANSPORT, reason))

    def _report(self, error: KafkaError | None) -> None:
        self._reports += [error] * len(self.records)
        self.records = []


def too_large() -> Exception:
    """
    Make what librdkafka raises for a record beyond message.max.bytes.
    """
    return KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))


def documents(client: FakeClient) -> list[dict[str, Any]]:
    """
    Read the records in memory.
    """
    return [json.loads(value) for _, value in client.records]


def refuse() -> None:
    """
    Fail as a service would.
    """
    raise ConnectionError("refused")
