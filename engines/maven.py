"""
The tools of the machine: finds a JDK and Maven, has Maven copy jars from Maven Central, compiles.

Whatever is missing is said in one line, with what to install.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from engines.errors import EngineError

# Pinned: each release of Maven would take another version of its own accord.
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_FETCH_TIMEOUT_S = 900
_COMPILE_TIMEOUT_S = 300
_VERSION = re.compile(r'^JAVA_VERSION="(\d+)', re.MULTILINE)


def find_jdk(at_least: int) -> Path:
    """
    Find the home of a JDK: $JAVA_HOME, the one on PATH, then where Linux distributions put them.

    Args:
        at_least: Major version, such as 17.
    Raises:
        EngineError: None is new enough.
    """
    for home in _jdk_homes():
        if (home / "bin" / "javac").exists() and java_major(home) >= at_least:
            return home
    raise EngineError(
        f"Java is missing: no JDK {at_least} or newer in JAVA_HOME, on PATH or in /usr/lib/jvm. "
        f"Install one (Debian: apt-get install openjdk-{at_least}-jdk-headless maven), "
        "or set JAVA_HOME"
    )


def _jdk_homes() -> list[Path]:
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    if javac := shutil.which("javac"):
        homes.append(Path(javac).resolve().parent.parent)
    return homes + sorted(Path("/usr/lib/jvm").glob("*"))


def java_major(home: Path) -> int:
    """
    Read the major version of a JDK; 0 when it is none.
    """
    try:
        found = _VERSION.search((home / "release").read_text())
    except OSError:
        return 0  # every JDK since 9 has this file (JEP 220)
    return int(found[1]) if found else 0


def find_mvn() -> str:
    """
    Find Maven on PATH.

    Raises:
        EngineError: It is not there.
    """
    if mvn := shutil.which("mvn"):
        return mvn
    raise EngineError(
        "Maven is missing: no mvn on PATH. "
        "Install it (Debian: apt-get install openjdk-17-jdk-headless maven)"
    )


def copy_dependencies(
    artifacts: Sequence[str], target: Path, *, jdk: Path, without: Sequence[str] = ()
) -> None:
    """
    Have Maven copy artifacts and all that they need at run time.

    Args:
        artifacts: Each `group:name:version`.
        target: Folder for the jars.
        without: Each `group:name` to leave out, where `*` stands for any name.
    Raises:
        EngineError: Maven is missing or could not do it.
    """
    mvn = find_mvn()
    exclusions = "".join(_element("exclusion", name) for name in without)
    dependencies = "".join(_element("dependency", name, exclusions) for name in artifacts)
    with tempfile.TemporaryDirectory() as folder:
        pom = Path(folder, "pom.xml")
        pom.write_text(
            "<project><modelVersion>4.0.0</modelVersion><groupId>local</groupId>"
            "<artifactId>fetch</artifactId><version>1</version><packaging>pom</packaging>"
            f"<dependencies>{dependencies}</dependencies></project>"
        )
        command = [mvn, "-B", "-q", "--strict-checksums", "-f", str(pom), _COPY]
        command += ["-DincludeScope=runtime", f"-DoutputDirectory={target}"]
        run(command, f"fetching {', '.join(artifacts)}", _FETCH_TIMEOUT_S, JAVA_HOME=str(jdk))


def _element(tag: str, name: str, more: str = "") -> str:
    keys = ("groupId", "artifactId", "version")
    inside = "".join(
        f"<{key}>{escape(part)}</{key}>" for key, part in zip(keys, name.split(":"), strict=False)
    )
    more = f"<exclusions>{more}</exclusions>" if more else ""
    return f"<{tag}>{inside}{more}</{tag}>"


def compile_java(jdk: Path, sources: Sequence[Path], target: Path, classpath: str = "") -> None:
    """
    Compile sources into classes.

    Args:
        classpath: As javac wants it, folders and `dir/*` with colons between.
    Raises:
        EngineError: With what the compiler says.
    """
    command = [str(jdk / "bin" / "javac"), "-nowarn", "-Xlint:none", "-proc:none"]
    command += ["-cp", classpath] if classpath else []
    command += ["-d", str(target), *map(str, sources)]
    run(command, f"compiling {', '.join(path.name for path in sources)}", _COMPILE_TIMEOUT_S)


def run(command: Sequence[str], what: str, timeout_s: float, **environment: str) -> None:
    """
    Run a tool to its end.

    Args:
        what: The doing, for the error.
        environment: Variables on top of ours.
    Raises:
        EngineError: It failed or took too long; with the end of what it said.
    """
    try:
        done = subprocess.run(
            command,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as failure:
        raise EngineError(f"{what} took longer than {timeout_s:.0f} s: try again") from failure
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise EngineError(f"{what} failed with exit code {done.returncode}:\n{last}")
