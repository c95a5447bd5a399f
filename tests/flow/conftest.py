"""
What makes the flow tests quick: short idle waits, bulks at once, plain tracebacks.
"""

import sys
from collections.abc import Iterator, Mapping, MutableMapping

import pytest
import structlog

import sink.core.concurrency
import sink.reading.intake


@pytest.fixture(autouse=True)
def a_short_idle_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink.reading.intake, "_IDLE_S", 0.01)


@pytest.fixture(autouse=True)
def many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Let as many bulks be under way as a test allows, at once: its few answers would teach little.
    """
    monkeypatch.setattr(sink.core.concurrency, "_BEGIN", 4)


# What no Kafka and no Elasticsearch makes happen: only the sink itself can be wrong.
_BUGS = (AssertionError, AttributeError, LookupError, NameError, TypeError)


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """
    Make logs readable, and fail a test in which the sink logged an error of its own.

    Bulks are sent again and consumers built anew after one, and ids make that harmless: nothing
    else would show it.
    """
    bugs: list[str] = []

    def note(_: object, __: str, event: MutableMapping[str, object]) -> Mapping[str, object]:
        error = sys.exc_info()[1]
        if event.get("exc_info") and isinstance(error, _BUGS):
            bugs.append(f"{event['event']}: {error!r}")
        return event

    before = structlog.get_config()
    structlog.configure(
        processors=[
            note,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ]
    )
    yield
    structlog.configure(**before)
    assert bugs == []
