"""
A cluster of three Elasticsearch nodes, and a shard that no node holds.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

from engines import elasticsearch_cluster
from engines.ports import HOST, free_ports
from tests.engines.brokering import committed_of, until_committed
from tests.engines.oracle import ask
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup
from tests.faults.scenario import scenario
from tests.faults.stage import Stage
from tests.faults.tampering import Answer, Bulk, Tampering, honest, refusal
from tests.waiting import wait_until

_PIECE = 2_000  # records that are produced at a time
_AT_MS = time.time_ns() // 1_000_000  # this month's index


class _Flow:
    """
    Records of a topic that are produced piece by piece, and must come through each time.
    """

    def __init__(self, setup: Setup, user_topic: str) -> None:
        self._setup = setup
        self._user_topic = user_topic
        self.produced = 0

    def goes_on(self, timeout_s: float = 60) -> float:
        """
        Produce a piece and wait until all of it is accounted for.

        Returns:
            How long it took, in seconds.
        """
        began_s = time.monotonic()
        values = numbered(self.produced, _PIECE)
        produce(self._setup, self._user_topic, values, timestamp=_AT_MS)
        self.produced += _PIECE
        until_committed(self._setup, self._user_topic, self.produced, timeout_s)
        return time.monotonic() - began_s


def _failing(stage: Stage) -> Callable[[Bulk], Answer]:
    statuses = [stage.random.choice([500, 502, 503]) for _ in range(100)]
    numbers = count()
    return lambda _: refusal(statuses[next(numbers) % 100], "node_is_sick_exception")


@scenario(
    "40",
    "Three nodes, and a fourth of the list that is not there: one answers 5xx for a while, then "
    "all are restarted in turn, one of them by kill -9",
    "the others take its traffic while it is away, and it gets some again when it is back",
    timeout_s=400,
)
def nodes_come_and_go(stage: Stage) -> None:
    nodes = elasticsearch_cluster(stage.folder / "cluster", heap="512m", fast_start=True)
    stage.started(*nodes)
    (nobody,) = free_ports(1)
    with Tampering(nodes[0]) as front:
        hosts = [front.url, nodes[1].url, nodes[2].url, f"http://{HOST}:{nobody}"]
        setup = stage.setup(elasticsearch=nodes[1], url='", "'.join(hosts), bulk="docs_max = 200")
        create_topics(setup, {"a": 4})
        sink, flow = stage.sink(setup), _Flow(setup, "a")
        wait_until(lambda: flow.goes_on() and _taken(front), 60, "traffic to the first node")
        _until_green(setup)

        front.tamper = _failing(stage)
        before = flow.produced
        wait_until(lambda: flow.goes_on() and _failed(front) >= 3, 60, "it to be asked again")
        elsewhere, failed = flow.produced - before, _failed(front)
        front.tamper, taken = honest, _taken(front)
        stage.healed()
        wait_until(lambda: flow.goes_on() and _taken(front) > taken, 60, "traffic to it again")
        stage.recovered()

        killed = stage.random.choice(nodes)
        for node in stage.random.sample(nodes, len(nodes)):
            node.stop() if node is not killed else node.kill()
            flow.goes_on()
            node.start()
            _until_green(setup)
        taken = _taken(front)
        wait_until(lambda: flow.goes_on() and _taken(front) > taken, 60, "traffic to it again")
        wait_until(lambda: not sink.reasons(), 20, "it to be ready")
        assert sink.terminate() == 0
        stage.note(f"{failed} bulks refused with 5xx while {elsewhere:,} records went elsewhere")
    assert stage.judge(setup, ["a"]) == flow.produced


def _taken(front: Tampering) -> int:
    return sum(bulk.status == 200 for bulk in front.bulks)


def _failed(front: Tampering) -> int:
    return sum(bulk.status >= 500 for bulk in front.bulks)


def _until_green(setup: Setup) -> None:
    def is_green() -> bool:
        try:
            health = ask(setup, "GET", "/_cluster/health?wait_for_status=green&timeout=5s")
        except OSError:  # 408: not yet
            return False
        return bool(health["status"] == "green")

    wait_until(is_green, 60, "each shard to have its replica")


@scenario(
    "s4",
    "The only shard of an index is held by no node, so a bulk with a document of it waits",
    "documents of other indices are not held with it; its own wait, and follow when it is held",
)
def a_primary_that_nobody_holds(stage: Stage) -> None:
    setup = stage.setup()
    month = datetime.fromtimestamp(_AT_MS / 1000, UTC).strftime("%Y-%m-01")
    index = f"{setup.name}-sick_{month}"
    nobody = {"settings": {"index.routing.allocation.require._name": "nobody"}}
    ask(setup, "PUT", f"/{index}?wait_for_active_shards=0", nobody)
    create_topics(setup, {"sick": 1, "well": 1})
    well = _Flow(setup, "well")
    produce(setup, "sick", numbered(1_000_000, _PIECE), timestamp=_AT_MS)
    sink = stage.sink(setup)
    took_s = [well.goes_on(30) for _ in range(6)]
    parked = wait_until(lambda: sink.get("/parked")[1], 20, "the index to be parked")
    assert [each["index"] for each in parked] == [index]
    assert committed_of(setup, "sick") == {0: 0}
    ask(setup, "PUT", f"/{index}/_settings", {"index.routing.allocation.require._name": None})
    stage.healed()
    until_committed(setup, "sick", _PIECE, 60)
    stage.recovered()
    assert sink.terminate() == 0
    stage.note(f"{_PIECE:,} records of the other index took {max(took_s):.1f} s at most")
    assert stage.judge(setup, ["sick", "well"]) == well.produced + _PIECE
