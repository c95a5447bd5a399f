"""
The members of the group change, while documents are on their way.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engines.ports import free_ports
from tests.engines.brokering import until_committed
from tests.engines.oracle import examine
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.faults.forward import OnlyForward
from tests.faults.membership import LOST, given_up, hand_overs_s, held, spans
from tests.faults.proxy import Proxy
from tests.faults.scenario import scenario
from tests.faults.stage import Stage
from tests.faults.steady import Steady
from tests.faults.weather import FAIR, Weather
from tests.waiting import wait_until

_PARTITIONS = 6
_SMALL_BULKS = "docs_max = 200\nqueue_slots = 4\nin_flight = 2"
# A dead member is given up after 6 s, not 45; changes are noticed within 0.3 s, not 3.
_CLASSIC = "client = { 'session.timeout.ms' = 6000, 'heartbeat.interval.ms' = 300 }"
_CONSUMER = 'group_protocol = "consumer"'  # KIP-848: the broker says these times, 45 s and 5 s
_HAND_OVER_S = {_CLASSIC: 20.0, _CONSUMER: 40.0}
_BROKE = "consumer broke, a new one is built; nothing is committed"


@scenario(
    "20",
    "sinks are added, stopped and killed every few seconds under load, by either group protocol",
    "no partition has two owners at a time, and none waits long for its next one",
)
def sinks_come_and_go(stage: Stage) -> None:
    protocol = stage.random.choice([_CLASSIC, _CONSUMER])
    setup = stage.setup(bulk=_SMALL_BULKS)
    setup.settings["kafka"] = protocol
    create_topics(setup, {"a": _PARTITIONS})
    crowd = _Crowd(stage, setup, may_kill=protocol == _CLASSIC)
    crowd.add()
    with Steady(setup, ["a"], 1_500, random=stage.random) as load:
        for _ in range(7):
            crowd.change()
            time.sleep(stage.random.uniform(1, 4))  # "every few seconds" is the fault
        stage.healed()
        records = load.end()
    until_committed(setup, "a", records, 90)
    stage.recovered()
    crowd.stop()
    _assert_owned_once(stage, crowd, setup, _HAND_OVER_S[protocol])
    assert stage.judge(setup, ["a"]) == records


class _Crowd:
    """
    One to three sinks of a group.
    """

    def __init__(self, stage: Stage, setup: Setup, *, may_kill: bool) -> None:
        self.all: list[SinkProcess] = []
        self.dead_at_s: dict[int, float] = {}
        self._stage = stage
        self._setup = setup
        self._alive: list[int] = []
        self._ways = ["stop", "kill"] if may_kill else ["stop"]

    def add(self) -> None:
        self._alive.append(len(self.all))
        self.all.append(self._stage.sink(self._setup))
        self.all[-1].until_assigned(1, 60)

    def change(self) -> None:
        random = self._stage.random
        if len(self._alive) == 1 or (len(self._alive) == 2 and random.random() < 0.5):
            self.add()
            return
        number = self._alive.pop(random.randrange(len(self._alive)))
        if random.choice(self._ways) == "kill":
            self.all[number].kill()
            self.dead_at_s[number] = time.time()
        else:
            assert self.all[number].terminate() == 0

    def stop(self) -> None:
        for number in self._alive:
            assert self.all[number].terminate() == 0


def _assert_owned_once(stage: Stage, crowd: _Crowd, setup: Setup, bound_s: float) -> None:
    for sink in crowd.all:
        assert not sink.events(LOST), "a sink lost partitions that it should have been asked for"
        assert not sink.events(_BROKE)
    waits_s = hand_overs_s(spans(crowd.all, setup.topic("a"), crowd.dead_at_s))
    assert waits_s, "no partition changed hands"
    assert min(waits_s) >= 0, f"a partition had two owners for {-min(waits_s):.3f} s"
    assert max(waits_s) < bound_s, f"a partition had no owner for {max(waits_s):.1f} s"
    stage.note(f"{len(waits_s)} hand-overs, the longest {max(waits_s):.1f} s")


@scenario(
    "21",
    "a sink with a group_instance_id is stopped or killed under load, and started again",
    "the other sink gives up no partition, and the one that is back has its old ones",
)
def a_static_member_restarts(stage: Stage) -> None:
    setup = stage.setup(bulk=_SMALL_BULKS)
    create_topics(setup, {"a": _PARTITIONS})
    topic = setup.topic("a")
    stays = _named(stage, setup, "stays")
    wait_until(lambda: len(held(stays, topic)) == _PARTITIONS, 40, "the first sink to have all")
    restarts = _named(stage, setup, "restarts")
    wait_until(lambda: _share(stays, restarts, topic), 60, "each sink to have some")
    kept, its, gave_up = held(stays, topic), held(restarts, topic), given_up(stays, topic)
    with Steady(setup, ["a"], 1_500, random=stage.random) as load:
        for way in stage.random.sample(["stop", "kill", "kill"], 3):
            time.sleep(stage.random.uniform(0.5, 2))  # under load is the fault
            if way == "kill":
                restarts.kill()
            else:
                assert restarts.terminate() == 0
            stage.healed()
            restarts = _named(stage, setup, "restarts")
            wait_until(_has(restarts, topic, its), 40, f"its old partitions after {way}")
            stage.recovered()
        records = load.end()
    until_committed(setup, "a", records, 60)
    assert held(stays, topic) == kept
    assert given_up(stays, topic) == gave_up, "the other sink had to give up partitions"
    assert restarts.terminate() == 0
    assert stays.terminate() == 0
    assert stage.judge(setup, ["a"]) == records


def _has(sink: SinkProcess, topic: str, partitions: set[str]) -> Callable[[], bool]:
    return lambda: held(sink, topic) == partitions


def _named(stage: Stage, setup: Setup, name: str) -> SinkProcess:
    setup.settings["kafka"] = f'group_instance_id = "{name}"'
    return stage.sink(setup)


def _share(one: SinkProcess, other: SinkProcess, topic: str) -> bool:
    ones, others = held(one, topic), held(other, topic)
    return bool(ones and others) and not ones & others and len(ones | others) == _PARTITIONS


@scenario(
    "22",
    "partitions are taken away while their bulks are in flight: by a second sink while those or "
    "their answers are held back, or because the first sink was frozen beyond its session",
    "what is not answered is not committed, nor what is another's; no committed offset goes back",
)
def revoked_in_flight(stage: Stage) -> None:
    setup = stage.setup(bulk=_SMALL_BULKS)
    setup.settings["kafka"] = _CLASSIC
    create_topics(setup, {"a": _PARTITIONS})
    records = stage.random.randrange(20_000, 30_000)
    produce(setup, "a", numbered(0, records // 2))
    take_away = stage.random.choice([_a_second_joins, _the_session_ends])
    with _between(stage, setup) as proxy, OnlyForward(setup, "a", _PARTITIONS) as offsets:
        first = stage.sink(setup)
        part = stage.random.randrange(500, 4_000)
        wait_until(lambda: offsets.total > part, 40, f"{part} records to be committed")
        second = take_away(stage, setup, first, proxy)
        stage.healed()
        # Both die in the middle: what is committed now has to be in Elasticsearch now.
        before = offsets.total
        produce(setup, "a", numbered(records // 2, records - records // 2))
        wait_until(lambda: offsets.total > before, 40, "the commits to go on")
        first.kill()
        second.kill()
        too_far = examine(setup, ["a"]).too_far
        assert not too_far, f"{len(too_far)} are committed and nowhere, first {too_far[0]}"
        third = stage.sink(setup)
        until_committed(setup, "a", records, 90)
        stage.recovered()
    assert third.terminate() == 0
    assert stage.judge(setup, ["a"]) == records


@contextmanager
def _between(stage: Stage, setup: Setup) -> Iterator[Proxy]:
    """
    Put a proxy between the sinks that are started from now on and Elasticsearch.
    """
    direct = setup.elasticsearch.url
    with Proxy(direct.removeprefix("http://"), free_ports(1)[0], stage.random) as proxy:
        setup.settings["url"] = f"http://{proxy.address}"
        yield proxy
        del setup.settings["url"]


def _a_second_joins(stage: Stage, setup: Setup, first: SinkProcess, proxy: Proxy) -> SinkProcess:
    """
    The first waits 5 s for its answers, then gives partitions back without them.

    Either they come late, or its bulks never arrive and it dies: nothing of them may be committed.
    """
    arrives = stage.random.choice([False, True])
    stage.note(f"a second joined, the bulks {'were indexed' if arrives else 'never arrived'}")
    topic = setup.topic("a")
    proxy.set(Weather(to_server=arrives, to_client=False))
    wait_until(lambda: first.ledger()[topic]["in_flight"], 20, "documents in flight")
    setup.settings["url"] = setup.elasticsearch.url
    second = stage.sink(setup)
    wait_until(lambda: held(second, topic), 60, "the second to have some of the partitions")
    if not arrives:
        first.kill()
        proxy.reset()
    proxy.set(FAIR)
    return second


def _the_session_ends(stage: Stage, setup: Setup, first: SinkProcess, _: Proxy) -> SinkProcess:
    """
    The first wakes up with answers to what is another's by then.
    """
    stage.note("the session ended")
    topic = setup.topic("a")
    second = stage.sink(setup)
    wait_until(lambda: held(second, topic), 60, "the second to have some of the partitions")
    first.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: len(held(second, topic)) == _PARTITIONS, 60, "the second to have all")
    first.process.send_signal(signal.SIGCONT)
    wait_until(lambda: first.events(LOST), 40, "the first to notice")
    return second
