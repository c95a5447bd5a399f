"""
How each peer is started: one row a peer.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench import load
from bench.candidates import CANDIDATES, Candidate, Place
from bench.peers.install import Missing, collector, rsyslog
from sink.config import BulkSettings

_HERE = Path(__file__).parent
_WORKERS = 4  # bulks on their way at once; the sink finds its number by itself
_INPUT = (
    'input(type="imkafka" topic="{topic}" broker=["{place.bootstrap_servers}"] '
    'consumergroup="{place.group_id}" ruleset="toes" confParam=["auto.offset.reset=earliest",'
    '"session.timeout.ms=10000","fetch.wait.max.ms=50","queued.max.messages.kbytes=65536"])'
)


class Peer(NamedTuple):
    """
    A program that is measured beside the sink.
    """

    candidate: Candidate
    version: str


def _rsyslog() -> Peer:
    installed = rsyslog()
    modules = f"{installed.libraries}/rsyslog"

    def command(place: Place) -> list[str]:
        inputs = "\n".join(_INPUT.format(topic=topic, place=place) for topic in load.TOPICS)
        config = _filled("rsyslog.conf", place, {"INPUTS": inputs})
        program = [f"{installed.folder}/usr/sbin/rsyslogd", "-n", "-f", str(config)]
        options = ["-i", str(place.folder / "pid"), "-M", modules]
        return ["/usr/bin/env", f"LD_LIBRARY_PATH={installed.libraries}", *program, *options]

    return Peer(Candidate("rsyslog", "rsyslog (C)", command), installed.version)


def _collector() -> Peer:
    installed = collector()

    def command(place: Place) -> list[str]:
        config = _filled("otel.yaml", place, {})
        return [str(installed.program), "--config", str(config)]

    candidate = Candidate("otel", "OpenTelemetry Collector (Go)", command)
    return Peer(candidate, installed.version)


def _filled(template: str, place: Place, more: dict[str, str]) -> Path:
    host, _, port = place.elasticsearch.partition(":")
    words = {
        "BROKERS": place.bootstrap_servers,
        "GROUP": place.group_id,
        "HOST": host,
        "PORT": port,
        "RUN": str(place.folder),
        "WORKERS": str(_WORKERS),
        "BULK": str(BulkSettings().docs_max),
    }
    text = (_HERE / template).read_text()
    for word, value in (words | more).items():
        text = text.replace(f"@{word}@", value)
    path = place.folder / template
    path.write_text(text)
    return path


_PEERS: dict[str, Callable[[], Peer]] = {
    "rsyslog": _rsyslog,
    "OpenTelemetry Collector": _collector,
}
_NOT_RUN = {
    "Redpanda Connect": "its Go module, github.com/redpanda-data/connect/v4, could not be had "
    "(403 from the module proxy)",
}


def peers() -> tuple[list[Peer], dict[str, str]]:
    """
    Have the peers that can be had.

    Returns:
        Them, and why each other one cannot.
    """
    found, missing = [], dict(_NOT_RUN)
    for name, install in _PEERS.items():
        try:
            found.append(install())
        except Missing as reason:
            missing[name] = str(reason)
    return found, missing


def measured(found: list[Peer]) -> list[Candidate]:
    """
    List who takes turns.
    """
    return [*CANDIDATES, *(each.candidate for each in found)]
