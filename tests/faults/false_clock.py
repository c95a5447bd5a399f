"""
A wall clock that a test moves, for one process: the machine's clock is everybody's.
"""

import shutil
import struct
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_name("clock.c")
_COMPILE_TIMEOUT_S = 60


def set_clock(clock: Path, ahead_s: int) -> None:
    """
    Let the clock jump: in place, since the process has mapped the file.
    """
    with clock.open("r+b" if clock.exists() else "wb") as file:
        file.write(struct.pack("q", ahead_s))


def under_a_false_clock(clock: Path) -> dict[str, str]:
    """
    Give the environment of a process whose wall clock is ahead by what a file says.
    """
    compiler = shutil.which("cc")
    assert compiler, "a C compiler is missing: install one (Debian: apt-get install gcc)"
    library = clock.with_name("clock.so")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE)]
    subprocess.run(command, check=True, timeout=_COMPILE_TIMEOUT_S)
    return {"LD_PRELOAD": str(library), "CLOCK_AHEAD": str(clock)}
