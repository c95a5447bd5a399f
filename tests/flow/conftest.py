"""
What makes the flow tests quick: short idle waits, and tracebacks without colours and locals.
"""

from collections.abc import Iterator

import pytest
import structlog

import sink.reading.intake


@pytest.fixture(autouse=True)
def a_short_idle_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink.reading.intake, "_IDLE_S", 0.01)


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(
        processors=[
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ]
    )
    yield
    structlog.configure(**before)
