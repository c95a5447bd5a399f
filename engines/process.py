"""
What all engines share: start and wait until ready, stop, kill, freeze, thaw.
"""

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import ClassVar, Self

from engines import pidfile
from engines.errors import EngineError
from engines.ports import HOST, free_ports, taken
from engines.spawn import spawn

_REAP_TIMEOUT_S = 10.0
_POLL_S = 0.02

Setting = str | int | bool


@dataclass(eq=False)
class Engine(ABC):
    """
    A server process on loopback with its data directory. A context manager: starts, and stops.

    It can be started again on the same data and port after `stop` or `kill`. One thread at a time
    may call its methods.

    Args:
        data_dir: Made when missing. Holds the data, the log and the configuration.
        port: 0 chooses a free one, which stays the same for this object.
        heap: As Java writes it, such as 512m.
        settings: On top of ours and over them.
        fast_start: Cheap JIT and garbage collector: half the CPU at start, less throughput after.
        outlive: It goes on when this process ends. Else the kernel kills it then.
        timeout_s: The longest wait for it to be ready.
    """

    name: ClassVar[str]
    _FAST_START: ClassVar[list[str]] = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]

    data_dir: Path | str
    _: KW_ONLY
    port: int = 0
    version: str = ""
    heap: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    fast_start: bool = False
    outlive: bool = False
    timeout_s: float = 120.0
    _second_port: int = field(default=0, init=False)
    _child: "subprocess.Popen[bytes] | None" = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        # The engine has its own working folder, so a relative path would mean another one to it.
        self.folder = Path(self.data_dir).resolve()
        first, self._second_port = free_ports(2)
        self.port = self.port or first

    @property
    def log(self) -> Path:
        """
        All that the process has said, of all its starts.
        """
        return self.folder / "engine.log"

    @property
    @abstractmethod
    def address(self) -> str:
        """
        Where clients find it: host:port or URL.
        """

    @abstractmethod
    def fetch(self) -> Path:
        """
        Have its files in the cache.

        Returns:
            Their folder.
        Raises:
            EngineError: A tool is missing, or Maven Central does not give them.
        """

    @abstractmethod
    def _prepare(self, home: Path) -> tuple[list[str], dict[str, str]]:
        """
        Write the configuration; answer the command and its environment.
        """

    @abstractmethod
    def _ready(self, said: bytes) -> bool:
        """
        Tell whether it serves requests, from what it said since this start, or otherwise.
        """

    def start(self) -> None:
        """
        Start it and wait until it serves requests.

        Raises:
            EngineError: It runs already, its port is taken, it ended, or was not ready in time.
        """
        home = self.fetch()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._refuse_a_second()
        command, environment = self._prepare(home)
        before = self.log.stat().st_size if self.log.exists() else 0
        self._child = spawn(command, self.log, environment, outlive=self.outlive)
        pidfile.write(self.folder, pidfile.Running(self.name, self._child.pid, self.address))
        try:
            self._await_ready(before)
        except BaseException:
            self.kill()
            raise

    def _jvm_flags(self) -> list[str]:
        flags = [f"-Xmx{self.heap}", pidfile.marker(self.folder)]
        # Native libraries are unpacked there; after a kill they would stay in /tmp for ever.
        flags.append(f"-Djava.io.tmpdir={self.folder / 'tmp'}")
        return flags + (self._FAST_START if self.fast_start else [])

    def _refuse_a_second(self) -> None:
        if running := pidfile.find(self.folder):
            raise EngineError(
                f"{running.engine} runs already on {self.folder} (pid {running.pid}): "
                f"stop it first, python -m engines stop --data {self.folder}"
            )
        for port in (self.port, self._second_port):
            if taken(port):
                raise EngineError(
                    f"{self.name} cannot listen on {HOST}:{port}, something else does: "
                    "end that, or choose another port"
                )

    def _await_ready(self, before: int) -> None:
        child = self._child
        assert child is not None
        deadline = time.monotonic() + self.timeout_s
        while not self._ready(self._said(before)):
            if child.poll() is not None:
                raise EngineError(
                    f"{self.name} ended with {child.returncode} at its start{self._end_of_log()}"
                )
            if time.monotonic() > deadline:
                raise EngineError(
                    f"{self.name} was not ready within {self.timeout_s:.0f} s{self._end_of_log()}"
                )
            time.sleep(_POLL_S)

    def _said(self, before: int) -> bytes:
        with self.log.open("rb") as log:
            log.seek(before)
            return log.read()

    def _end_of_log(self) -> str:
        last = self.log.read_text(errors="replace").splitlines()[-8:]
        return "\n".join([f"; the end of {self.log}:", *last])

    @property
    def pid(self) -> int | None:
        """
        The live process on the data directory, whoever started it; None when there is none.
        """
        running = pidfile.find(self.folder)
        return running.pid if running else None

    def stop(self, timeout_s: float = pidfile.STOP_TIMEOUT_S) -> bool:
        """
        Ask it to end in order, and kill it when it has not in time. Nothing when it does not run.

        Returns:
            False when it had to be killed.
        """
        by_itself = pidfile.stop(self.folder, timeout_s)
        self._reap()
        return by_itself

    def kill(self) -> None:
        """
        Kill it (SIGKILL), as a crash would. Nothing when it does not run.
        """
        pidfile.kill(self.folder)
        self._reap()

    def freeze(self) -> None:
        """
        Stop it in its tracks (SIGSTOP): connections stay open, nothing answers.
        """
        pidfile.freeze(self.folder)

    def thaw(self) -> None:
        """
        Let a frozen one go on (SIGCONT).
        """
        if running := pidfile.find(self.folder):
            pidfile.send(running.pid, signal.SIGCONT)

    def _reap(self) -> None:
        if self._child is not None:
            self._child.wait(_REAP_TIMEOUT_S)
            self._child = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_together(*engines: Engine) -> None:
    """
    Start engines at the same time. Either all run afterwards or none.

    Raises:
        EngineError: The first failure; those that started are killed.
    """
    with ThreadPoolExecutor(len(engines), "engines-start") as pool:
        starts = [pool.submit(engine.start) for engine in engines]
    failures = [failure for start in starts if (failure := start.exception())]
    if failures:
        for engine, start in zip(engines, starts, strict=True):
            if start.exception() is None:
                engine.kill()
        raise failures[0]
