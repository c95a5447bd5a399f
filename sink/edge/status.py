"""
The status port: health, ledger, parked indices, links, metrics; on loopback unless told otherwise.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import orjson
import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from sink.config import StatusSettings
from sink.core.data_view import Link
from sink.core.keeping import Departure
from sink.core.lane import ParkedIndex
from sink.core.ledger import CONSUMED, DISPLACED, IN_FLIGHT, Account, imbalance
from sink.edge import threads
from sink.edge.readiness import Readiness
from sink.edge.status_page import page
from sink.errors import ConfigError

log = structlog.get_logger()

_Answer = tuple[int, str, bytes]  # status, content type, body
_JSON = "application/json"


class LedgerMetrics(Collector):
    """
    Turns the published ledger into metrics at each scrape.
    """

    def __init__(
        self,
        account: Callable[[], Account],
        readiness: Readiness,
        parked: Callable[[], Sequence[ParkedIndex]],
        at_risk: Callable[[], Sequence[Departure]],
        in_flight_max: Callable[[], int],
    ) -> None:
        self._account = account
        self._readiness = readiness
        self._parked = parked
        self._at_risk = at_risk
        self._in_flight_max = in_flight_max

    def collect(self) -> Iterator[Metric]:
        """
        Give all metric families, as prometheus_client asks for them.
        """
        account = self._account()
        consumed = CounterMetricFamily(
            "sink_consumed_documents", "Documents of all consumed records.", labels=["topic"]
        )
        settled = CounterMetricFamily(
            "sink_settled_documents",
            "Documents accounted for, by fate: indexed, repaired, duplicate, dead, dropped, "
            "expired, parked.",
            labels=["topic", "fate", "rule"],
        )
        in_flight = GaugeMetricFamily(
            "sink_in_flight_documents", "Documents on their way.", labels=["topic"]
        )
        displaced = CounterMetricFamily(
            "sink_displaced_documents",
            "Documents whose index is not the one that was meant: undated, unknown or overflow.",
            labels=["topic", "index"],
        )
        for (topic, fate), documents in sorted(account.items()):
            name, _, rule = fate.partition(":")
            if fate == CONSUMED:
                consumed.add_metric([topic], documents)
            elif fate == IN_FLIGHT:
                in_flight.add_metric([topic], documents)
            elif fate.startswith(DISPLACED):
                displaced.add_metric([topic, rule], documents)
            else:
                settled.add_metric([topic, name, rule], documents)
        yield from (consumed, settled, in_flight, displaced)
        yield GaugeMetricFamily(
            "sink_unaccounted_documents",
            "Consumed documents without a fate: anything but 0 is a bug.",
            value=sum(map(abs, imbalance(account).values())),
        )
        yield GaugeMetricFamily(
            "sink_bulks_in_flight_max",
            "Bulks that may be under way now: as few as give the best rate.",
            value=self._in_flight_max(),
        )
        yield from self._of_parked()
        risks = GaugeMetricFamily(
            "sink_letters_at_risk",
            "1 for each setting by which the brokers delete letters that are committed.",
            labels=["topic", "setting"],
        )
        for risk in self._at_risk():
            risks.add_metric([risk.topic, risk.setting], 1)
        yield risks
        ready = not self._readiness.reasons()
        yield GaugeMetricFamily("sink_ready", "1 when nothing is amiss.", value=int(ready))

    def _of_parked(self) -> Iterator[Metric]:
        """
        Give what waits for each parked index. A label tells why; its cardinality is the indices'.
        """
        figures: tuple[tuple[str, str, Callable[[ParkedIndex], float]], ...] = (
            ("documents", "Documents that wait in memory.", lambda each: each.documents),
            ("bytes", "Their bytes.", lambda each: each.size_bytes),
            ("since_seconds", "When it was parked, in seconds since the epoch.", _since),
        )
        parked = self._parked()
        for name, told, figure in figures:
            family = GaugeMetricFamily(f"sink_parked_{name}", told, labels=["index", "error_type"])
            for each in parked:
                family.add_metric([each.index, each.error_type], figure(each))
            yield family


def _since(parked: ParkedIndex) -> float:
    return parked.since_s


class StatusServer:
    """
    Serves health and metrics on threads of its own. A context manager.

    Raises:
        ConfigError: The port is taken.
        Unavailable: The system gives no thread.
    """

    def __init__(
        self,
        settings: StatusSettings,
        readiness: Readiness,
        account: Callable[[], Account],
        parked: Callable[[], Sequence[ParkedIndex]] = tuple,
        at_risk: Callable[[], Sequence[Departure]] = tuple,
        links: Callable[[], Sequence[Link]] = tuple,
        *,
        in_flight_max: Callable[[], int] = int,
    ) -> None:
        self._readiness = readiness
        self._account = account
        self._parked = parked
        self._links = links
        self._in_flight_max = in_flight_max
        self._registry = CollectorRegistry()
        self._registry.register(LedgerMetrics(account, readiness, parked, at_risk, in_flight_max))
        ProcessCollector(registry=self._registry)
        self._pages: dict[str, Callable[[], _Answer]] = {
            "/": self._page,
            "/health/live": self._live,
            "/health/ready": self._ready,
            "/ledger": self._ledger,
            "/parked": self._parked_indices,
            "/links": self._links_to_logs,
            "/metrics": self._metrics,
        }
        try:
            handler = _handler(self._pages)
            self._server = ThreadingHTTPServer((settings.host, settings.port), handler)
        except OSError as error:
            raise ConfigError(
                f"status.port: cannot listen on {settings.host}:{settings.port}: "
                f"{error.strerror}; choose another, or 0 for any free one"
            ) from error
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """
        Where it listens.
        """
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> Self:
        self._thread = threads.start(lambda: self._server.serve_forever(0.2), "status")
        log.info("status port", url=self.url)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(1)

    def _page(self) -> _Answer:
        parked = [each.index for each in self._parked()]
        others = [path for path in self._pages if path != "/"]
        limit = self._in_flight_max()
        body = page(self._readiness.reasons(), parked, self._links(), others, limit)
        return 200, "text/html; charset=utf-8", body

    def _live(self) -> _Answer:
        return 200, _JSON, b'{"live":true}'

    def _ready(self) -> _Answer:
        reasons = self._readiness.reasons()
        parked = [each.index for each in self._parked()]
        body = orjson.dumps({"ready": not reasons, "reasons": reasons, "parked": parked})
        return 503 if reasons else 200, _JSON, body

    def _ledger(self) -> _Answer:
        topics: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for (topic, fate), documents in self._account().items():
            topics[topic][str(fate)] = documents
        return 200, _JSON, orjson.dumps(topics, option=orjson.OPT_SORT_KEYS)

    def _parked_indices(self) -> _Answer:
        return 200, _JSON, orjson.dumps(list(self._parked()))

    def _links_to_logs(self) -> _Answer:
        return 200, _JSON, orjson.dumps(list(self._links()))

    def _metrics(self) -> _Answer:
        return 200, CONTENT_TYPE_LATEST, generate_latest(self._registry)


def _handler(pages: dict[str, Callable[[], _Answer]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # a client that sends nothing holds its thread no longer

        def do_GET(self) -> None:
            answer = pages.get(self.path.partition("?")[0])
            known = " ".join(pages).encode()
            status, content_type, body = answer() if answer else (404, "text/plain", known)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """
            Keep requests out of the log: a scrape every few seconds is no news.
            """

    return Handler
