"""
What the main thread tries again and again must not end the daemon, whatever it raises.
"""

from collections.abc import Iterator

import pytest

from sink.config import Config
from sink.daemon import Daemon
from sink.errors import Unavailable


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    config = Config.model_validate(
        {
            "kafka": {"bootstrap_servers": "127.0.0.1:1", "client": {"log_level": 0}},
            "status": {"port": 0},
            "routes": [{"name": "a", "prefix": "a-"}],
        }
    )
    daemon = Daemon(config)
    yield daemon
    daemon._status._server.server_close()
    daemon._loop.close()


@pytest.mark.parametrize("failure", [Unavailable("away"), TimeoutError(), ValueError("version")])
def test_a_failed_attempt_makes_it_not_ready_with_the_reason(
    daemon: Daemon, failure: Exception
) -> None:
    def fails() -> str:
        raise failure

    assert daemon._attempt("templates", fails) is None
    assert "templates" in daemon._readiness.reasons()

    assert daemon._attempt("templates", lambda: "done") == "done"
    assert "templates" not in daemon._readiness.reasons()
