"""
The demo from its first line to its last.
"""

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import click
from elasticsearch import Elasticsearch as Client

from demo import broker, configuration, found, page
from demo.configuration import DEAD_LETTERS, GROUP, LOADED, TOPICS
from demo.errors import DemoError
from demo.folder import claimed, shown
from demo.interrupt import Interrupt
from demo.judge import Judge
from demo.live import Live
from demo.load import Load
from demo.services import Services
from demo.sink_process import Ledger, SinkProcess
from demo.sources import SOURCES
from engines import Elasticsearch, Engine, Kafka, pidfile
from engines.ports import free_ports

_TICK_S = 0.05
_SINK_START_S = 60.0
_SETTLE_S = 30.0


@dataclass
class Demo:
    """
    One run.

    Args:
        folder: All that it writes.
        seconds: Of producing; None: until Ctrl-C.
        rate: Records a second.
    """

    folder: Path
    seconds: int | None
    rate: int

    def __post_init__(self) -> None:
        self._interrupt = Interrupt()
        self._live = Live()
        self._services = Services(self.folder)

    def run(self) -> int:
        """
        Run it.

        Returns:
            0 when every produced record is accounted for, else 1.
        Raises:
            DemoError, EngineError: It cannot go on.
            Interrupted: Ctrl-C before the first record.
        """
        with claimed(self.folder), ExitStack() as running:
            kafka = Kafka(self.folder / "kafka", fast_start=True)
            elasticsearch = Elasticsearch(
                self.folder / "elasticsearch", heap="512m", fast_start=True
            )
            for engine in (kafka, elasticsearch):
                engine.fetch()
            self._services.build()
            self._interrupt.on_signals()
            running.callback(self._live.say, f"all has ended; logs are in {shown(self.folder)}")
            running.callback(kafka.stop)
            running.callback(elasticsearch.stop)
            self._start_engines([kafka, elasticsearch])
            client = running.enter_context(Client(elasticsearch.url))
            broker.create_topics(kafka.bootstrap_servers, TOPICS)
            sink = self._start_sink(kafka, elasticsearch)
            running.callback(sink.kill)
            self._until_ready(sink)
            running.callback(self._services.kill)
            self._services.start(kafka.bootstrap_servers)
            self._produce(kafka.bootstrap_servers, sink)
            sink_exit = self._end(kafka.bootstrap_servers, sink)
            return self._judge(kafka.bootstrap_servers, client, sink_exit)

    def _start_engines(self, engines: Sequence[Engine]) -> None:
        """
        Start them at the same time, telling of each. They start in threads, to be interrupted.
        """
        self._live.say("starting Kafka and Elasticsearch, on free ports of loopback")
        with ThreadPoolExecutor(len(engines), "demo-start") as pool:
            starts = {pool.submit(engine.start): engine for engine in engines}
            waiting = set(starts)
            try:
                while waiting:
                    done, waiting = wait(waiting, _TICK_S, FIRST_COMPLETED)
                    self._interrupt.check()  # first: Ctrl-C fails the tools of a start as well
                    for start in done:
                        start.result()
                        engine = starts[start]
                        self._live.say(f"{engine.name} {engine.version}: {engine.address}")
            except BaseException:
                # Else the pool would wait until they are ready. A start may not have a process yet.
                while waiting:
                    for engine in engines:
                        pidfile.kill(engine.folder)
                    _, waiting = wait(waiting, _TICK_S)
                raise

    def _start_sink(self, kafka: Kafka, elasticsearch: Elasticsearch) -> SinkProcess:
        config, (port,) = self.folder / "sink.toml", free_ports(1)
        configuration.write(
            config, kafka=kafka.bootstrap_servers, elasticsearch=elasticsearch.url, port=port
        )
        self._live.say(f"{len(TOPICS)} topics created; sink run -c {shown(config)}")
        return SinkProcess(config, self.folder / "sink.log", port)

    def _until_ready(self, sink: SinkProcess) -> None:
        log = self.folder / "sink.log"

        def ready() -> bool:
            if (code := sink.ended()) is not None:
                last = log.read_text(errors="replace").splitlines()[-1:]
                raise DemoError(
                    f"the sink ended with {code} at its start, see {shown(log)}: {last}"
                )
            return sink.ready()

        self._interrupt.until(ready, _SINK_START_S, f"the sink to be ready, see {shown(log)}")
        self._live.say(f"sink: {sink.url}/health/ready {sink.url}/metrics {sink.url}/ledger")

    def _produce(self, servers: str, sink: SinkProcess) -> None:
        """
        Produce until it is time, asked to stop, or the sink has ended.
        """
        until = "until Ctrl-C" if self.seconds is None else f"for {self.seconds} s"
        self._live.say(f"producing {self.rate} records a second {until}")
        load = Load(servers, self.rate)
        began = time.monotonic()
        ledger: Ledger = {}
        while not self._interrupt.asked and sink.ended() is None:
            elapsed_s = time.monotonic() - began
            if self.seconds is not None and elapsed_s > self.seconds:
                break
            load.produce_until(elapsed_s)
            if self._live.due():
                ledger = sink.ledger() or ledger
                self._live.show({topic: load.produced[topic] for topic in LOADED}, ledger)
            time.sleep(_TICK_S)
        load.close()

    def _end(self, servers: str, sink: SinkProcess) -> int:
        """
        Wait until the group has committed every record, and end the sink.

        Returns:
            Its exit code.
        """
        self._services.wait()
        self._live.say("no more is produced; waiting until the sink has committed all of it")
        deadline = time.monotonic() + _SETTLE_S
        while sink.ended() is None and broker.backlog(servers, GROUP, list(TOPICS)):
            if time.monotonic() > deadline:
                self._live.say(f"not all is committed after {_SETTLE_S:g} s")
                break
            time.sleep(4 * _TICK_S)  # each question takes a consumer of its own
        code = sink.stop()
        self._live.say(f"sink: exit code {code}")
        return code

    def _judge(self, servers: str, client: Client, sink_exit: int) -> int:
        self._live.say("looking for every record, in Kafka and in Elasticsearch")
        verdict = Judge(servers, client, list(TOPICS), DEAD_LETTERS).judge()
        services = self._services
        sources = [each for each in SOURCES if each.name not in services.not_run]
        answers = [each for source in sources for each in found.answers(verdict, client, source)]
        for line in page.lines(verdict, client, DEAD_LETTERS):
            click.echo(line)
        for line in page.sources(answers, services.not_run):
            click.echo(line)
        wrong = [
            *page.judgement(verdict, sink_exit),
            *services.failures(),
            *filter(None, (answer.wrong for answer in answers)),
            *chain.from_iterable(found.unmapped(verdict, client, source) for source in sources),
        ]
        self._conclude(wrong, verdict.total().produced, len(sources))
        return 1 if wrong else 0

    def _conclude(self, wrong: Sequence[str], records: int, sources: int) -> None:
        click.echo()
        for sentence in wrong:
            click.secho(f"WRONG: {sentence}; see {shown(self.folder / 'sink.log')}", fg="red")
        if not wrong:
            click.secho(f"Every one of {records} produced records is accounted for.", fg="green")
            click.secho(f"Each of {sources} sources is found by its fields.", fg="green")
