"""
Kafka and Elasticsearch in memory for the commands, and a folder with one configuration.
"""

from pathlib import Path

import pytest

from tests.cli.memory_sides import EKK, MemoryBrokers, MemoryCluster, MemoryElastic


@pytest.fixture
def brokers(monkeypatch: pytest.MonkeyPatch) -> MemoryBrokers:
    brokers = MemoryBrokers()
    monkeypatch.setattr("sink.checks.kafka.Brokers", lambda _: brokers)
    return brokers


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> MemoryCluster:
    cluster = MemoryCluster()
    client = lambda settings: MemoryElastic(cluster, settings)  # noqa: E731
    monkeypatch.setattr("sink.checks.elasticsearch.Elastic", client)
    return cluster


@pytest.fixture
def file(empty_folder: Path) -> Path:
    """A configuration of one route in an empty folder."""
    file = empty_folder / "sink.toml"
    file.write_text(EKK)
    return file
