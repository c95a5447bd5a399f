"""
docker-compose.yml without Docker: its schema, its addresses, its safety, the sink's configuration.

That the engines accept their settings is seen in tests/engines/test_compose_settings.py.
"""

import json
import re
from pathlib import Path

import pytest
from jsonschema.validators import validator_for

from engines.elasticsearch import VERSION as ELASTICSEARCH
from engines.kafka import VERSION as KAFKA
from sink.config import Config, load
from tests.docs.container_files import ROOT, compose, environment, listeners, only, stages

SCHEMA = Path(__file__).parents[1] / "fixtures" / "compose-spec.json"
SERVICES = compose()["services"]
ADVERTISED = listeners("KAFKA_ADVERTISED_LISTENERS")


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Config:
    """
    The configuration as the sink's container has it.
    """
    for name, value in environment("sink").items():
        monkeypatch.setenv(name, value)
    return load(ROOT / "deploy" / "compose" / "sink.toml")


def test_it_is_a_compose_file_by_the_schema_of_the_specification() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    validator = validator_for(schema)(schema)

    problems = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(compose())]

    assert problems == []


def test_the_images_are_pinned_to_the_versions_that_the_tests_run_on() -> None:
    images = {name: service["image"] for name, service in SERVICES.items() if "image" in service}

    assert images == {
        "kafka": f"apache/kafka:{KAFKA}",
        "elasticsearch": f"docker.elastic.co/elasticsearch/elasticsearch:{ELASTICSEARCH}",
        "kibana": f"docker.elastic.co/kibana/kibana:{ELASTICSEARCH}",
    }


@pytest.mark.parametrize("service", SERVICES)
def test_every_port_is_published_on_loopback_only(service: str) -> None:
    """Nothing in the file has a password."""
    for port in SERVICES[service]["ports"]:
        assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port), port


@pytest.mark.parametrize("service", ["kafka", "elasticsearch", "kibana"])
def test_every_engine_has_a_health_check_without_a_shell(service: str) -> None:
    check = SERVICES[service]["healthcheck"]

    assert check["test"][0] == "CMD"
    # It asks the service itself: the last port of the test is one that the service listens on.
    (port,) = re.findall(r"127\.0\.0\.1:(\d+)", check["test"][-1])
    assert f"127.0.0.1:{port}:{port}" in SERVICES[service]["ports"]


def test_who_needs_another_service_waits_until_it_is_healthy() -> None:
    waits = {
        name: {other: how["condition"] for other, how in service.get("depends_on", {}).items()}
        for name, service in SERVICES.items()
    }

    assert waits == {
        "kafka": {},
        "elasticsearch": {},
        "kibana": {"elasticsearch": "service_healthy"},
        "sink": {"kafka": "service_healthy", "elasticsearch": "service_healthy"},
    }


def test_kafka_sends_containers_and_the_host_to_addresses_that_each_can_reach() -> None:
    internal, _ = ADVERTISED["INTERNAL"].split(":")
    host, port = ADVERTISED["HOST"].split(":")

    assert internal in SERVICES
    assert f"{host}:{port}:{port}" in SERVICES["kafka"]["ports"]


def test_data_is_kept_in_volumes_at_the_places_where_the_images_have_it() -> None:
    assert SERVICES["kafka"]["volumes"] == [f"kafka-data:{environment('kafka')['KAFKA_LOG_DIRS']}"]
    # path.data of the image: the reference's page "Install Elasticsearch with Docker".
    assert SERVICES["elasticsearch"]["volumes"] == [
        "elasticsearch-data:/usr/share/elasticsearch/data"
    ]
    assert set(compose()["volumes"]) == {"kafka-data", "elasticsearch-data"}


def test_kibana_is_given_nothing_but_the_address_of_elasticsearch() -> None:
    """
    No Kibana is at hand to try more on.

    The name is that of the reference's page "Install Kibana with Docker": elasticsearch.hosts.
    """
    assert environment("kibana") == {"ELASTICSEARCH_HOSTS": "http://elasticsearch:9200"}


def test_the_sink_goes_to_the_engines_of_the_file(config: Config) -> None:
    assert config.kafka.bootstrap_servers == ADVERTISED["INTERNAL"]
    assert list(config.elasticsearch.hosts) == [environment("kibana")["ELASTICSEARCH_HOSTS"]]
    assert config.kibana.url == "http://kibana:5601"
    assert SERVICES["kibana"]["ports"] == ["127.0.0.1:5601:5601"]
    assert config.kibana.link_url == "http://127.0.0.1:5601"


def test_the_status_port_is_where_the_file_publishes_it(config: Config) -> None:
    assert config.status.host == "0.0.0.0"
    assert SERVICES["sink"]["ports"] == [f"127.0.0.1:{config.status.port}:{config.status.port}"]


def test_the_sink_may_finish_before_docker_kills_it(config: Config) -> None:
    grace = re.fullmatch(r"(\d+)s", SERVICES["sink"]["stop_grace_period"])

    assert grace is not None
    assert int(grace[1]) * 1000 > config.shutdown.timeout_ms


def test_the_sink_reads_the_file_that_is_mounted() -> None:
    (volume,) = SERVICES["sink"]["volumes"]
    source, target, mode = volume.split(":")

    assert (ROOT / source).is_file()
    assert target == only(stages()[-1], "CMD").words()[-1]
    assert mode == "ro"
