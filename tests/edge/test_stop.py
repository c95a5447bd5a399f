"""
The operator's wish to stop: obeyed by the deadline, and at once when it comes twice.
"""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from sink.stop import EXIT_FORCED, Stop
from tests.waiting import wait_until

# A process that obeys, or one that hangs in what cannot be interrupted.
_PROGRAM = """
import signal, sys, threading
from sink.stop import Stop
stop = Stop(int(sys.argv[1]))
stop.on_signals()
print("ready", flush=True)
while not stop.wait(0.1):
    pass
print("stopping", flush=True)
if sys.argv[2] == "hangs":
    threading.Event().wait(60)
"""


@contextmanager
def _process(timeout_ms: int, behaviour: str) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(timeout_ms), behaviour],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("wish", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_to_stop(wish: signal.Signals) -> None:
    with _process(30_000, "obeys") as process:
        process.send_signal(wish)

        assert process.wait(20) == 0


def test_what_hangs_is_ended_by_the_deadline_and_that_is_no_failure() -> None:
    with _process(200, "hangs") as process:
        process.send_signal(signal.SIGTERM)

        assert process.wait(20) == 0


def test_a_second_signal_ends_it_at_once() -> None:
    with _process(50_000, "hangs") as process:

        def wished_again() -> bool:
            process.send_signal(signal.SIGTERM)
            return process.poll() is not None

        wait_until(wished_again, 20, "the second signal to end it")
        assert process.returncode == EXIT_FORCED


def test_one_wish_that_arrives_twice_is_one() -> None:
    """
    A shell sends Ctrl-C to the process and to its group.
    """
    with _process(1000, "hangs") as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)

        assert process.wait(20) == 0


class _NoTimer:
    """Stands for the watchdog, which would end the tests."""

    made: "list[tuple[float, Callable[..., object]]]"

    def __init__(self, interval: float, function: Callable[..., object], _: object) -> None:
        self.daemon = False
        type(self).made.append((interval, function))

    def start(self) -> None: ...


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Stop:
    _NoTimer.made = []
    monkeypatch.setattr(threading, "Timer", _NoTimer)
    return Stop(8000)


def test_before_it_is_asked_nothing_is_over(stop: Stop) -> None:
    assert not stop.requested()
    assert not stop.expired()
    assert not stop.wait(0)
    assert stop.remaining_s() == float("inf")


def test_once_asked_everybody_knows_and_the_watchdog_is_set_behind_the_deadline(
    stop: Stop,
) -> None:
    stop.request()

    assert stop.requested()
    assert stop.wait(0)
    assert not stop.expired()
    assert 0 < stop.remaining_s() <= 8
    ((interval, _),) = _NoTimer.made
    assert interval >= 8


def test_work_in_flight_is_given_up_before_the_deadline_so_that_commits_have_time(
    stop: Stop,
) -> None:
    stop.request()
    stop._deadline -= 7.5

    assert stop.expired()
    assert stop.remaining_s() > 0


def test_no_time_remains_after_the_deadline(stop: Stop) -> None:
    stop.request()
    stop._deadline -= 100

    assert stop.remaining_s() == 0
