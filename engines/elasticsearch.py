"""
Elasticsearch: one node, with or without security, or a cluster of such.
"""

import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import ClassVar

from engines import assembly
from engines.maven import java_major
from engines.ports import HOST
from engines.process import Engine, Setting

VERSION = "8.19.21"

# The flags of the distribution's own jvm.options, as far as they matter on loopback.
_JVM_FLAGS = [
    "-Xss1m",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
    "-Dio.netty.noUnsafe=true",
    "-Dio.netty.noKeySetOptimization=true",
    "-Dio.netty.recycler.maxCapacityPerThread=0",
    "-Dlog4j.shutdownHookEnabled=false",
    "-Dlog4j2.disable.jmx=true",
    "-Dlog4j2.formatMsgNoLookups=true",
    "-Des.distribution.type=tar",
    "-Des.java.type=unknown",
    "-Des.networkaddress.cache.ttl=60",
    # That library is not on Maven Central; without this the node ends for want of it.
    "-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false",
]
# Lucene's and the server's native calls are refused or warned of otherwise (JEP 454).
_JVM_FLAGS_SINCE_21 = [
    "--enable-native-access=org.elasticsearch.nativeaccess,org.apache.lucene.core",
    "--add-modules=jdk.incubator.vector",
]
_JVM_FLAGS_OF_9 = ["--enable-native-access=org.elasticsearch.foreign"]
_LOG4J = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""


@dataclass(eq=False)
class Elasticsearch(Engine):
    """
    One node. Its transport listens on another port of its own choice.

    Args:
        security: With users, roles and API keys; the user is "elastic".
        password: Of that user, at the first start on a data directory.
    """

    name: ClassVar[str] = "elasticsearch"

    _: KW_ONLY
    version: str = VERSION
    heap: str = "1g"
    security: bool = False
    password: str = "changeme"  # noqa: S105 - of a node on loopback, shown in the README

    @property
    def url(self) -> str:
        """
        Where clients find it, without credentials.
        """
        tls = str(self.settings.get("xpack.security.http.ssl.enabled")).lower()
        return f"{'https' if tls == 'true' else 'http'}://{HOST}:{self.port}"

    @property
    def address(self) -> str:
        """
        The same, under the name it has with every engine.
        """
        return self.url

    @property
    def transport(self) -> str:
        """
        Where the other nodes of its cluster find it: host:port.
        """
        return f"{HOST}:{self._second_port}"

    def fetch(self) -> Path:
        """
        Have its home in the cache.
        """
        return assembly.fetch(self.version, security=self.security)

    @property
    def _ready_mark(self) -> Path:
        return self.folder / "ready"

    def _prepare(self, home: Path) -> tuple[list[str], dict[str, str]]:
        for name in ("config", "data", "logs", "tmp"):
            (self.folder / name).mkdir(exist_ok=True)
        self._ready_mark.unlink(missing_ok=True)
        config = self.folder / "config"
        (config / "log4j2.properties").write_text(_LOG4J)
        # JSON is YAML, and quotes whatever needs quoting.
        (config / "elasticsearch.yml").write_text(json.dumps(self._settings(), indent=2) + "\n")
        jdk = assembly.jdk(self.version)
        command = [str(jdk / "bin" / "java"), *self._flags(home, java_major(jdk))]
        command += ["--module-path", f"{home}/lib"]
        command += ["--add-modules=ALL-MODULE-PATH,jdk.net,jdk.management.agent"]
        command += ["-cp", f"{home}/launcher", "EngineNode"]
        # Not on the command line, where every user of the machine could read it.
        return command, {"ENGINE_PASSWORD": self.password} if self.security else {}

    def _flags(self, home: Path, java: int) -> list[str]:
        own = {
            "jna.tmpdir": self.folder / "tmp",
            "es.path.home": home,
            "es.path.conf": self.folder / "config",
            "es.nativelibs.path": home / "native",
            "jna.library.path": home / "native",
            "engine.ready": self._ready_mark,
            "engine.timeout": int(self.timeout_s),
        }
        flags = [f"-Xms{self.heap}", *self._jvm_flags(), *_JVM_FLAGS]
        flags += _JVM_FLAGS_SINCE_21 if java >= 21 else []
        flags += _JVM_FLAGS_OF_9 if assembly.major(self.version) == 9 else []
        if not self.fast_start:
            flags.append("-XX:+UseG1GC")
        return flags + [f"-D{key}={value}" for key, value in own.items()]

    def _settings(self) -> dict[str, Setting]:
        ours: dict[str, Setting] = {
            "path.data": str(self.folder / "data"),
            "path.logs": str(self.folder / "logs"),
            "node.name": "node-1",
            "cluster.name": "engines",
            "network.host": HOST,
            "http.port": self.port,
            "transport.port": self._second_port,
            "discovery.type": "single-node",
            # A full disk of the machine (95 %) would make every index read-only.
            "cluster.routing.allocation.disk.threshold_enabled": False,
            # With that off, each look at the disks (every 30 s) takes flood-stage blocks back, also
            # one that a test has set.
            "cluster.info.update.interval": "1d",
            "xpack.security.enabled": self.security,
            # The collector of a fast start lets garbage lie until the heap is full. The breaker
            # takes it for memory in use, and refuses everything from 95 % on (seen for minutes).
            "indices.breaker.total.use_real_memory": not self.fast_start,
        }
        return ours | dict(self.settings)

    def _ready(self, said: bytes) -> bool:  # noqa: ARG002 - it says so with a file
        return self._ready_mark.exists()


def elasticsearch_cluster(
    folder: Path | str,
    nodes: int = 3,
    *,
    version: str = VERSION,
    heap: str = "512m",
    settings: Mapping[str, Setting] | None = None,
    fast_start: bool = False,
) -> list[Elasticsearch]:
    """
    Make nodes of one cluster, each in a folder of its own; start them with `start_together`.

    A node alone never gets ready: it waits for the majority of the masters.
    """
    cluster = [
        Elasticsearch(
            Path(folder, f"node-{number}"), version=version, heap=heap, fast_start=fast_start
        )
        for number in range(1, nodes + 1)
    ]
    names = [node.folder.name for node in cluster]
    ours: dict[str, Setting] = {
        "discovery.type": "multi-node",
        "discovery.seed_hosts": ",".join(node.transport for node in cluster),
        "cluster.initial_master_nodes": ",".join(names),
    }
    for name, node in zip(names, cluster, strict=True):
        node.settings = {"node.name": name} | ours | dict(settings or {})
    return cluster
