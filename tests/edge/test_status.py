"""
The status port, as probes and Prometheus see it.
"""

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sink.config import StatusSettings
from sink.core.keeping import Departure
from sink.core.lane import ParkedIndex
from sink.core.ledger import Ledger
from sink.edge.readiness import Readiness
from sink.edge.status import StatusServer
from sink.errors import ConfigError

ANY_PORT = StatusSettings(port=0)


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    ledger.consumed("orders", 7, {"tombstone": 2})
    ledger.displaced("orders", {"undated": 3})
    ledger.settled({("orders", "indexed"): 4, ("orders", "dead"): 1})
    return ledger


PARKED = ParkedIndex(
    "sag-order",
    "cluster_block_exception",
    "blocked",
    1_795_252_441,
    7,
    900,
    blocks=True,
    spills=False,
)


@pytest.fixture
def server(readiness: Readiness, ledger: Ledger) -> Iterator[StatusServer]:
    with StatusServer(ANY_PORT, readiness, ledger.publish, lambda: (PARKED,)) as server:
        yield server


def _get(server: StatusServer, path: str) -> tuple[int, str]:
    url = urlsplit(server.url)
    connection = HTTPConnection(url.hostname or "", url.port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def _metrics(server: StatusServer) -> dict[str, float]:
    """Each line of the page: name{label,label} → value."""
    families = text_string_to_metric_families(_get(server, "/metrics")[1])
    return {
        f"{sample.name}{{{','.join(f'{k}={v}' for k, v in sorted(sample.labels.items()))}}}": (
            sample.value
        )
        for family in families
        for sample in family.samples
    }


def test_it_is_alive_also_when_it_is_not_ready(server: StatusServer, readiness: Readiness) -> None:
    """
    A restart mends no outage of Elasticsearch: the liveness probe may not ask for one.
    """
    readiness.lacks("elasticsearch", "503")

    assert _get(server, "/health/live")[0] == 200


def test_it_is_ready_unless_a_part_says_why_not(server: StatusServer, readiness: Readiness) -> None:
    assert _get(server, "/health/ready") == (
        200,
        '{"ready":true,"reasons":{},"parked":["sag-order"]}',
    )

    readiness.lacks("elasticsearch", "it refuses the credentials")

    status, body = _get(server, "/health/ready")
    assert status == 503
    assert json.loads(body) == {
        "ready": False,
        "reasons": {"elasticsearch": "it refuses the credentials"},
        "parked": ["sag-order"],
    }


def test_a_parked_index_is_told_with_its_reason_and_what_waits(server: StatusServer) -> None:
    (told,) = json.loads(_get(server, "/parked")[1])
    assert (told["index"], told["reason"], told["documents"]) == ("sag-order", "blocked", 7)

    metrics = _metrics(server)
    labels = "{error_type=cluster_block_exception,index=sag-order}"
    assert metrics[f"sink_parked_documents{labels}"] == 7
    assert metrics[f"sink_parked_bytes{labels}"] == 900
    assert metrics[f"sink_parked_since_seconds{labels}"] == 1_795_252_441


def test_the_metrics_tell_the_ledger_by_topic_fate_and_rule(server: StatusServer) -> None:
    metrics = _metrics(server)

    settled = "sink_settled_documents_total"
    assert metrics["sink_consumed_documents_total{topic=orders}"] == 9
    assert metrics["sink_in_flight_documents{topic=orders}"] == 2
    assert metrics[settled + "{fate=indexed,rule=,topic=orders}"] == 4
    assert metrics[settled + "{fate=dead,rule=,topic=orders}"] == 1
    assert metrics[settled + "{fate=dropped,rule=tombstone,topic=orders}"] == 2
    assert metrics["sink_displaced_documents_total{index=undated,topic=orders}"] == 3
    assert metrics["sink_unaccounted_documents{}"] == 0
    assert metrics["process_resident_memory_bytes{}"] > 0


def test_the_metrics_tell_a_document_without_a_fate(readiness: Readiness) -> None:
    account = {("orders", "consumed"): 5, ("orders", "indexed"): 3}
    with StatusServer(ANY_PORT, readiness, lambda: account) as server:
        assert _metrics(server)["sink_unaccounted_documents{}"] == 2


def test_the_metrics_tell_which_settings_delete_letters(readiness: Readiness) -> None:
    risks = [Departure("sink-parked.x", "retention.ms", "1000", "-1")]
    with StatusServer(ANY_PORT, readiness, dict, at_risk=lambda: risks) as server:
        metrics = _metrics(server)

    told = {name: value for name, value in metrics.items() if name.startswith("sink_letters")}
    assert told == {"sink_letters_at_risk{setting=retention.ms,topic=sink-parked.x}": 1}


def test_the_metrics_tell_how_many_bulks_may_be_under_way(readiness: Readiness) -> None:
    with StatusServer(ANY_PORT, readiness, dict, in_flight_max=lambda: 3) as server:
        assert _metrics(server)["sink_bulks_in_flight_max{}"] == 3


def test_the_metrics_tell_whether_it_is_ready(server: StatusServer, readiness: Readiness) -> None:
    assert _metrics(server)["sink_ready{}"] == 1

    readiness.lacks("kafka", "no broker")

    assert _metrics(server)["sink_ready{}"] == 0


def test_the_ledger_can_be_read_as_json(server: StatusServer) -> None:
    status, body = _get(server, "/ledger")

    assert status == 200
    assert json.loads(body)["orders"]["indexed"] == 4


def test_an_unknown_page_names_those_there_are(server: StatusServer) -> None:
    status, body = _get(server, "/healthz")

    assert status == 404
    assert "/health/ready" in body


def test_a_query_does_not_hide_a_page(server: StatusServer) -> None:
    assert _get(server, "/health/live?verbose=1")[0] == 200


def test_it_listens_on_loopback_unless_told_otherwise(server: StatusServer) -> None:
    assert urlsplit(server.url).hostname == "127.0.0.1"


def test_a_taken_port_is_said_with_its_setting(readiness: Readiness) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"status\.port.*127\.0\.0\.1:{port}"):
            StatusServer(StatusSettings(port=port), readiness, dict)
