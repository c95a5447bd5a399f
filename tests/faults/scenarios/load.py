"""
Much of it: a hot topic, a long backlog, an eager scraper.
"""

import http.client
import statistics
import threading
import time
from collections import Counter
from contextlib import nullcontext
from typing import NamedTuple

from tests.engines.brokering import committed_of, delete_topic, until_committed
from tests.engines.oracle import ask, committed
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.faults.counting import count, produce_many
from tests.faults.routes import second_route
from tests.faults.scenario import scenario
from tests.faults.stage import PATIENCE_S, Stage
from tests.waiting import wait_until

_BACKLOG = 5_000_000
_PARTITIONS = 4
_VALUE = (
    b'{"logtime":1795252441945,"level":"INFO","loggername":"com.example.orders.OrderService",'
    b'"threadname":"http-nio-8080-exec-7","msg":"order accepted","n":%d}'
)
_BOUND_SHARE = 1.1  # of the bound that the sink computes


@scenario(
    "31",
    "5,000,000 records wait while Elasticsearch is down",
    "the memory stays within the bound that the sink computes and 10 %, until all is drained",
    size="5 million records of 160 bytes, not 200 million: what two cores index in the time",
    timeout_s=3_600,
)
def long_backlog(stage: Stage) -> None:
    setup = stage.setup()
    create_topics(setup, {"a": _PARTITIONS})
    sink = stage.sink(setup)
    sink.until_ready()
    stage.elasticsearch.stop()
    produce_many(setup, "a", _VALUE, _BACKLOG, _PARTITIONS)
    wait_until(lambda: sink.get("/health/ready")[0] == 503, 40, "the sink to be not ready")
    in_outage_mib = sink.rss_mib("VmHWM")
    assert not sum(committed_of(setup, "a").values())
    stage.elasticsearch.start()
    stage.healed()
    began = time.monotonic()
    until_committed(setup, "a", _BACKLOG, 3_000)
    stage.recovered()
    (started,) = sink.events("starting")
    peak_mib, bound_mib = sink.rss_mib("VmHWM"), started["memory_bound_mib"]
    per_s = _BACKLOG / (time.monotonic() - began)
    stage.note(
        f"peak RSS {in_outage_mib:.0f} MiB in the outage, {peak_mib:.0f} to the end, bound "
        f"{bound_mib}; drained at {per_s:,.0f} records/s"
    )
    assert peak_mib <= bound_mib * _BOUND_SHARE
    assert sink.terminate() == 0
    assert stage.hold(count(setup, "a", _BACKLOG, _PARTITIONS)) == _BACKLOG
    delete_topic(setup, "a")  # the engines are shared, and their disk
    for index in ask(setup, "GET", f"/{setup.name}-*"):
        ask(setup, "DELETE", f"/{index}")


_HOT = 600_000
_QUIET = [f"quiet{n}" for n in range(3)]
_QUIET_EACH = 40  # records of a quiet topic
_EVERY_S = 0.1  # between two of them
# What is in front of a record at most: of each of the two threads what librdkafka holds ready and
# one more fetch (12 MiB), and all bulks that may be on their way (10 of 5,000 documents). Twice
# that: the other thread may be faster, and commits are looked at a few times a second.
_IN_FRONT = 2 * (2 * 12 * 2**20 // len(_VALUE) + 10 * 5_000)


class _Waiting(NamedTuple):
    """
    A record of a quiet topic that is not committed yet.
    """

    sent: float
    hot: int  # records of the hot topic that were committed when it was sent


class _Quiet:
    """
    Produces a record at a time to each quiet topic, and measures what it waits for.
    """

    def __init__(self, hot: Setup, quiet: Setup, first: int) -> None:
        self._hot, self._quiet = hot, quiet
        self._topics = [quiet.topic(name) for name in _QUIET]
        self._next = first
        self._last = first + _QUIET_EACH * len(_QUIET)
        self._due = time.monotonic()
        self._waiting: dict[tuple[str, int], _Waiting] = {}  # by topic and offset
        ends = committed(quiet, self._topics)
        self._offsets = {topic: ends[topic, 0] for topic in self._topics}
        self.delays_s: list[float] = []
        self.overtaken: list[int] = []  # records of the hot topic committed meanwhile

    def through(self) -> bool:
        """
        Produce what is due, and look for what was committed since; true when all is.
        """
        hot_topic = self._hot.topic("hot")
        ends = committed(self._hot, [hot_topic, *self._topics])
        hot = sum(end for (topic, _), end in ends.items() if topic == hot_topic)
        now = time.monotonic()
        for (topic, offset), each in list(self._waiting.items()):
            if offset < ends[topic, 0]:
                self.delays_s.append(now - each.sent)
                self.overtaken.append(hot - each.hot)
                del self._waiting[topic, offset]
        if self._next < self._last and now >= self._due:
            self._due += _EVERY_S
            self._produce(_Waiting(now, hot))
        return self._next >= self._last and not self._waiting

    def _produce(self, each: _Waiting) -> None:
        for name, topic in zip(_QUIET, self._topics, strict=True):
            produce(self._quiet, name, numbered(self._next, 1))
            self._waiting[topic, self._offsets[topic]] = each
            self._offsets[topic] += 1
            self._next += 1


def _measured(hot: Setup, quiet: Setup, first: int) -> _Quiet:
    measured = _Quiet(hot, quiet, first)
    wait_until(measured.through, 200, "the records of the quiet topics to be committed")
    return measured


@scenario(
    "30",
    "one topic gets thousands of times the records of the others, all at once",
    f"before a record of the others, at most {_IN_FRONT:,} of the hot topic are committed that "
    "were not when it was produced: what is prefetched and on its way, not its backlog",
    timeout_s=600,
)
def hot_topic(stage: Stage) -> None:
    setup = stage.setup()
    quiet = second_route(setup, "quiet")
    create_topics(setup, {"hot": 4})
    create_topics(quiet, dict.fromkeys(_QUIET, 1))
    sink = stage.sink(setup)
    sink.until_ready()
    alone = _measured(setup, quiet, 0)
    produce_many(setup, "hot", _VALUE, _HOT, 4)
    beside = _measured(setup, quiet, _QUIET_EACH * len(_QUIET))
    behind = _HOT - sum(committed_of(setup, "hot").values())
    stage.note(
        f"from produced to committed {_told(beside.delays_s)}, alone {_told(alone.delays_s)}; at "
        f"most {max(beside.overtaken):,} records of the hot topic before; it was {behind:,} behind"
    )
    until_committed(setup, "hot", _HOT, 300)
    assert sink.terminate() == 0
    assert max(beside.overtaken) <= _IN_FRONT, stage.notes
    assert stage.hold(count(setup, "hot", _HOT, 4)) == _HOT
    assert stage.judge(quiet, _QUIET) == 2 * _QUIET_EACH * len(_QUIET)


def _told(delays_s: list[float]) -> str:
    return f"{statistics.median(delays_s):.1f} s (at most {max(delays_s):.1f})"


_ROUND = 30_000
_PAIRS = 3
_SCRAPES_PER_S = 100


class _Scraper:
    """
    Scrapes the metrics on a thread of its own. A context manager.
    """

    def __init__(self, sink: SinkProcess) -> None:
        self._address = sink.url().removeprefix("http://")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._scrape)
        self._began = 0.0
        self.answers: Counter[int] = Counter()  # by status; 0 is none
        self.per_s = 0.0

    def __enter__(self) -> "_Scraper":
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(20)
        self.per_s = self.answers.total() / (time.monotonic() - self._began)

    def _scrape(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=10)
        while not self._over.wait(1 / _SCRAPES_PER_S):
            try:
                connection.request("GET", "/metrics")
                answer = connection.getresponse()
                answer.read()
                self.answers[answer.status] += 1
            except OSError:
                self.answers[0] += 1
                connection.close()
        connection.close()


@scenario(
    "41",
    f"the metrics are scraped {_SCRAPES_PER_S} times a second under load",
    "every scrape is answered, and the sink goes on",
)
def eager_scraper(stage: Stage) -> None:
    setup = stage.setup()
    create_topics(setup, {"a": 4})
    sink = stage.sink(setup)
    sink.until_ready()
    first, slower, rates = 0, [], []
    for _ in range(_PAIRS):
        took_s = {}
        for scraped in stage.random.sample([True, False], 2):
            values = numbered(first, _ROUND)
            first += _ROUND
            with _Scraper(sink) if scraped else nullcontext() as scraper:
                began = time.monotonic()
                produce(setup, "a", values)
                until_committed(setup, "a", first, PATIENCE_S)
                took_s[scraped] = time.monotonic() - began
            if scraper is not None:
                assert scraper.answers.keys() == {200}, scraper.answers
                rates.append(scraper.per_s)
        slower.append(100 * (took_s[True] / took_s[False] - 1))
    stage.note(
        f"{statistics.mean(rates):.0f} scrapes/s; {statistics.median(slower):+.1f} % time "
        f"({min(slower):+.1f} … {max(slower):+.1f}, {_PAIRS} pairs)"
    )
    assert sink.get("/health/ready")[0] == 200
    assert sink.terminate() == 0
    assert stage.judge(setup, ["a"]) == first
