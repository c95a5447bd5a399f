"""
Apache Kafka in KRaft mode: one broker that is its own controller, or a cluster of such.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import ClassVar

from engines.cache import cached
from engines.maven import copy_dependencies, find_jdk, run
from engines.ports import HOST, free_ports
from engines.process import Engine, Setting

VERSION = "4.1.0"
_JDK = 17
_FORMAT_TIMEOUT_S = 60
_SLF4J_SIMPLE = "org.slf4j:slf4j-simple:1.7.36"  # of the slf4j-api that Kafka 4.1 brings
_DEFAULTS: dict[str, Setting] = {
    "num.partitions": 4,
    "auto.create.topics.enable": False,  # a misspelt topic is an error, not a new topic
    "group.initial.rebalance.delay.ms": 0,
    # A killed broker waits at its next start until its old session is over: 9 s by default.
    "broker.session.timeout.ms": 3_000,
    "broker.heartbeat.interval.ms": 500,
    # 50 by default: slow to make and to recover.
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.num.partitions": 4,
}


def fetch(version: str = VERSION) -> Path:
    """
    Have the broker's jars in the cache.

    Returns:
        Their folder.
    Raises:
        EngineError: A tool is missing, or Maven Central does not give them.
    """
    jdk = find_jdk(_JDK)
    # kafka-tools: the programs of bin/, one of which the container's health check runs.
    kafka = "org.apache.kafka"
    artifacts = [f"{kafka}:kafka_2.13:{version}", f"{kafka}:kafka-tools:{version}", _SLF4J_SIMPLE]
    name = f"kafka-{version}-with-tools"
    return cached(name, lambda folder: copy_dependencies(artifacts, folder, jdk=jdk))


@dataclass(eq=False)
class Kafka(Engine):
    """
    One broker. Its controller listens on another port of its own choice.

    Args:
        node_id: Unlike that of any other broker of the cluster.
        voters: All controllers, `id@host:port,...`; empty for a cluster of one.
        cluster_id: The same for all brokers of a cluster; empty makes one.
        replicas: Of internal topics, and of others by default.
        sasl_users: User → password; with some, a second listener asks for them (SASL/PLAIN).
    """

    name: ClassVar[str] = "kafka"

    _: KW_ONLY
    version: str = VERSION
    heap: str = "512m"
    node_id: int = 1
    voters: str = ""
    cluster_id: str = ""
    replicas: int = 1
    sasl_users: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        (self._sasl_port,) = free_ports(1)

    @property
    def sasl_servers(self) -> str:
        """
        Where clients with a user and a password find it: host:port.
        """
        return f"{HOST}:{self._sasl_port}"

    @property
    def bootstrap_servers(self) -> str:
        """
        Where clients find it: host:port.
        """
        return f"{HOST}:{self.port}"

    @property
    def address(self) -> str:
        """
        The same, under the name it has with every engine.
        """
        return self.bootstrap_servers

    @property
    def voter(self) -> str:
        """
        Its controller, as `voters` lists it.
        """
        return f"{self.node_id}@{HOST}:{self._second_port}"

    def fetch(self) -> Path:
        """
        Have the jars in the cache.
        """
        return fetch(self.version)

    def _prepare(self, home: Path) -> tuple[list[str], dict[str, str]]:
        properties = self.folder / "server.properties"
        lines = (f"{key}={_text(value)}\n" for key, value in self._properties().items())
        properties.write_text("".join(lines))
        (self.folder / "tmp").mkdir(exist_ok=True)
        java = [str(find_jdk(_JDK) / "bin" / "java"), "-cp", f"{home}/*"]
        if not (self.folder / "data" / "meta.properties").exists():
            self._format([*java, *self._FAST_START, "kafka.tools.StorageTool"], properties)
        flags = [*self._jvm_flags(), "-Dorg.slf4j.simpleLogger.showDateTime=true"]
        flags += ["-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"]
        return [*java, *flags, "kafka.Kafka", str(properties)], {}

    def _properties(self) -> Mapping[str, Setting]:
        ours: dict[str, Setting] = {
            "process.roles": "broker,controller",
            "node.id": self.node_id,
            "controller.quorum.voters": self.voters or self.voter,
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{HOST}:{self._second_port}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "log.dirs": str(self.folder / "data"),
            "default.replication.factor": self.replicas,
            "offsets.topic.replication.factor": self.replicas,
            "transaction.state.log.replication.factor": self.replicas,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": self.replicas,
            "share.coordinator.state.topic.min.isr": 1,
        }
        return ours | self._sasl() | _DEFAULTS | dict(self.settings)

    def _sasl(self) -> dict[str, Setting]:
        if not self.sasl_users:
            return {}
        users = " ".join(f'user_{name}="{word}"' for name, word in self.sasl_users.items())
        module = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        plain, controller = (
            f"PLAINTEXT://{self.address}",
            f"CONTROLLER://{HOST}:{self._second_port}",
        )
        return {
            "listeners": f"{plain},{controller},SASL://{self.sasl_servers}",
            "advertised.listeners": f"{plain},SASL://{self.sasl_servers}",
            "listener.security.protocol.map": (
                "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT"
            ),
            "listener.name.sasl.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.sasl.plain.sasl.jaas.config": f"{module} {users};",
        }

    def _format(self, tool: list[str], properties: Path) -> None:
        # A KRaft broker refuses a folder that nobody has formatted (KIP-631).
        self.cluster_id = self.cluster_id or _new_cluster_id()
        command = [*tool, "format", "-t", self.cluster_id, "-c", str(properties)]
        run(command, f"formatting {self.folder} for Kafka", _FORMAT_TIMEOUT_S)

    def _ready(self, said: bytes) -> bool:
        # Said once the broker is unfenced and has opened its listeners for requests.
        return b"Kafka Server started" in said


def kafka_cluster(
    folder: Path | str,
    brokers: int = 3,
    *,
    heap: str = "512m",
    settings: Mapping[str, Setting] | None = None,
    fast_start: bool = False,
) -> list[Kafka]:
    """
    Make brokers of one cluster, each in a folder of its own; start them with `start_together`.

    A broker alone never gets ready: it waits for the majority of the controllers.
    """
    cluster_id = _new_cluster_id()
    cluster = [
        Kafka(
            Path(folder, f"broker-{node_id}"),
            heap=heap,
            settings=settings or {},
            fast_start=fast_start,
            node_id=node_id,
            cluster_id=cluster_id,
            replicas=brokers,
        )
        for node_id in range(1, brokers + 1)
    ]
    for broker in cluster:
        broker.voters = ",".join(one.voter for one in cluster)
    return cluster


def _new_cluster_id() -> str:
    # A UUID in URL-safe base64 without padding; StorageTool would take a leading "-" for an option.
    return "E" + base64.urlsafe_b64encode(secrets.token_bytes(16)).decode()[1:22]


def _text(value: Setting) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
