"""
One real Kafka and one real Elasticsearch for the whole session, started at the same time.

A test may kill, freeze and restart them, and leaves them running. Topics and indices of a test have
names of their own.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from engines import Elasticsearch, EngineError, Kafka, start_together
from engines.elasticsearch import VERSION
from tests.engines.running import Setup

_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Mark all tests of this folder.
    """
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.engines)


@pytest.fixture(scope="session")
def both_engines(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Kafka, Elasticsearch]]:
    """
    Start both, or fail: a test that needs them is never skipped, or nobody would miss it.
    """
    folder = tmp_path_factory.mktemp("engines")
    # Tests write records of other months: retention would delete them within minutes.
    kafka = Kafka(
        folder / "kafka",
        fast_start=True,
        sasl_users={"writer": "right"},
        settings={"log.retention.ms": -1},
    )
    elasticsearch = Elasticsearch(
        folder / "elasticsearch",
        version=os.environ.get("ES_VERSION", VERSION),
        heap="512m",
        fast_start=True,
    )
    try:
        start_together(kafka, elasticsearch)
    except EngineError as failure:
        pytest.fail(str(failure), pytrace=False)
    with ExitStack() as running:
        running.callback(kafka.stop)
        running.callback(elasticsearch.stop)
        yield kafka, elasticsearch


@pytest.fixture(scope="session")
def kafka(both_engines: tuple[Kafka, Elasticsearch]) -> Kafka:
    """
    The running Kafka: 4 partitions a topic, topics are not made by themselves.
    """
    return both_engines[0]


@pytest.fixture(scope="session")
def elasticsearch(both_engines: tuple[Kafka, Elasticsearch]) -> Elasticsearch:
    """
    The running Elasticsearch, without security.
    """
    return both_engines[1]


@pytest.fixture
def setup(
    kafka: Kafka, elasticsearch: Elasticsearch, tmp_path: Path, request: pytest.FixtureRequest
) -> Setup:
    """
    Topics, indices and group of the test's own.
    """
    name = "t" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:10]
    return Setup(kafka, elasticsearch, tmp_path, name)
