"""
The sink as its users run it: a process with a configuration file, a status port and signals.
"""

import json
import subprocess
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from engines.ports import HOST
from engines.spawn import spawn

_SINK = Path(sys.executable).with_name("sink")
_ANSWER_S = 2.0
_STOP_S = 15.0  # above shutdown.timeout_ms of its configuration

Ledger = dict[str, dict[str, int]]  # topic → fate → documents


class SinkProcess:
    """
    One `sink run`. It dies with the demo.

    Args:
        config: Its file.
        log: All that it says.
        port: Of its status pages, as the file has it.
    """

    def __init__(self, config: Path, log: Path, port: int) -> None:
        self.url = f"http://{HOST}:{port}"
        self._port = port
        command = [str(_SINK), "run", "-c", str(config)]
        self._process: subprocess.Popen[bytes] = spawn(command, log, {}, outlive=False)

    def ended(self) -> int | None:
        """
        Give its exit code, None while it runs.
        """
        return self._process.poll()

    def ready(self) -> bool:
        """
        Tell whether it says that nothing is amiss.
        """
        answer = self._get("/health/ready")
        return answer is not None and answer[0] == 200

    def ledger(self) -> Ledger | None:
        """
        Ask for its running account. None when it does not answer.
        """
        answer = self._get("/ledger")
        if answer is None or answer[0] != 200:
            return None
        ledger: Ledger = json.loads(answer[1])
        return ledger

    def stop(self) -> int:
        """
        Ask it to end in order (SIGTERM).

        Returns:
            Its exit code; negative when it had to be killed.
        """
        self._process.terminate()
        try:
            return self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """
        Kill it. Nothing when it has ended.
        """
        self._process.kill()
        return self._process.wait(_STOP_S)

    def _get(self, path: str) -> tuple[int, bytes] | None:
        connection = HTTPConnection(HOST, self._port, timeout=_ANSWER_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()
