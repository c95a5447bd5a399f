"""
Has the peers' programs in the project's cache: nothing of the system is touched.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).parent
_CACHE = Path(__file__).parents[2] / ".cache"
_PACKAGES = (
    "rsyslog",
    "rsyslog-kafka",
    "rsyslog-elasticsearch",
    "librdkafka1",
    "libestr0",
    "libfastjson4",
    "liblognorm5",
)
_TIMEOUT_S = 900


class Missing(Exception):
    """
    A peer cannot be had on this machine; the message says why.
    """


class Rsyslog(NamedTuple):
    """
    An rsyslog unpacked from Debian's packages.
    """

    folder: Path
    version: str

    @property
    def libraries(self) -> Path:
        """
        Where its shared libraries are.
        """
        return next(self.folder.glob("usr/lib/*/rsyslog")).parent


class Collector(NamedTuple):
    """
    An OpenTelemetry Collector with the parts that are needed.
    """

    program: Path
    version: str


def rsyslog() -> Rsyslog:
    """
    Unpack rsyslog and what it needs, once.

    Raises:
        Missing: Not on Debian, or no package source.
    """
    folder = _CACHE / "rsyslog"
    if not folder.exists():
        _aside(folder, _unpack)
    (package,) = folder.glob("rsyslog_*.deb")
    return Rsyslog(folder, package.name.split("_")[1])


def _unpack(folder: Path) -> None:
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise Missing(f"it comes from Debian's packages, and there is no {tool}")
    _done(["apt-get", "download", "-q", *_PACKAGES], folder)
    for package in folder.glob("*.deb"):
        _done(["dpkg", "-x", str(package), str(folder)], folder)


def collector() -> Collector:
    """
    Build the OpenTelemetry Collector, once; about two minutes.

    Raises:
        Missing: No Go compiler, or no Go modules.
    """
    program = _CACHE / "otel-collector"
    source = _HERE / "otel"
    modules = (source / "go.mod").read_text()
    version = modules.partition("go.opentelemetry.io/collector/otelcol v")[2].split()[0]
    if not program.exists():
        if shutil.which("go") is None:
            raise Missing("it is built from Go modules, and there is no Go compiler")
        _done(["go", "build", "-trimpath", "-o", str(program), "."], source, _GO)
    return Collector(program, version)


_GO = {
    "GOCACHE": str(_CACHE / "go-build"),
    "GOMODCACHE": str(_CACHE / "go-mod"),
    "GOFLAGS": "-modcacherw",  # so that the cache can be deleted
    "GOTOOLCHAIN": "local",
}


def _aside(folder: Path, fill: Callable[[Path], None]) -> None:
    """
    Fill a folder that is whole or absent, also when this is interrupted.
    """
    aside = folder.with_name(f"{folder.name}.{os.getpid()}")
    aside.mkdir(parents=True)
    try:
        fill(aside)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _done(command: list[str], folder: Path, more: dict[str, str] | None = None) -> None:
    """
    Run a command to its end.

    Raises:
        Missing: It failed; with its last words.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | (more or {}),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Missing(f"{command[0]} ended with {done.returncode}: {' '.join(last)}")
