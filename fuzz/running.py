"""
One target, fuzzed for a while in a process of its own.
"""

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from fuzz.folders import RUN, corpus, crashes, dictionary, found, inputs

# What the process needs beside the time it fuzzes: to import and to run the corpus.
_ASIDE_S = 60
_MERGE_S = 600
_INPUT_TIMEOUT_S = 20
_MEMORY_MIB_MAX = 1500
_INPUT_BYTES_MAX = 4096

_COMMAND = (sys.executable, "-m", "fuzz.process")


@dataclass(frozen=True)
class Fuzzed:
    """
    How a target fared.

    Args:
        executions: Inputs that were tried.
        per_s: Of them.
        new: Inputs that took a way through the sink that none had taken.
        crash: The input that broke something.
        output: What the process said, where it did not end well.
    """

    name: str
    executions: int
    per_s: int
    new: int
    crash: Path | None = None
    output: str = ""

    @property
    def broke(self) -> bool:
        """
        Tell whether an invariant broke, or the process itself.
        """
        return bool(self.crash or self.output)


def fuzz(name: str, seconds: int, seed: int) -> Fuzzed:
    """
    Fuzz a target from its corpus on.

    Args:
        seed: Of libFuzzer; the same seed and corpus try the same inputs in the same order.
    """
    for folder in (found(name), crashes(name)):
        folder.mkdir(parents=True, exist_ok=True)
    began_s = time.time()
    options = (
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-timeout={_INPUT_TIMEOUT_S}",
        f"-rss_limit_mb={_MEMORY_MIB_MAX}",
        f"-max_len={_INPUT_BYTES_MAX}",
        f"-artifact_prefix={crashes(name)}/",
        f"-dict={dictionary(name)}",
        "-print_final_stats=1",
        str(found(name)),
        str(corpus(name)),
    )
    code, output = _run([*_COMMAND, name, *options], seconds + _ASIDE_S)
    crash = next((p for p in crashes(name).iterdir() if p.stat().st_mtime >= began_s), None)
    executions = _last(r"^#(\d+)\s", output)
    return Fuzzed(
        name,
        executions,
        executions // max(1, seconds) if not crash else _last(r"exec/s: (\d+)", output),
        len(re.findall(r"^#\d+\s+NEW ", output, re.MULTILINE)),
        crash,
        output if crash or code != 0 else "",
    )


def enlarge(name: str) -> int:
    """
    Take into the corpus what was found on this machine and adds a way through the sink.

    Returns:
        How many inputs were added.
    Raises:
        RuntimeError: The merge did not end well.
    """
    before = len(inputs(name))
    folders = (str(corpus(name)), str(found(name)))
    code, output = _run([*_COMMAND, name, "-set_cover_merge=1", *folders], _MERGE_S)
    if code != 0 or "MERGE-OUTER" not in output:
        raise RuntimeError(f"the corpus of {name} could not be merged: {output[-1000:]}")
    return len(inputs(name)) - before


def _run(command: list[str], timeout_s: int) -> tuple[int, str]:
    RUN.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(  # noqa: S603  this very interpreter
        command,
        check=False,
        timeout=timeout_s,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    return done.returncode, done.stdout


def _last(pattern: str, output: str) -> int:
    numbers = re.findall(pattern, output, re.MULTILINE)
    return int(numbers[-1]) if numbers else 0
