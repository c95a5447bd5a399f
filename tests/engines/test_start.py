"""
`kafka.start`: where a new group begins, and that nothing is skipped from then on.
"""

import pytest
from confluent_kafka import Consumer, TopicPartition

from tests.engines.brokering import add_partitions
from tests.engines.commanding import command
from tests.engines.oracle import committed, indexed_numbers
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

_OLD_MS = 1_781_000_000_000  # 2026-06-09T10:13:20Z
_NEW_MS = 1_782_000_000_000  # 2026-06-21T00:00:00Z
_BETWEEN = "2026-06-15T00:00:00Z"
_QUICK = "'topic.metadata.refresh.interval.ms' = 1000"
_IMPATIENT = "'session.timeout.ms' = 6000, 'heartbeat.interval.ms' = 300"  # not by KIP-848
_PARKED = 3  # partitions of the parked topic


def _start(setup: Setup, start: str = "latest", more: str = "", *, impatient: bool = True) -> None:
    client = f"client = {{ {_QUICK}, {_IMPATIENT} }}" if impatient else f"client = {{ {_QUICK} }}"
    setup.settings["kafka"] = f'start = "{start}"\n{more}\n{client}'


def _until(setup: Setup, *wanted: int) -> None:
    """
    Wait until these numbers are indexed, each once and no other.
    """
    wait_until(lambda: len(indexed_numbers(setup)) >= len(wanted), 60, f"{len(wanted)} numbers")
    assert sorted(indexed_numbers(setup).elements()) == sorted(wanted)


def _commit(setup: Setup, group: str, offsets: dict[tuple[str, int], int]) -> None:
    """
    Commit offsets as another tool does.
    """
    servers = {"bootstrap.servers": setup.kafka.bootstrap_servers}
    consumer = Consumer(servers | {"group.id": group, "enable.auto.commit": False})
    places = [TopicPartition(topic, number, at) for (topic, number), at in offsets.items()]
    consumer.commit(offsets=places, asynchronous=False)
    consumer.close()


@pytest.mark.parametrize(
    ("start", "first", "protocol"),
    [("latest", [], "classic"), (_BETWEEN, [*range(50, 60)], "consumer")],
)
def test_a_new_group_begins_where_it_is_told_and_skips_nothing_that_comes_later(
    setup: Setup, start: str, first: list[int], protocol: str
) -> None:
    """
    Killed at once: what was written meanwhile came after the group began, and is nowhere else.
    """
    # A dead member keeps its partitions until its session ends; by KIP-848 the broker says when.
    is_killed = protocol == "classic"
    _start(setup, start, f'group_protocol = "{protocol}"', impatient=is_killed)
    create_topics(setup, {"a": 2, "empty": 1})
    produce(setup, "a", numbered(0, 50), timestamp=_OLD_MS, partition=0)
    produce(setup, "a", numbered(50, 10), timestamp=_NEW_MS, partition=0)
    with SinkProcess(setup) as sink:
        sink.until_assigned(3)
        if is_killed:
            sink.kill()
        else:
            assert sink.terminate() == 0
    create_topics(setup, {"created": 1})
    add_partitions(setup, "empty", 2)
    for number, (user_topic, partition) in enumerate(
        [("a", 0), ("a", 1), ("empty", 0), ("empty", 1), ("created", 0)]
    ):
        produce(
            setup, user_topic, numbered(100 + number, 1), timestamp=_OLD_MS, partition=partition
        )
    with SinkProcess(setup, 1) as sink:
        _until(setup, *first, *range(100, 105))
        create_topics(setup, {"later": 1})
        add_partitions(setup, "a", 3)
        produce(setup, "later", numbered(105, 1), timestamp=_OLD_MS)
        produce(setup, "a", numbered(106, 1), timestamp=_OLD_MS, partition=2)
        _until(setup, *first, *range(100, 107))
        assert sink.terminate() == 0


def test_two_sinks_of_a_new_group_begin_at_the_same_moment(setup: Setup) -> None:
    _start(setup)
    create_topics(setup, {"a": 6})
    for partition in range(6):
        produce(setup, "a", numbered(10 * partition, 10), partition=partition)
    with SinkProcess(setup) as one, SinkProcess(setup, 1) as two:
        for sink in (one, two):
            sink.until_assigned(1)
        assert sum(committed(setup, [setup.topic("a")]).values()) == 60
        for partition in range(6):
            produce(setup, "a", numbered(100 + partition, 1), partition=partition)
        _until(setup, *range(100, 106))
        assert one.terminate() == two.terminate() == 0


def test_a_sink_that_joins_a_group_without_commits_does_not_wait_for_it(setup: Setup) -> None:
    """
    Its topics are empty so far. It has begun all the same: what comes is read from the first.
    """
    _start(setup)
    with SinkProcess(setup) as one:
        one.until_assigned(_PARKED)
        create_topics(setup, {"a": 4})
        with SinkProcess(setup, 1) as two:
            two.until_ready()
            for partition in range(4):
                produce(setup, "a", numbered(partition, 1), partition=partition)
            _until(setup, *range(4))
            assert two.terminate() == 0
        assert one.terminate() == 0


def test_a_group_that_took_over_another_begins_what_that_had_not_at_the_first_record(
    setup: Setup,
) -> None:
    _start(setup)
    create_topics(setup, {"a": 2})
    produce(setup, "a", numbered(0, 50), partition=0)
    produce(setup, "a", numbered(100, 10), partition=1)
    _commit(setup, f"{setup.name}-logstash", {(setup.topic("a"), 0): 30})
    ran = command(setup, "group", "import", "--from-group", f"{setup.name}-logstash", "--yes")
    assert ran.code == 0, ran.err
    with SinkProcess(setup) as sink:
        _until(setup, *range(30, 50), *range(100, 110))
        assert sink.terminate() == 0


def test_a_group_that_committed_in_the_parked_topic_alone_is_not_new(setup: Setup) -> None:
    """
    It ran before its topics were there: they came later.
    """
    _start(setup)
    with SinkProcess(setup) as sink:
        sink.until_assigned(_PARKED)
        assert sink.terminate() == 0
    _commit(setup, setup.group, {(setup.parked_topic, 0): 0})
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 5))
    with SinkProcess(setup, 1) as sink:
        _until(setup, *range(5))
        assert sink.terminate() == 0
