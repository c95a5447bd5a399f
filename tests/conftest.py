"""
What holds for every test.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from engines import Elasticsearch, EngineError, Kafka, start_together
from engines.elasticsearch import VERSION

_JOIN_TIMEOUT_S = 5.0


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    """
    Fail a test that leaves threads: they hold up the end of the process, here as at a user's.

    Daemon threads are let be, for libraries keep such for good.
    """
    before = set(threading.enumerate())
    yield
    new = [thread for thread in threading.enumerate() if thread not in before and not thread.daemon]
    for thread in new:
        thread.join(_JOIN_TIMEOUT_S)
    left = [thread.name for thread in new if thread.is_alive()]
    if left:
        pytest.fail(f"threads still run after the test: {', '.join(left)}", pytrace=False)


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Work in an empty folder, without the sink's variables of this machine.
    """
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.upper().startswith("SINK__"):
            monkeypatch.delenv(name)
    return tmp_path


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
