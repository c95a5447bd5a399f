"""
The sink without its account, which the bench measures.
"""

import subprocess
import sys
from pathlib import Path

from bench import candidates


def test_what_is_replaced_is_still_there() -> None:
    """
    Else the sink with its account would be measured against itself.
    """
    script = Path(candidates.__file__).with_name("unaccounted.py")

    ran = subprocess.run(
        [sys.executable, "-P", str(script), "--version"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ran.returncode, ran.stdout[:4]) == (0, "sink"), ran.stderr
