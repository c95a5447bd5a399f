"""
A command of the sink as its users run it: a process of its own, with the configuration file.
"""

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from tests.engines.running import SINK, Setup, SinkProcess
from tests.waiting import wait_until


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def command(setup: Setup, *words: str) -> Ran:
    """
    Run a command to its end.
    """
    done = subprocess.run(
        [str(SINK), *words, "-c", str(setup.write())],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def move(setup: Setup, documents: int) -> None:
    """
    Let a sink run until so many documents are settled.
    """
    with SinkProcess(setup) as sink:

        def settled() -> bool:
            topics = sink.ledger().values()
            return sum(t["consumed"] - t["in_flight"] for t in topics) >= documents

        wait_until(settled, 40, f"{documents} documents")
        assert sink.terminate() == 0
