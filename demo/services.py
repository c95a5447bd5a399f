"""
The services of examples/, in Python, Go and Java: each logs a few lines and ends.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from demo.configuration import PREFIX
from demo.folder import shown
from engines import EngineError
from engines.examples import go_service, java_service
from engines.spawn import spawn

_PYTHON = Path(__file__).parents[1] / "examples" / "python" / "orders_logging.py"
_END_S = 30.0
_TICK_S = 0.05

_COMMANDS: dict[str, Callable[[], list[str]]] = {
    "python": lambda: [sys.executable, str(_PYTHON)],
    "go": go_service,
    "java": java_service,
}


class Services:
    """
    Those whose tools are at hand. They die with the demo.

    Args:
        folder: For what they say.
    """

    def __init__(self, folder: Path) -> None:
        self.not_run: dict[str, str] = {}  # name → why
        self._folder = folder
        self._commands: dict[str, list[str]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def build(self) -> None:
        """
        Build them; the first time it takes a minute. A tool that is broken does not end the demo.
        """
        for name, command in _COMMANDS.items():
            try:
                self._commands[name] = command()
            except (EngineError, OSError, subprocess.SubprocessError) as failure:
                self.not_run[name] = str(failure)

    def start(self, servers: str) -> None:
        """
        Start all of them.
        """
        where = {"KAFKA_BOOTSTRAP_SERVERS": servers, "LOG_PREFIX": PREFIX}
        for name, command in self._commands.items():
            self._running[name] = spawn(command, self._log(name), where, outlive=False)

    def wait(self) -> None:
        """
        Wait until each has ended; what still runs then is killed.
        """
        deadline = time.monotonic() + _END_S
        while time.monotonic() < deadline and any(
            process.poll() is None for process in self._running.values()
        ):
            time.sleep(_TICK_S)  # a second Ctrl-C is heard
        self.kill()

    def kill(self) -> None:
        """
        Kill those that run.
        """
        for process in self._running.values():
            process.kill()
            process.wait()

    def failures(self) -> list[str]:
        """
        Tell of each that did not end in order.
        """
        return [
            f"the {name} service ended with exit code {process.returncode} "
            f"({shown(self._log(name))})"
            for name, process in self._running.items()
            if process.returncode
        ]

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"
