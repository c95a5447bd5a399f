"""
The next period's indices are there before it begins; where they cannot be, nothing else changes.
"""

import asyncio
from collections.abc import Callable

import pytest
import structlog

from sink.core.series import Series
from sink.errors import Unauthorized, Unavailable
from sink.testing import FakeElastic, FakeIndices
from sink.writing.ahead import Ahead

HOUR = 3_600_000
END = 100 * HOUR


def _series(name: str = "a", until_ms: int = END) -> Series:
    return Series("r", (name,), "o", None, until_ms - 24 * HOUR, until_ms, f"{name}-next")


class Scene:
    """An `Ahead` whose clock a test moves, and what its tasks do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failure: Exception | None = None) -> None:
        self.now_s = (END - 2 * HOUR) / 1000
        self.indices = FakeIndices(FakeElastic(), failure)
        self.ahead = Ahead(self.indices, lambda: self.now_s)
        self.attempts_s: list[float] = []

        real = asyncio.sleep

        async def sleep(seconds: float) -> None:
            self.now_s += seconds
            await real(0)

        monkeypatch.setattr("sink.writing.ahead.asyncio.sleep", sleep)

    def run(self, work: Callable[[], None]) -> None:
        async def inner() -> None:
            async with asyncio.TaskGroup() as group:
                self.ahead.tend(group)
                work()

        asyncio.run(inner())


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


def test_the_next_index_is_made_when_it_is_due(scene: Scene) -> None:
    scene.run(lambda: scene.ahead.note(_series()))

    assert scene.indices.created == ["a-next"]
    due_s = _series().due_ms() / 1000
    assert due_s <= scene.now_s < due_s + 60


def test_an_index_is_made_once_however_often_it_is_written(scene: Scene) -> None:
    def write() -> None:
        for _ in range(5):
            scene.ahead.note(_series())

    scene.run(write)

    assert scene.indices.created == ["a-next"]


@pytest.mark.parametrize("until_ms", [END - 3 * HOUR, END + 48 * HOUR])
def test_what_is_written_into_another_period_is_no_reason(scene: Scene, until_ms: int) -> None:
    """Late records, and those of a producer whose clock is fast."""
    scene.run(lambda: scene.ahead.note(_series(until_ms=until_ms)))

    assert scene.indices.created == []


def test_one_that_is_there_already_is_left_as_it_is(scene: Scene) -> None:
    """Another process made it."""
    scene.indices._elastic.indices["a-next"] = {"id": b"{}"}

    with structlog.testing.capture_logs() as logs:
        scene.run(lambda: scene.ahead.note(_series()))

    assert (scene.indices.created, logs) == ([], [])


def test_a_failure_is_told_once_and_tried_again_until_the_period_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene(monkeypatch, Unavailable("no master"))

    with structlog.testing.capture_logs() as logs:
        scene.run(lambda: scene.ahead.note(_series()))

    assert [each["event"] for each in logs] == ["index not made ahead of time"]
    assert END <= scene.now_s * 1000 < END + 60_000


def test_a_bug_ends_the_task_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The group's other tasks see bulks through."""
    scene = Scene(monkeypatch, ValueError("unforeseen"))

    with structlog.testing.capture_logs() as logs:
        scene.run(lambda: scene.ahead.note(_series()))

    assert [each["log_level"] for each in logs] == ["error"]


def test_without_the_privilege_it_says_so_once_and_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, Unauthorized("create_index"))

    def write() -> None:
        for name in "abc":
            scene.ahead.note(_series(name))

    with structlog.testing.capture_logs() as logs:
        scene.run(write)

    assert [each["remedy"][:18] for each in logs] == ["grant create_index"]
