"""
What a running daemon has in memory is asked at its status port.
"""

import pytest

from sink.config import StatusSettings
from sink.core.lane import ParkedIndex
from sink.edge.readiness import Readiness
from sink.edge.status import StatusServer
from sink.edge.status_client import parked_in_memory
from sink.errors import Unavailable

PARKED = ParkedIndex("i", "t", "r", 1.5, 2, 3, blocks=True, spills=False)


def _at(url: str, host: str = "127.0.0.1") -> StatusSettings:
    return StatusSettings(host=host, port=int(url.rpartition(":")[2]))


def _server(*parked: ParkedIndex) -> StatusServer:
    return StatusServer(StatusSettings(port=0), Readiness(), dict, lambda: parked)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_daemon_tells_the_indices_it_has_parked(host: str) -> None:
    with _server(PARKED) as server:
        assert parked_in_memory(_at(server.url, host)) == [PARKED]


def test_a_port_that_nobody_listens_on_is_unavailable() -> None:
    with _server() as server:
        settings = _at(server.url)

    with pytest.raises(Unavailable, match="does not answer"):
        parked_in_memory(settings)


def test_a_port_that_is_not_known_is_not_asked() -> None:
    with pytest.raises(Unavailable, match="nobody knows which"):
        parked_in_memory(StatusSettings(port=0))


def test_a_sink_of_another_version_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StatusServer, "_parked_indices", lambda _: (200, "", b'[{"index":"i"}]'))
    with _server() as server, pytest.raises(Unavailable, match="no sink of this version"):
        parked_in_memory(_at(server.url))
    monkeypatch.setattr(StatusServer, "_parked_indices", lambda _: (404, "", b""))
    with _server() as server, pytest.raises(Unavailable, match="with 404"):
        parked_in_memory(_at(server.url))
