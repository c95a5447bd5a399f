"""
Starts processes that end with this one, whatever thread asks for them.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

_CHILD = Path(__file__).with_name("child.py")
_SPAWN_TIMEOUT_S = 60


class _Order(NamedTuple):
    command: list[str]
    log: Path
    environment: dict[str, str]
    spawned: "Future[subprocess.Popen[bytes]]"


class _Spawner:
    """
    One thread that starts all children and lives as long as the process.

    PR_SET_PDEATHSIG counts the *thread* that started the child as its parent (prctl(2)): an engine
    started from a thread of a pool would be killed when that thread ends.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # held only to start the thread
        self._orders: SimpleQueue[_Order] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def spawn(
        self, command: list[str], log: Path, environment: dict[str, str]
    ) -> "subprocess.Popen[bytes]":
        with self._lock:
            # After a fork the object is still there, its thread is not.
            if self._thread is None or not self._thread.is_alive():
                self._orders = SimpleQueue()
                self._thread = threading.Thread(target=self._serve, name="engines", daemon=True)
                self._thread.start()
        order = _Order(command, log, environment, Future())
        self._orders.put(order)
        return order.spawned.result(_SPAWN_TIMEOUT_S)

    def _serve(self) -> None:
        orders = self._orders
        while True:
            order = orders.get()
            try:
                order.spawned.set_result(_popen(order.command, order.log, order.environment))
            except Exception as failure:
                # Raised where the order came from.
                order.spawned.set_exception(failure)


_SPAWNER = _Spawner()


def spawn(
    command: Sequence[str], log: Path, environment: Mapping[str, str], *, outlive: bool
) -> "subprocess.Popen[bytes]":
    """
    Start a process in a session of its own, so that Ctrl-C in a terminal does not reach it.

    Args:
        log: Its output is appended here; its folder is the process's.
        environment: Variables on top of ours.
        outlive: It goes on when this process ends. Else the kernel kills it then.
    """
    everything = dict(os.environ) | dict(environment)
    if outlive:
        return _popen(list(command), log, everything)
    # -I -S: nothing of a site or of PYTHON* variables can get in the way; 15 ms.
    child = [sys.executable, "-I", "-S", str(_CHILD), str(os.getpid())]
    return _SPAWNER.spawn([*child, *command], log, everything)


def _popen(command: list[str], log: Path, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=log.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
