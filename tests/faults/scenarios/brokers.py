"""
Three brokers: they die one after another, are restarted in turn, and forget what they had.
"""

import time
from collections.abc import Callable

from engines import Kafka
from tests.engines.brokering import until_committed
from tests.engines.oracle import examine, indexed_numbers
from tests.engines.producing import numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.faults.cluster import OFFSETS, PARTITIONS, Cluster
from tests.faults.forward import OnlyForward
from tests.faults.membership import LOST, held, spans
from tests.faults.scenario import scenario
from tests.faults.stage import Stage
from tests.faults.steady import Steady
from tests.waiting import wait_until

_OUT_OF_RANGE = "offset out of range, reading goes on at the log's start"
_BROKE = "consumer broke, a new one is built; nothing is committed"


@scenario(
    "19",
    "three brokers under load: three times one is killed (-9) by chance and started again, then "
    "each is restarted in turn",
    "no partition leaves its consumer: the group does not rebalance",
    size="one cycle of each, with 256 MB brokers",
    timeout_s=400,
)
def brokers_die_and_are_restarted(stage: Stage) -> None:
    cluster = Cluster(stage)
    setup = cluster.setup()
    protocol = stage.random.choice(["classic", "consumer"])
    setup.settings["kafka"] = f'group_protocol = "{protocol}"'
    stage.note(protocol)
    cluster.create_topic(setup, "a")
    sink = stage.sink(setup)
    topic = setup.topic("a")
    sink.until_shared_out()  # the one thread may have joined before the other
    wait_until(lambda: len(held(sink, topic)) == PARTITIONS, 60, "all partitions to be assigned")
    before = spans([sink], topic)
    with Steady(setup, ["a"], 500, random=stage.random) as load:
        for broker in stage.random.choices(cluster.brokers, k=3):
            broker.kill()
            time.sleep(stage.random.uniform(0, 5))  # how long it is away is the fault
            cluster.start(broker, {setup.topic("a"), OFFSETS})
        for broker in cluster.brokers:
            broker.stop()
            cluster.start(broker, {setup.topic("a"), OFFSETS})
        stage.healed()
        records = load.end()
    until_committed(setup, "a", records, 90)
    stage.recovered()
    assert spans([sink], topic) == before, "partitions were given away and taken"
    assert not sink.events(LOST)
    assert not sink.events(_BROKE)
    assert sink.terminate() == 0
    assert stage.judge(setup, ["a"]) == records


@scenario(
    "23",
    "the broker that coordinates the group is killed or frozen under load, three times: commits "
    "are refused or not answered",
    "commits go on with the next coordinator; no committed offset goes back",
    timeout_s=400,
)
def the_coordinator_moves(stage: Stage) -> None:
    cluster = Cluster(stage)
    setup = cluster.setup()
    cluster.create_topic(setup, "a")
    sink = stage.sink(setup)
    with (
        Steady(setup, ["a"], 500, random=stage.random) as load,
        OnlyForward(setup, "a", PARTITIONS) as offsets,
    ):
        for _ in range(2):
            back = _take_coordinator(stage, cluster, setup, offsets)
            stage.healed()
            _until_more(offsets)
            stage.recovered()
            back()
        back = _take_coordinator(stage, cluster, setup, offsets)
        time.sleep(stage.random.uniform(0, 6))  # before, while or after the coordinator moves
        sink.kill()  # what is committed now has to be in Elasticsearch now
        back()
        records = load.end()
        too_far = examine(setup, ["a"]).too_far
        assert not too_far, f"{len(too_far)} are committed and nowhere, first {too_far[0]}"
        after = stage.sink(setup)
        until_committed(setup, "a", records, 120)
    assert after.terminate() == 0
    assert stage.judge(setup, ["a"]) == records


def _take_coordinator(
    stage: Stage, cluster: Cluster, setup: Setup, offsets: OnlyForward
) -> Callable[[], None]:
    """
    Kill or freeze the group's coordinator while commits go on.

    Returns:
        Brings it back.
    """
    _until_more(offsets)
    broker = cluster.coordinator(setup)
    cluster.look_through(setup, next(each for each in cluster.brokers if each is not broker))
    way = stage.random.choice(["killed", "frozen"])
    stage.note(way)
    if way == "killed":
        broker.kill()
    else:
        broker.freeze()

    def back() -> None:
        broker.thaw()
        cluster.start(broker, {setup.topic("a"), OFFSETS})

    return back


def _until_more(offsets: OnlyForward) -> None:
    before = offsets.total
    wait_until(lambda: offsets.total > before + 100, 60, "commits to go on")


@scenario(
    "26",
    "an unclean leader election cuts off records that were read and committed; others take their "
    "offsets, fewer or more than there were; one sink runs meanwhile, another is stopped",
    "it is logged as an error, and every record of the new logs is indexed beside the old ones",
    timeout_s=400,
)
def the_log_is_truncated(stage: Stage) -> None:
    cluster = Cluster(stage)
    leads, lags, stays = cluster.brokers
    logs = [_Truncated(stage, cluster, stays, runs=runs) for runs in (True, False)]
    for log in logs:
        log.begin([leads, lags])
    cluster.start(lags, {topic for log in logs for topic in log.topics()}, replicas=2)
    lags.kill()
    for log in logs:
        log.go_on()
    leads.kill()
    lags.start()
    for log in logs:
        log.truncated(lags)
    stage.healed()
    leads.start()
    for log in logs:
        log.end()
        stage.recovered()


class _Truncated:
    """
    A sink with two topics that lose records and get others: fewer, and more than they lose.

    Args:
        stays: The broker that is there all the time.
        runs: The sink runs while the logs change.
    """

    def __init__(self, stage: Stage, cluster: Cluster, stays: Kafka, *, runs: bool) -> None:
        random = stage.random
        self._stage = stage
        self._cluster = cluster
        self._runs = runs
        self._setup = cluster.setup()
        self._setup.kafka = stays
        self._first = 0
        self._kept = {name: random.randrange(200, 2_000) for name in ("fewer", "more")}
        self._lost = {name: random.randrange(200, 2_000) for name in self._kept}
        self._new = {
            "fewer": random.randrange(100, self._lost["fewer"]),
            "more": self._lost["more"] + random.randrange(100, 2_000),
        }
        self._sink: SinkProcess

    def topics(self) -> list[str]:
        return [self._setup.topic(name) for name in self._kept]

    def begin(self, replicas: list[Kafka]) -> None:
        """
        Produce what stays.
        """
        for name in self._kept:
            self._cluster.create_unclean_topic(self._setup, name, replicas)
        self._sink = self._stage.sink(self._setup)
        self._produce(self._kept)

    def go_on(self) -> None:
        """
        Produce what gets lost, and have it committed.
        """
        self._produce(self._lost)
        for name, kept in self._kept.items():
            until_committed(self._setup, name, kept + self._lost[name], 60)
        if not self._runs:
            assert self._sink.terminate() == 0

    def truncated(self, leader: Kafka) -> None:
        """
        Produce what comes in the place of it, when there is another leader.
        """
        for topic in self.topics():
            wait_until(self._cluster.led_by(leader, topic), 60, "the unclean election")
        self._produce(self._new)

    def end(self) -> None:
        """
        Have all of it committed, and judged.
        """
        if not self._runs:
            self._sink = self._stage.sink(self._setup)
        for name, kept in self._kept.items():
            until_committed(self._setup, name, kept + self._new[name], 90)
        assert self._sink.terminate() == 0
        self._stage.judge(self._setup, list(self._kept))
        assert set(indexed_numbers(self._setup)) == set(range(self._first))
        said = {line["partition"][0] for line in self._sink.events(_OUT_OF_RANGE)}
        assert said == set(self.topics()), "a truncation was not logged"

    def _produce(self, counts: dict[str, int]) -> None:
        for name, count in counts.items():
            produce(self._setup, name, numbered(self._first, count))
            self._first += count
