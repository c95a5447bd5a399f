"""
Finds a Go: the machine's, or where that is too old, one of the module proxy.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from engines.cache import cached
from engines.errors import EngineError
from engines.maven import run

# Since then, a go command fetches the toolchain that a go.mod asks for (go.dev/doc/toolchain).
_FETCHES_OTHERS = (1, 21)
_TOOLCHAIN = "go1.24.6"
_FETCH_TIMEOUT_S = 600
# In the zip of a module, nothing may be executed (go.dev/ref/mod, "Module zip files").
_PROGRAMS = ("bin/*", "pkg/tool/*/*")


def find_go() -> Path:
    """
    Find a go command that can build examples/go.

    Returns:
        The folder that it is in, to be put on PATH.
    Raises:
        EngineError: Go is missing, or a newer one cannot be fetched.
    """
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if found is None:
        raise EngineError(
            "Go is missing: no go on PATH. Install it (Debian: apt-get install golang-go)"
        )
    version = re.search(r"go(\d+)\.(\d+)", _said([found, "version"]))
    if version and (int(version[1]), int(version[2])) >= _FETCHES_OTHERS:
        return Path(found).parent
    name = f"{_TOOLCHAIN}.{_said([found, 'env', 'GOOS'])}-{_said([found, 'env', 'GOARCH'])}"
    return cached(name, lambda folder: _fetch(found, name, folder)) / "bin"


def _fetch(go: str, name: str, folder: Path) -> None:
    """
    Take a toolchain out of the module cache. go compares it with the checksum database.
    """
    module = f"golang.org/toolchain@v0.0.1-{name}"
    command = [go, "mod", "download", "-modcacherw", module]
    run(command, f"fetching {module}", _FETCH_TIMEOUT_S)
    source = Path(_said([go, "env", "GOMODCACHE"]), module)
    shutil.copytree(source, folder, dirs_exist_ok=True)
    for pattern in _PROGRAMS:
        for program in folder.glob(pattern):
            program.chmod(0o755)


def _said(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()
