"""
Builds and runs the null Elasticsearch of `null_elasticsearch/`, and asks it what it counted.
"""

import json
import os
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack
from urllib.error import URLError

from engines.ports import HOST, free_ports
from engines.spawn import spawn

_SOURCE = Path(__file__).with_name("null_elasticsearch")
_CACHE = Path(__file__).parents[1] / ".cache"
_START_S = 10
_STOP_S = 10
_ANSWER_S = 10
_POLL_S = 0.01


class Counted(TypedDict):
    """
    What the null Elasticsearch has counted since its start.
    """

    docs: int  # without those of indices that are counted apart
    bulks: int
    bytes: int
    bad: int  # lines that a real server would refuse
    rejected: int
    apart: int  # documents of indices that are counted apart: taken
    blocked: int  # the same: refused
    distinct: int  # numbers of documents that were taken, where they carry one
    refused: int  # numbers of documents that were refused
    first_ns: int  # arrival of the first bulk, Unix time
    last_ns: int  # answer to the last bulk that held one of `docs`


class Delays(TypedDict):
    """
    How long after they were due documents were answered, since the last time this was asked.
    """

    documents: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


class Behaviour(TypedDict, total=False):
    """
    What a null Elasticsearch does beyond counting. See `null_elasticsearch -help`.
    """

    strict: bool  # check that every line is a JSON object; costs CPU: not for a measured run
    apart: str  # documents of indices that begin like this are counted apart; empty for none
    block: bool  # they are refused, as by an index under a write block
    delay_ms: int  # before each answer to a bulk
    stall_ms: int  # nothing is answered for so long at the end of each ten times as long
    marked: bool  # documents carry a number of their own, or the time they were due
    refuse: int  # those whose number is a multiple are refused with 400, each time they come


class ToolMissing(Exception):
    """
    A program is not installed that the bench cannot do without.
    """


def build() -> Path:
    """
    Compile the null Elasticsearch; quick where nothing changed.

    Returns:
        The program, inside the project's `.cache`.
    Raises:
        ToolMissing: There is no Go compiler.
        subprocess.CalledProcessError: It does not compile; the compiler's words are on stderr.
    """
    go = shutil.which("go")
    if go is None:
        raise ToolMissing(
            "the Go compiler `go` is missing, and the bench builds its null Elasticsearch with it. "
            "Debian: apt-get install golang-go"
        )
    program = _CACHE / "null_elasticsearch"
    own = {"GOCACHE": str(_CACHE / "go-build"), "GOTOOLCHAIN": "local", "GOFLAGS": "-trimpath"}
    subprocess.run([go, "build", "-o", program, "."], cwd=_SOURCE, env=os.environ | own, check=True)
    return program


class NullElasticsearch:
    """
    A running null Elasticsearch on a free port of loopback; a context manager.

    Args:
        program: As `build` gives it.
        log: Gets a line for each request that is not a bulk.
        behaviour: See `Behaviour`.
    """

    def __init__(self, program: Path, log: Path, **behaviour: Unpack[Behaviour]) -> None:
        self.address = f"{HOST}:{free_ports(1)[0]}"
        delay, stall = behaviour.pop("delay_ms", 0), behaviour.pop("stall_ms", 0)
        times = {"delay": f"{delay}ms", "stall": f"{stall}ms"}
        flags = {"addr": self.address} | times | dict(behaviour)
        told = [f"-{name}={str(value).lower()}" for name, value in flags.items()]
        self._command = [str(program), *told]
        self._log = log
        self._process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        self._process = spawn(self._command, self._log, {}, outlive=False)
        try:
            self._await_ready()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def counted(self, docs: int = 0, wait_ms: int = 0) -> Counted:
        """
        Read the counters as soon as so many documents have come, or when the wait is over.

        Args:
            docs: Answer at this number; 0 is at once.
            wait_ms: Answer after this time at the latest.
        """
        path = f"stats?docs={docs}&wait={wait_ms}ms"
        counted: Counted = self._asked(path, _ANSWER_S + wait_ms / 1000)
        return counted

    def delays(self) -> Delays:
        """
        Read how late documents were answered since the last call.
        """
        delays: Delays = self._asked("delays", _ANSWER_S)
        return delays

    def _asked(self, path: str, timeout_s: float) -> Any:
        with urllib.request.urlopen(
            f"http://{self.address}/_null/{path}", timeout=timeout_s
        ) as answer:
            return json.load(answer)

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _START_S
        while True:
            try:
                self.counted()
            except URLError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    words = self._log.read_text() or "it said nothing"
                    raise RuntimeError(f"the null Elasticsearch did not start: {words}") from None
                time.sleep(_POLL_S)
            else:
                return

    def _end(self) -> None:
        self._process.kill()
        self._process.wait(_STOP_S)
