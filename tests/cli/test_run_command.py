"""
`sink run`, as far as it comes without a configuration.
"""

import subprocess
import sys

_SCRIPT = """
import sys
from sink.cli import main
sys.argv[1:] = ["run", "-c", "/nowhere/sink.toml"]
try:
    main()
finally:
    loaded = {name.partition(".")[0] for name in sys.modules}
    print(*loaded & {"structlog", "rich"})
"""


def test_it_loads_no_colours_for_tracebacks_that_it_does_not_colour() -> None:
    """
    structlog takes rich where it is installed: memory and time, for every process.
    """
    run = subprocess.run(
        [sys.executable, "-c", _SCRIPT], check=False, capture_output=True, text=True
    )

    assert run.returncode == 2, run.stderr
    assert run.stdout.split() == ["structlog"]
