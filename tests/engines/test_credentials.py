"""
Wrong credentials, on either side: the sink stays up, says which, and goes on once they are right.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engines import Elasticsearch
from tests.engines.oracle import committed
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

_SASL = """
security_protocol = "sasl_plaintext"
sasl_mechanism = "PLAIN"
sasl_username = "writer"
sasl_password_file = "{file}"
"""


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Elasticsearch]:
    """
    An Elasticsearch that asks who one is.
    """
    folder = tmp_path / "guarded"
    with Elasticsearch(folder, heap="512m", fast_start=True, security=True) as node:
        yield node


def test_elasticsearch_credentials_may_be_mended_while_the_sink_waits(
    setup: Setup, guarded: Elasticsearch
) -> None:
    secret = setup.folder / "basic_auth"
    secret.write_text("elastic:wrong")
    setup.elasticsearch = guarded
    setup.settings["elasticsearch"] = f'basic_auth_file = "{secret}"'
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 10))
    with SinkProcess(setup) as sink:
        wait_until(lambda: "elasticsearch" in sink.reasons(), 30, "not ready")
        assert "refuses the credentials" in sink.reasons()["elasticsearch"]
        assert sink.get("/health/live")[0] == 200
        assert sink.ledger() == {}  # nothing is consumed before

        secret.write_text("elastic:changeme")
        wait_until(lambda: sink.ledger() and not sink.reasons(), 40, "documents")
        assert sink.terminate() == 0
        assert "wrong" not in sink.log() and "changeme" not in sink.log()
    assert sum(committed(setup, [setup.topic("a")]).values()) == 10


def test_kafka_credentials_may_be_mended_while_the_sink_waits(setup: Setup) -> None:
    secret = setup.folder / "password"
    secret.write_text("mistaken")
    setup.settings["bootstrap"] = setup.kafka.sasl_servers
    setup.settings["kafka"] = _SASL.format(file=secret)
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 10))
    with SinkProcess(setup) as sink:
        wait_until(lambda: "kafka" in sink.reasons(), 30, "not ready")
        assert "credentials" in sink.reasons()["kafka"]
        assert "sasl_username" in sink.reasons()["kafka"]
        assert sink.get("/health/live")[0] == 200

        secret.write_text("right")
        wait_until(lambda: sink.ledger() and not sink.reasons(), 40, "documents")
        assert sink.terminate() == 0
        assert "mistaken" not in sink.log()
    assert sum(committed(setup, [setup.topic("a")]).values()) == 10


def test_neither_side_up_is_waited_for(setup: Setup) -> None:
    setup.settings["url"] = "http://127.0.0.1:9"
    create_topics(setup, {"a": 1})
    with SinkProcess(setup) as sink:
        wait_until(lambda: "elasticsearch" in sink.reasons(), 30, "not ready")
        assert "does not answer" in sink.reasons()["elasticsearch"]
        assert sink.process.poll() is None
        assert sink.terminate() == 0
