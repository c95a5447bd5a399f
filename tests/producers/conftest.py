"""
Producers of applications without a Kafka.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from sink.producer import sender
from tests.producers.client import FakeClient


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[FakeClient]]:
    """
    Put a fake in the place of librdkafka.

    Yields:
        The clients that producers of the test made, in order.
    """
    made: list[FakeClient] = []

    def make(properties: dict[str, Any]) -> FakeClient:
        made.append(FakeClient(properties))
        return made[-1]

    monkeypatch.setattr(sender, "Client", make)
    yield made
    for producer in list(sender._PRODUCERS):
        producer.close()
