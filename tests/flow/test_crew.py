"""
Where the system gives no threads: said at the start, waited for while it runs.
"""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sink.edge import threads
from sink.errors import Unavailable
from sink.reading import identities
from sink.reading.crew import Crew
from sink.stop import Stop
from tests.waiting import wait_until

if TYPE_CHECKING:
    from sink.core.ledger import Account

# A system that gives no thread of one name.
_PROGRAM = """
import sys, threading
name = sys.argv[1]
start = threading.Thread.start
def refused(thread):
    if thread.name == name:
        raise RuntimeError("can't start new thread")
    start(thread)
threading.Thread.start = refused
sys.argv = ["sink", "run"]
from sink.cli import main
main()
"""
_CONFIG = """
[kafka]
bootstrap_servers = "127.0.0.1:1"
[elasticsearch]
hosts = ["http://127.0.0.1:1"]
[status]
port = 0
[[routes]]
name = "a"
prefix = "a-"
"""


@pytest.mark.parametrize("name", ["signals", "loop", "status"])
@pytest.mark.usefixtures("empty_folder")
def test_without_the_threads_it_begins_with_it_says_so_and_exits_with_1(name: str) -> None:
    Path("sink.toml").write_text(_CONFIG)

    command = [sys.executable, "-c", _PROGRAM, name]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)

    assert ran.returncode == 1
    assert f"sink: thread {name}: can't start new thread; raise what limits threads" in ran.stderr
    assert "Traceback" not in ran.stderr


class _Worker:
    """Runs until it is told to end, and counts how often it ran."""

    def __init__(self) -> None:
        self.account: Account = {}
        self.runs = 0
        self.end = threading.Event()

    def run(self) -> None:
        self.runs += 1
        self.end.wait(20)


class _System:
    """Gives so many threads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 0
        self._start = threads.start
        monkeypatch.setattr(threads, "start", self.start)

    def start(self, run: Callable[[], object], name: str) -> threading.Thread:
        if not self.left:
            raise Unavailable(f"thread {name}: can't start new thread")
        self.left -= 1
        return self._start(run, name)


@pytest.fixture
def workers() -> Iterator[list[_Worker]]:
    workers = [_Worker(), _Worker()]
    yield workers
    for worker in workers:
        worker.end.set()


def test_workers_that_got_no_thread_get_one_when_there_is_one(
    monkeypatch: pytest.MonkeyPatch, workers: list[_Worker]
) -> None:
    system = _System(monkeypatch)
    crew = Crew(workers, Stop(1000, 2))  # type: ignore[arg-type]
    system.left = 1

    for _ in range(3):
        with pytest.raises(Unavailable, match="worker-1: can't start"):
            crew.ensure()
    wait_until(lambda: [w.runs for w in workers] == [1, 0], 10, "the first to run, once")

    system.left = 5
    assert crew.ensure() == 2
    assert crew.ensure() == 2
    wait_until(lambda: [w.runs for w in workers] == [1, 1], 10, "both to run, once")


def test_a_question_for_topic_ids_that_gets_no_thread_is_asked_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    It is asked beside the worker: no reason to build a new consumer.
    """
    monkeypatch.setattr(identities, "_EVERY_S", 0.0)
    system = _System(monkeypatch)
    asking = identities.Identities(lambda topics: dict.fromkeys(topics, "id"))

    asking.ask(lambda: {"a"})
    assert asking.answer() == {}

    system.left = 1
    asking.ask(lambda: {"a"})
    assert wait_until(asking.answer, 10, "the answer") == {"a": "id"}


def test_which_topics_are_held_is_found_out_only_when_it_is_time_to_ask() -> None:
    """
    It goes through all partitions, and the worker calls this every second.
    """
    asking = identities.Identities(lambda topics: dict.fromkeys(topics, "id"))
    looked: list[int] = []

    def held() -> set[str]:
        looked.append(1)
        return {"a"}

    asking.ask(held)
    wait_until(asking.answer, 10, "the answer")
    asking.ask(held)

    assert looked == [1]


def test_a_worker_whose_thread_ended_is_run_again_unless_it_is_to_stop(
    workers: list[_Worker],
) -> None:
    stop = Stop(1000, 2)
    crew = Crew(workers, stop)  # type: ignore[arg-type]
    crew.ensure()
    workers[0].end.set()

    wait_until(lambda: crew.ensure() and workers[0].runs > 1, 10, "it to run again")

    assert workers[1].runs == 1


def test_at_the_stop_nobody_waits_for_a_worker_that_never_ran(
    monkeypatch: pytest.MonkeyPatch, workers: list[_Worker]
) -> None:
    system = _System(monkeypatch)
    stop = Stop(60_000, 2)

    def leave() -> None:
        stop.wait(20)
        stop.leave_together()

    workers[0].run = leave  # type: ignore[method-assign]
    crew = Crew(workers, stop)  # type: ignore[arg-type]
    system.left = 1
    with pytest.raises(Unavailable):
        crew.ensure()

    stop.request()
    crew.join()

    assert not crew._threads[0].is_alive()
