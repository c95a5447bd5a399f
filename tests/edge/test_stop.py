"""
The operator's wish to stop: obeyed by the deadline, and at once when it comes twice.
"""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
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


_TAKE_TERMINAL = """
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
"""
_OUTLIVE_TERMINAL = """
import signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
"""


@contextmanager
def _process(
    timeout_ms: int, behaviour: str, *, program: str = _PROGRAM, stdin: int = subprocess.DEVNULL
) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(timeout_ms), behaviour],
        stdin=stdin,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # without a terminal
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


def test_a_service_does_not_end_by_the_signal_that_means_reload() -> None:
    with _process(30_000, "obeys") as process:
        _hangs_up_in_vain(process)


def test_what_is_to_outlive_its_terminal_does() -> None:
    """
    nohup ignores the signal, but a blocked one is delivered to who waits for it all the same.
    """
    terminal, its_end = pty.openpty()
    program = _TAKE_TERMINAL + _OUTLIVE_TERMINAL + _PROGRAM
    with _process(30_000, "obeys", program=program, stdin=its_end) as process:
        os.close(its_end)
        os.close(terminal)
        _hangs_up_in_vain(process)


def _hangs_up_in_vain(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGHUP)
    assert process.stdout is not None
    assert "SIGHUP is ignored" in process.stdout.readline()

    process.send_signal(signal.SIGTERM)
    said = process.stdout.read()
    assert said.endswith("stopping\n")
    assert process.wait(20) == 0


def test_a_terminal_that_closes_asks_to_stop() -> None:
    terminal, its_end = pty.openpty()
    with _process(30_000, "obeys", program=_TAKE_TERMINAL + _PROGRAM, stdin=its_end) as process:
        os.close(its_end)
        os.close(terminal)

        assert process.wait(20) == 0


@pytest.fixture
def stop() -> Stop:
    return Stop(8000)


def test_before_it_is_asked_nothing_is_over(stop: Stop) -> None:
    assert not stop.requested()
    assert not stop.expired()
    assert not stop.wait(0)
    assert stop.remaining_s() == float("inf")


def test_once_asked_everybody_knows(stop: Stop) -> None:
    stop.request()

    assert stop.requested()
    assert stop.wait(0)
    assert not stop.expired()
    assert 0 < stop.remaining_s() <= 8


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
