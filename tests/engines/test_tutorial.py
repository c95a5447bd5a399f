"""
The tutorial, command by command, as its reader types it.
"""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from engines.ports import free_ports

_ROOT = Path(__file__).parents[2]
_TIMEOUT_S = 120


def _commands(page: str) -> str:
    """
    Join the indented blocks of a page into one script.
    """
    lines = [line if line.startswith("    ") else "" for line in page.splitlines()]
    return textwrap.dedent("\n".join(lines))


def test_every_command_of_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    script = _commands((_ROOT / "docs" / "tutorial.md").read_text())
    kafka, elasticsearch, status = (str(port) for port in free_ports(3))
    script = script.replace("make setup\n. .venv/bin/activate\n", "")
    script = script.replace(".run/tutorial", str(tmp_path))
    script = script.replace("9092", kafka).replace("9200", elasticsearch).replace("9117", status)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SINK__STATUS__PORT": status,
    }
    try:
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=_ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    finally:
        for engine in ("kafka", "elasticsearch"):
            command = [sys.executable, "-m", "engines", "stop", "--data", str(tmp_path / engine)]
            subprocess.run(command, cwd=_ROOT, check=False, capture_output=True)

    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "✗" not in said
    assert "sag-orders_" in said
    assert '"indexed":101' in said and '"dead":1' in said
    assert "order 0 shipped" in said or "shipped" in done.stdout
    assert "sink.error_type document_parsing_exception" in said
