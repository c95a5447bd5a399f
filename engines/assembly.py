"""
Puts an Elasticsearch together: the server and modules of Maven Central, and stand-ins of our own.

Elastic publishes the server's jars there, but no distribution, and only some of its modules.
README.md of this package tells what that leaves out.
"""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from engines import stand_ins
from engines.cache import cached
from engines.errors import EngineError
from engines.maven import compile_java, copy_dependencies, find_jdk

_GROUP = "org.elasticsearch.plugin"
_ZSTD = ["usr/lib/*/libzstd.so.1", "usr/lib64/libzstd.so.1", "lib/*/libzstd.so.1"]
_JDK = {8: 17, 9: 21}  # by the server's major

# What only SAML needs (see stand_ins.OPENSAML), and what x-pack-core has already.
_NOT_FOR_SECURITY = [
    f"{_GROUP}:x-pack-core",
    f"{_GROUP}:es-opensaml-security-api",
    "org.opensaml:*",
    "net.shibboleth.utilities:*",
    "com.google.guava:*",
    "com.google.code.findbugs:*",
    "org.slf4j:*",
    "com.sun.activation:*",
    "com.sun.mail:*",
    "jakarta.activation:*",
    "jakarta.xml.bind:*",
    "com.github.stephenc.jcip:*",
    "net.jcip:*",
    "joda-time:*",
    "org.cryptacular:*",
    "org.apache.santuario:*",
    "com.fasterxml.woodstox:*",
    "org.codehaus.woodstox:*",
    "io.dropwizard.metrics:*",
    "org.apache.httpcomponents:*",
]


def major(version: str) -> int:
    """
    Read the major version.

    Raises:
        EngineError: One whose API the stand-ins are not written for.
    """
    number = version.partition(".")[0]
    if not number.isdecimal() or int(number) not in _JDK:
        raise EngineError(f"Elasticsearch {version} is not known here: choose 8.19.x or 9.5.x")
    return int(number)


def jdk(version: str) -> Path:
    """
    Find a JDK that this version runs on.
    """
    return find_jdk(_JDK[major(version)])


def fetch(version: str, *, security: bool = False) -> Path:
    """
    Have a home of Elasticsearch in the cache.

    Args:
        security: With the real x-pack-security.
    Returns:
        The folder: lib/, modules/, plugins/, native/, launcher/.
    Raises:
        EngineError: A tool is missing, or Maven Central does not give the jars.
    """
    jdk(version)
    name = f"elasticsearch-{version}-{_recipe()}"
    plain = cached(name, lambda home: _Assembly(version, home).build())
    if not security:
        return plain
    return cached(f"{name}-security", lambda home: _Assembly(version, home).add_security(plain))


def _recipe() -> str:
    """
    Digest what a home is made by: a changed recipe makes another one, the old may be in use.
    """
    digest = hashlib.sha256()
    python = [Path(__file__), Path(stand_ins.__file__)]
    for path in [*python, *sorted(stand_ins.JAVA.iterdir())]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


class _Assembly:
    """
    A home in the making.
    """

    def __init__(self, version: str, home: Path) -> None:
        self._version = version
        self._major = major(version)
        self._jdk = jdk(version)
        self._home = home

    def build(self) -> None:
        home = self._home
        for name in ("lib", "modules", "plugins", "native", "launcher"):
            (home / name).mkdir()
        self._copy(f"org.elasticsearch:elasticsearch:{self._version}", "lib")
        self._module("transport-netty4")
        if self._major == 8:
            self._module("x-pack-core")
        else:
            self._module("x-pack-core", [f"{_GROUP}:x-pack-template-resources"])
            names = stand_ins.TEMPLATE_RESOURCES
            stand_ins.add_empty_modules(home, "x-pack-core", self._jdk, names)
        shutil.copyfile(_zstd(), home / "native" / "libzstd.so")
        source = stand_ins.JAVA / "EngineNode.java"
        compile_java(self._jdk, [source], home / "launcher", f"{home}/lib/*")
        stand_ins.add_extras(home, self._version, self._major, self._jdk)

    def add_security(self, plain: Path) -> None:
        shutil.copytree(plain, self._home, copy_function=os.link, dirs_exist_ok=True)
        self._module("x-pack-security", _NOT_FOR_SECURITY)
        modules = self._home / "modules"
        for jar in (modules / "x-pack-core").glob("*.jar"):
            (modules / "x-pack-security" / jar.name).unlink(missing_ok=True)
        names = stand_ins.OPENSAML
        stand_ins.add_empty_modules(self._home, "x-pack-security", self._jdk, names)

    def _copy(self, artifact: str, folder: str, without: Sequence[str] = ()) -> None:
        copy_dependencies([artifact], self._home / folder, jdk=self._jdk, without=without)

    def _module(self, name: str, without: Sequence[str] = ()) -> None:
        """
        Add one of the server's modules: its jars without those of lib, and its descriptor.
        """
        folder = self._home / "modules" / name
        self._copy(f"{_GROUP}:{name}:{self._version}", f"modules/{name}", without)
        for jar in (self._home / "lib").iterdir():
            (folder / jar.name).unlink(missing_ok=True)
        inside = f"META-INF/es-plugins/{name}/"
        with zipfile.ZipFile(folder / f"{name}-{self._version}.jar") as archive:
            for entry in archive.namelist():
                if entry.startswith(inside) and not entry.endswith("/"):
                    (folder / entry.removeprefix(inside)).write_bytes(archive.read(entry))
        if not (folder / "plugin-descriptor.properties").exists():
            raise EngineError(
                f"{name} {self._version} of Maven Central has no plugin descriptor: "
                "choose a version that has, such as 8.19.21"
            )


def _zstd() -> Path:
    for pattern in _ZSTD:
        for path in Path("/").glob(pattern):
            return path
    raise EngineError(
        "libzstd.so.1 is missing: Elasticsearch compresses with it. "
        "Install it (Debian: apt-get install libzstd1)"
    )
