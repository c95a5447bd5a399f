"""
The pages of docs/ as their readers follow them: the indented blocks, as one script.
"""

import os
import re
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SETUP = "make setup\n. .venv/bin/activate\n"  # the tests run in such an environment
_AT_THE_END = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"


def commands(page: str) -> str:
    """
    Join the indented blocks of a page. Fenced ones are for another place.
    """
    page = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    lines = [line if line.startswith("    ") else "" for line in page.splitlines()]
    return textwrap.dedent("\n".join(lines)).replace(_SETUP, "")


def follow(script: str, timeout_s: float, **variables: str) -> "subprocess.CompletedProcess[str]":
    """
    Run a script in the checkout. It ends at the first command that fails, and what it left running
    with it.
    """
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with subprocess.Popen(
        ["bash", "-e", "-c", f"{_AT_THE_END}\n{script}"],
        cwd=ROOT,
        env=os.environ | {"PATH": programs} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            stdout, stderr = shell.communicate(timeout=timeout_s)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(shell.args, shell.returncode, stdout, stderr)
