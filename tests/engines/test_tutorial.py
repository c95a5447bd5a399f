"""
The tutorial, command by command, as its reader types it.
"""

import subprocess
import sys
from pathlib import Path

from engines.ports import free_ports
from tests.engines.pages import ROOT, commands, follow

_TIMEOUT_S = 120


def test_every_command_of_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    script = commands((ROOT / "docs" / "tutorial.md").read_text())
    kafka, elasticsearch, status = (str(port) for port in free_ports(3))
    script = script.replace(".run/tutorial", str(tmp_path))
    script = script.replace("9092", kafka).replace("9200", elasticsearch).replace("9117", status)
    try:
        done = follow(script, _TIMEOUT_S, SINK__STATUS__PORT=status)
    finally:
        for engine in ("kafka", "elasticsearch"):
            command = [sys.executable, "-m", "engines", "stop", "--data", str(tmp_path / engine)]
            subprocess.run(command, cwd=ROOT, check=False, capture_output=True)

    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "✗" not in said
    assert "sag-orders_" in said
    assert '"indexed":101' in said and '"dead":1' in said
    assert "order 0 shipped" in said or "shipped" in done.stdout
    assert "sink.error_type document_parsing_exception" in said
