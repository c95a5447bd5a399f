"""
The engines accept what docker-compose.yml tells them, and the sink of that file works on them.

Without Docker: the variables become settings as the images do it, only addresses and folders are
of this machine. Kibana is not tried, for there is none at hand.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from engines import Elasticsearch, Kafka, start_together
from engines import kafka as broker
from engines.maven import find_jdk
from engines.ports import HOST, free_ports
from sink.config import StatusSettings
from tests.docs.container_files import ROOT, compose, environment, listeners, only, stages
from tests.engines.oracle import ask, documents
from tests.engines.producing import numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

_TIMEOUT_S = 60
_KNOWN = re.compile(r"^\t(\S+) = (.*)$", re.MULTILINE)  # of AbstractConfig.logAll
# What the script of the health check calls: bin/kafka-broker-api-versions.sh of Kafka 4.1.
_SCRIPTS = {"kafka-broker-api-versions.sh": "org.apache.kafka.tools.BrokerApiVersionsCommand"}

_OF_REPLICAS = [
    "default.replication.factor",
    "min.insync.replicas",
    "offsets.topic.replication.factor",
    "transaction.state.log.replication.factor",
    "transaction.state.log.min.isr",
]


def java(*arguments: str, variables: dict[str, str]) -> str:
    """
    Run a program of Kafka's jars; its output, both streams.
    """
    command = [str(find_jdk(17) / "bin" / "java"), "-XX:TieredStopAtLevel=1"]
    command += ["-cp", f"{broker.fetch()}/*", *arguments]
    done = subprocess.run(
        command, check=False, env=variables, capture_output=True, text=True, timeout=_TIMEOUT_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def set_up_kafka(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """
    Do what the image does before the broker starts, by the program that it calls for it.

    It makes properties of the variables and formats the storage: docker/jvm/launch of Kafka.

    Returns:
        The properties, and every property that Kafka knows with the value it then has.
    """
    folders = {name: folder / name for name in ("default", "mounted", "final")}
    for one in folders.values():
        one.mkdir(parents=True)
    for name in ("log4j2.yaml", "tools-log4j2.yaml"):
        (folders["default"] / name).touch()
    variables = environment("kafka") | {"KAFKA_LOG_DIRS": str(folder / "data")}
    options = [part for name, one in folders.items() for part in (f"--{name}-configs-dir", one)]
    said = java("kafka.docker.KafkaDockerWrapper", "setup", *map(str, options), variables=variables)
    lines = (folders["final"] / "server.properties").read_text().split()
    return dict(line.split("=", 1) for line in lines), dict(_KNOWN.findall(said))


def on_loopback(properties: dict[str, str], ports: dict[str, int]) -> dict[str, str]:
    """
    Put free ports of loopback for those of the containers.
    """
    return {
        name: re.sub(
            r"(://|@)[^:,]*:(\d+)", lambda found: f"{found[1]}{HOST}:{ports[found[2]]}", value
        )
        for name, value in properties.items()
    }


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    """
    The ports of the file, each with the one it has here.
    """
    names = ["9092", "19092", "9093", "9200"]
    return dict(zip(names, free_ports(len(names)), strict=True))


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]
) -> Iterator[tuple[Kafka, Elasticsearch]]:
    """
    Both engines with the settings of the file.
    """
    folder = tmp_path_factory.mktemp("compose")
    properties, _ = set_up_kafka(folder / "setup")
    kafka = Kafka(folder / "kafka", port=ports["9092"], fast_start=True)
    data = {"log.dirs": str(kafka.folder / "data")}
    kafka.settings = on_loopback(properties, ports) | data
    variables = environment("elasticsearch")
    elasticsearch = Elasticsearch(
        folder / "elasticsearch",
        port=ports["9200"],
        heap=variables.pop("ES_JAVA_OPTS").rpartition("-Xmx")[2],
        # The image passes on every variable with a dot in its name.
        settings=variables,
        fast_start=True,
    )
    start_together(kafka, elasticsearch)
    with ExitStack() as stopping:
        stopping.callback(kafka.stop)
        stopping.callback(elasticsearch.stop)
        yield kafka, elasticsearch


def test_kafka_knows_every_property_that_the_file_sets(tmp_path: Path) -> None:
    """A property it does not know it would pass over in silence."""
    properties, known = set_up_kafka(tmp_path)

    assert properties.keys() - known.keys() == set()
    assert len(properties) == sum(name.startswith("KAFKA_") for name in environment("kafka"))


def test_kafka_asks_for_no_more_replicas_than_there_are_brokers(tmp_path: Path) -> None:
    """The broker of the other tests has these from its own defaults."""
    _, known = set_up_kafka(tmp_path)

    assert {name: known[name] for name in _OF_REPLICAS} == dict.fromkeys(_OF_REPLICAS, "1")


@pytest.mark.parametrize("listener", ["INTERNAL", "HOST"])
def test_a_client_is_sent_to_the_listener_that_it_came_by(
    listener: str, running: tuple[Kafka, Elasticsearch], ports: dict[str, int]
) -> None:
    port = ports[listeners("KAFKA_LISTENERS")[listener].rpartition(":")[2]]
    client = AdminClient({"bootstrap.servers": f"{HOST}:{port}"})

    (found,) = client.list_topics(timeout=_TIMEOUT_S).brokers.values()

    assert f"{found.host}:{found.port}" == f"{HOST}:{port}"


def test_the_health_check_of_kafka_passes(
    running: tuple[Kafka, Elasticsearch], ports: dict[str, int]
) -> None:
    _, script, *arguments = compose()["services"]["kafka"]["healthcheck"]["test"]
    here = [one.replace("127.0.0.1:9092", f"{HOST}:{ports['9092']}") for one in arguments]

    said = java(_SCRIPTS[Path(script).name], *here, variables=dict(os.environ))

    assert f"{HOST}:{ports['9092']}" in said


def test_the_health_check_of_elasticsearch_passes_and_its_settings_hold(
    running: tuple[Kafka, Elasticsearch], ports: dict[str, int], tmp_path: Path
) -> None:
    setup = Setup(*running, tmp_path, "ekk")
    url = compose()["services"]["elasticsearch"]["healthcheck"]["test"][-1]

    # It raises for whatever curl -f fails on.
    health = ask(setup, "GET", url.removeprefix("http://127.0.0.1:9200"))

    assert health["cluster_name"] == environment("elasticsearch")["cluster.name"]
    assert health["timed_out"] is False


class MountedSetup(Setup):
    """
    Starts the sink with the file that the compose file mounts.
    """

    def write(self) -> Path:
        source: str = compose()["services"]["sink"]["volumes"][0].split(":")[0]
        return ROOT / source


def test_the_sink_of_the_file_moves_records_and_its_health_check_follows_it(
    running: tuple[Kafka, Elasticsearch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = MountedSetup(*running, tmp_path, "ekk")
    here = {
        "SINK__KAFKA__BOOTSTRAP_SERVERS": setup.kafka.bootstrap_servers,
        "SINK__ELASTICSEARCH__HOSTS": setup.elasticsearch.url,
        "SINK__STATUS__HOST": HOST,
        "SINK__STATUS__PORT": "0",
    }
    for name, value in (environment("sink") | here).items():
        monkeypatch.setenv(name, value)
    produce(setup, "try", numbered(0, 10))  # the broker makes the topic

    with SinkProcess(setup) as sink:
        url = sink.url()
        wait_until(lambda: indexed(sink, "ekk-try") == 10, _TIMEOUT_S, "ten documents")
        assert health_check(url) == 0
        assert sink.terminate() == 0

    assert health_check(url) == 1
    assert [hit["_index"].split("_")[0] for hit in documents(setup)] == ["ekk-try"] * 10


def indexed(sink: SinkProcess, topic: str) -> int:
    return sink.ledger().get(topic, {}).get("indexed", 0)


def health_check(url: str) -> int:
    """
    Do the health check of the Dockerfile; its exit code.
    """
    _, *arguments = only(stages()[-1], "HEALTHCHECK").words()
    there = f"http://127.0.0.1:{StatusSettings().port}"
    command = [sys.executable, *(one.replace(there, url) for one in arguments)]
    return subprocess.run(command, check=False, capture_output=True, timeout=_TIMEOUT_S).returncode
