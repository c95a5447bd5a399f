"""
Builds the services of examples/ that are in Go and in Java, once, into the cache.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import Element, parse

from engines.cache import cached
from engines.errors import EngineError
from engines.golang import find_go
from engines.maven import compile_java, copy_dependencies, find_jdk, run

_EXAMPLES = Path(__file__).parents[1] / "examples"
_GO = _EXAMPLES / "go"
_JAVA = _EXAMPLES / "java"
_MAIN = _JAVA / "src" / "com" / "example" / "orders" / "Orders.java"
_DIGESTS = _JAVA / "jars.sha256"
_JDK = 17
_BUILD_TIMEOUT_S = 300


def go_service() -> list[str]:
    """
    Give the command of the service in Go. go fetches its modules when it is built.

    Raises:
        EngineError: Go is missing, or it could not be built.
    """

    def build(folder: Path) -> None:
        command = [
            str(find_go() / "go"),
            "build",
            "-C",
            str(_GO),
            "-o",
            str(folder / "orders"),
            ".",
        ]
        run(command, "building examples/go", _BUILD_TIMEOUT_S)

    recipe = _digest(path.read_bytes() for path in sorted(_GO.iterdir()))
    return [str(cached(f"example-go-{recipe}", build) / "orders")]


def java_service() -> list[str]:
    """
    Give the command of the service in Java.

    Raises:
        EngineError: A JDK or Maven is missing, or it could not be built.
    """
    jdk, its_jars = find_jdk(_JDK), jars()

    def build(folder: Path) -> None:
        compile_java(jdk, [_MAIN], folder, f"{its_jars}/*")

    classes = cached(f"example-java-classes-{_digest([_MAIN.read_bytes()])}", build)
    classpath = f"{its_jars}/*:{classes}:{_JAVA}"
    return [str(jdk / "bin" / "java"), "-Xmx64m", "-cp", classpath, "com.example.orders.Orders"]


def jars() -> Path:
    """
    Give the folder of the jars of examples/java: those of its pom.xml, by their digests.

    Raises:
        EngineError: They could not be fetched, or are others.
    """
    pom = parse(_JAVA / "pom.xml")  # noqa: S314 - our own
    artifacts = [_name(one) for one in pom.iterfind(".//dependency")]

    def build(folder: Path) -> None:
        copy_dependencies(artifacts, folder, jdk=find_jdk(_JDK))
        found = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()
        }
        if found != _wanted():
            raise EngineError(f"the jars that Maven fetched are not those of {_DIGESTS}")

    recipe = _digest([*map(str.encode, artifacts), _DIGESTS.read_bytes()])
    return cached(f"example-java-{recipe}", build)


def _wanted() -> dict[str, str]:
    """
    Read the digests that are kept: jar → SHA-256.
    """
    lines = (line.split() for line in _DIGESTS.read_text().splitlines())
    return {name: digest for digest, name in lines}


def _name(dependency: Element) -> str:
    return ":".join(dependency.findtext(key, "") for key in ("groupId", "artifactId", "version"))


def _digest(parts: Iterable[bytes]) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()[:8]
