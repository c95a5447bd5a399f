"""
The jars of examples/java, from the cache: those of its pom.xml, by their digests.
"""

import hashlib
from pathlib import Path
from xml.etree.ElementTree import Element, parse

from engines.cache import cached
from engines.maven import copy_dependencies, find_jdk
from tests.engines.pages import ROOT

_JAVA = ROOT / "examples" / "java"
_DIGESTS = _JAVA / "jars.sha256"


def jars() -> Path:
    """
    Give the folder of the jars, fetched once.
    """
    artifacts = [_name(one) for one in parse(_JAVA / "pom.xml").iterfind(".//dependency")]
    recipe = hashlib.sha256("".join(artifacts).encode() + _DIGESTS.read_bytes()).hexdigest()

    def build(folder: Path) -> None:
        copy_dependencies(artifacts, folder, jdk=find_jdk(17))
        digests = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()
        }
        assert digests == wanted(), "the jars are not those of examples/java/jars.sha256"

    return cached(f"example-java-{recipe[:8]}", build)


def wanted() -> dict[str, str]:
    """
    Read the digests that are kept: jar → SHA-256.
    """
    lines = (line.split() for line in _DIGESTS.read_text().splitlines())
    return {name: digest for digest, name in lines}


def _name(dependency: Element) -> str:
    return ":".join(dependency.findtext(key, "") for key in ("groupId", "artifactId", "version"))
