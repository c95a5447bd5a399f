"""
What the main thread tries again and again must not end the daemon, whatever it raises.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from sink.config import Config
from sink.core.template import Kind
from sink.daemon import Daemon
from sink.errors import ConfigError, Unavailable
from sink.testing import FakeTemplates


def _config(**more: object) -> Config:
    return Config.model_validate(
        {
            "kafka": {"bootstrap_servers": "127.0.0.1:1", "client": {"log_level": 0}},
            "status": {"port": 0},
            "routes": [{"name": "a", "prefix": "a-", "index": {"prefix": "sag-"}}],
            **more,
        }
    )


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    daemon = Daemon(_config(lifecycle={"keep_days": 30}))
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


def test_a_lifecycle_that_no_index_can_have_ends_the_start() -> None:
    undatable = [{"name": "a", "prefix": "a-", "index": {"name": "x-{topic}"}}]
    with pytest.raises(ConfigError, match=r"routes\.a\.lifecycle"):
        Daemon(_config(routes=undatable, lifecycle={"keep_days": 30}))


@pytest.mark.parametrize(("ilm", "level"), [(True, "info"), (False, "warning")])
def test_the_start_installs_the_policy_or_says_why_not(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, ilm: bool, level: str
) -> None:
    store = FakeTemplates(ilm=ilm)
    monkeypatch.setattr(daemon, "_elastic", store)

    def at_once(work: Coroutine[Any, Any, Any]) -> object:
        return asyncio.run(work)

    monkeypatch.setattr(daemon, "_on_loop", at_once)
    with capture_logs() as logs:
        daemon._apply_templates()

    assert ((Kind.POLICY, "sink-delete-62d") in store.bodies) is ilm
    said = [line["log_level"] for line in logs if "sink-delete-62d" in line["what"]]
    assert said == [level]
