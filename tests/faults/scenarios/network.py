"""
The network between the sink and its engines is bad.
"""

import time

from engines import Kafka
from engines.ports import HOST, free_ports
from tests.engines.brokering import until_committed
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup
from tests.faults.proxy import Proxy
from tests.faults.scenario import scenario
from tests.faults.stage import Stage
from tests.faults.weather import FAIR, Weather
from tests.waiting import wait_until

_PATIENCE = "request_timeout_ms = 4000"
_CLIENT = "client = { 'max.poll.interval.ms' = 10000, 'session.timeout.ms' = 9000 }"
_STEP_S = 11.0  # longer than the poll interval: who does not poll meanwhile is thrown out


def _server(stage: Stage) -> str:
    return stage.elasticsearch.url.removeprefix("http://")


@scenario(
    "16",
    "Answers are lost after Elasticsearch indexed the bulk: connections closed, or silent",
    "the bulks are sent again with the same ids, and 409 counts as success",
    quick=True,
)
def answers_are_lost(stage: Stage) -> None:
    with Proxy(_server(stage), free_ports(1)[0], stage.random) as proxy:
        setup = stage.setup(url=f"http://{proxy.address}", bulk="docs_max = 200")
        setup.settings["elasticsearch"] = _PATIENCE
        create_topics(setup, {"a": 4})
        produce(setup, "a", numbered(0, 4_000))
        sink = stage.sink(setup)
        sink.until_ready()
        proxy.set(Weather(lost=0.2, cut=0.2, cut_after=stage.random.randrange(200, 4_000)))
        produce(setup, "a", numbered(4_000, 6_000))
        wait_until(lambda: proxy.hit >= 5, 60, "some answers to be lost")
        proxy.set(Weather(to_client=False))
        produce(setup, "a", numbered(10_000, 2_000))
        wait_until(lambda: "elasticsearch" in sink.reasons(), 30, "it to miss the answers")
        proxy.set(FAIR)
        stage.healed()
        until_committed(setup, "a", 12_000, 60)
        stage.recovered()
        fates = sink.fates(setup.topic("a"))
        assert sink.terminate() == 0
    stage.note(f"{proxy.hit} answers lost or cut; {fates['duplicate']:,} documents were there")
    # More than were produced where a partition was given away with bulks whose answers were lost.
    assert fates["indexed"] + fates["duplicate"] == fates["consumed"] >= 12_000, f"{fates}"
    assert fates["duplicate"] > 0
    assert stage.judge(setup, ["a"]) == 12_000


_STEPS = {
    "jitter": Weather(latency_s=0.5, jitter_s=1.0),
    "latency": Weather(latency_s=30),
    "10 kB/s": Weather(bytes_per_s=10_000),
    "RST": FAIR,
    "nothing arrives": Weather(to_server=False),
    "nothing comes back": Weather(to_client=False),
    "nobody listens": Weather(refuses=True),
}
_BROKEN_OFF = {"RST", "nobody listens"}  # connections that are open break too, again and again


def _kafka(stage: Stage, listener: int, proxy: int) -> Kafka:
    """
    Make a broker that sends those who come by the proxy back to the proxy; others come directly.
    """
    kafka = Kafka(stage.folder / "kafka", fast_start=True)
    direct = f"PLAINTEXT://{kafka.address}"
    controller = f"CONTROLLER://{kafka.voter.partition('@')[2]}"
    names = "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT"
    kafka.settings = {
        "listeners": f"{direct},{controller},PROXIED://{HOST}:{listener}",
        "advertised.listeners": f"{direct},PROXIED://{HOST}:{proxy}",
        "listener.security.protocol.map": names,
        "log.retention.ms": -1,
    }
    stage.started(kafka)
    return kafka


@scenario(
    "17",
    "The networks to Elasticsearch and to Kafka, each by itself: latency up to 30 s, jitter, "
    "10 kB/s, RST again and again, half-open both ways, nobody listens",
    "no consumer is thrown out for not polling: max.poll.interval.ms is 10 s, each fault is longer",
    timeout_s=400,
)
def the_network_is_bad(stage: Stage) -> None:
    kafka_port, listener, port = free_ports(3)
    broker = _kafka(stage, listener, kafka_port)
    with (
        Proxy(f"{HOST}:{listener}", kafka_port, stage.random) as to_kafka,
        Proxy(_server(stage), port, stage.random) as to_elasticsearch,
    ):
        setup = stage.setup(
            kafka=broker,
            bootstrap=to_kafka.address,
            url=f"http://{to_elasticsearch.address}",
            bulk="docs_max = 100\nqueue_slots = 1\nin_flight = 1",
        )
        setup.settings |= {"kafka": _CLIENT, "elasticsearch": _PATIENCE}
        create_topics(setup, {"a": 4})
        sink = stage.sink(setup)
        produced = _produced(setup, 0)
        until_committed(setup, "a", produced)
        orders = [stage.random.sample(sorted(_STEPS), len(_STEPS)) for _ in range(2)]
        for of_kafka, of_elasticsearch in zip(*orders, strict=True):
            produced = _produced(setup, produced)
            _bad({to_kafka: of_kafka, to_elasticsearch: of_elasticsearch})
        to_kafka.set(FAIR)
        to_elasticsearch.set(FAIR)
        stage.healed()
        produced = _produced(setup, produced)
        until_committed(setup, "a", produced, 120)
        wait_until(lambda: not sink.reasons(), 60, "it to be ready")
        stage.recovered()
        assert sink.terminate() == 0
        assert "maximum poll interval" not in sink.log(), "thrown out for not polling"
        noticed = {event["part"] for event in sink.events("not ready")}
        assert {"kafka", "elasticsearch"} <= noticed, f"it noticed {noticed} only"
        lost = len(sink.events("lost, what was in flight is read again"))
        stage.note(
            f"{len(_STEPS)} faults on each side; partitions lost with their session: {lost} times"
        )
    assert stage.judge(setup, ["a"]) == produced


def _produced(setup: Setup, before: int) -> int:
    produce(setup, "a", numbered(before, 2_000))
    return before + 2_000


def _bad(steps: dict[Proxy, str]) -> None:
    """
    Let each network be bad in its way for a while.
    """
    for way, name in steps.items():
        way.set(_STEPS[name])
    until_s = time.monotonic() + _STEP_S
    while time.monotonic() < until_s:
        for way, name in steps.items():
            if name in _BROKEN_OFF:
                way.reset()
        time.sleep(0.5)  # the fault lasts; nothing is waited for
