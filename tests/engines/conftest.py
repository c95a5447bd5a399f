"""
What every engine test has: a setup of its own.

A test may kill, freeze and restart the engines, and leaves them running. Topics and indices of a
test have names of their own.
"""

import hashlib
from pathlib import Path

import pytest

from engines import Elasticsearch, Kafka
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


@pytest.fixture
def setup(
    kafka: Kafka, elasticsearch: Elasticsearch, tmp_path: Path, request: pytest.FixtureRequest
) -> Setup:
    """
    Topics, indices and group of the test's own.
    """
    name = "t" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:10]
    return Setup(kafka, elasticsearch, tmp_path, name)
