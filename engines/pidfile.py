"""
Which process runs on a data directory: noted at start, found and ended by whoever asks later.

A pid alone proves nothing: its process may be dead and the number another's by now. So the engine's
command line carries its data directory, and only a process that has it is ours.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from engines.errors import EngineError

STOP_TIMEOUT_S = 30.0
_KILL_TIMEOUT_S = 10.0
_POLL_S = 0.02
_NAME = "engine.json"


@dataclass(frozen=True)
class Running:
    """
    A process on a data directory.
    """

    engine: str  # "kafka" or "elasticsearch"
    pid: int
    address: str  # as clients want it: host:port or URL


def marker(data_dir: Path) -> str:
    """
    Make the argument by which a process is known as the engine of a data directory.

    Args:
        data_dir: Absolute, links resolved.
    """
    return f"-Dengine.data={data_dir}"


def write(data_dir: Path, running: Running) -> None:
    """
    Note the process. The file is whole or the old one.
    """
    aside = data_dir / f".{_NAME}"
    aside.write_text(json.dumps(asdict(running)) + "\n")
    aside.replace(data_dir / _NAME)


def find(data_dir: Path) -> Running | None:
    """
    Find the live process of a data directory. A file that a dead one left is passed over.

    Raises:
        EngineError: The file is not one of ours.
    """
    path = data_dir / _NAME
    try:
        running = Running(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as failure:
        raise EngineError(
            f"{path} cannot be read ({failure}): end the engine of that folder, if it runs, "
            "by its pid, and delete the file"
        ) from failure
    return running if _is_engine(data_dir, running.pid) else None


def _is_engine(data_dir: Path, pid: int) -> bool:
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return os.fsencode(marker(data_dir)) in arguments  # a zombie has no arguments


def send(pid: int, number: signal.Signals) -> None:
    """
    Send a signal. Nothing when the process has just ended.
    """
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def stop(data_dir: Path, timeout_s: float = STOP_TIMEOUT_S) -> bool:
    """
    End the engine in order, and kill it when it has not ended in time. Nothing when none runs.

    Returns:
        False when it had to be killed.
    """
    if running := find(data_dir):
        send(running.pid, signal.SIGCONT)  # a frozen one would not hear the next
        send(running.pid, signal.SIGTERM)
        if not _wait(lambda: _ended(running.pid), timeout_s):
            kill(data_dir)
            return False
    (data_dir / _NAME).unlink(missing_ok=True)
    return True


def kill(data_dir: Path) -> None:
    """
    Kill the engine. Nothing when none runs.

    Raises:
        EngineError: It lives on.
    """
    if running := find(data_dir):
        send(running.pid, signal.SIGKILL)
        if not _wait(lambda: _ended(running.pid), _KILL_TIMEOUT_S):
            raise EngineError(f"{running.engine} (pid {running.pid}) does not end on SIGKILL")
    (data_dir / _NAME).unlink(missing_ok=True)


def freeze(data_dir: Path) -> None:
    """
    Stop the engine in its tracks (SIGSTOP): connections stay open, nothing answers.

    Raises:
        EngineError: None runs there, or it goes on.
    """
    running = find(data_dir)
    if running is None:
        raise EngineError(f"nothing runs on {data_dir}: start it first")
    send(running.pid, signal.SIGSTOP)
    # The thread that gets the signal stops the others once it has a processor: on a busy machine
    # they answer on for a while.
    if not _wait(lambda: _is_frozen(running.pid), _KILL_TIMEOUT_S):
        raise EngineError(f"{running.engine} (pid {running.pid}) goes on after SIGSTOP")


def _is_frozen(pid: int) -> bool:
    """
    Tell whether no thread runs on. One that has just ended is passed over.
    """
    states = set()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            states.add((thread / "stat").read_text().rpartition(")")[2].split()[0])
    return states <= {"T"}


def _ended(pid: int) -> bool:
    """
    Tell whether all threads are gone: only then are its ports and file locks free.
    """
    process = Path(f"/proc/{pid}")
    try:
        threads = list((process / "task").iterdir())
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z" and len(threads) == 1  # not yet waited for by its parent


def _wait(condition: Callable[[], bool], timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
