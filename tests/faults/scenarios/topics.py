"""
Topics come, go, grow and lose records while they are read.
"""

import time
from random import Random

from tests.engines.brokering import (
    Transactions,
    add_partitions,
    admin_of,
    committed_of,
    delete_records,
    delete_topic,
    until_committed,
)
from tests.engines.oracle import indexed_numbers
from tests.engines.producing import create_topics, numbered, produce, recreate_topic
from tests.engines.running import QUICK, Setup, SinkProcess
from tests.faults.membership import LOST
from tests.faults.scenario import scenario
from tests.faults.stage import Stage
from tests.faults.steady import Steady
from tests.waiting import wait_until

_BROKE = "consumer broke, a new one is built; nothing is committed"
_EXPIRED = "offset out of range, reading goes on at the log's start"
# It reads ahead little, so that what retention takes is not in its memory already.
_READS_LITTLE = "queued_kbytes = 64\nfetch_bytes_max = 1000000\npoll_bytes_max = 65536"


def _ledger(sink: SinkProcess, setup: Setup, user_topic: str = "a") -> dict[str, int]:
    return sink.ledger().get(setup.topic(user_topic), {})


def _protocol(random: Random) -> str:
    return random.choice(["classic", "consumer"])


@scenario(
    "24",
    "topics that match the pattern are created one after another under load, and filled at once: "
    "their first records are older than their discovery",
    "every one is read from its first record, also where the group starts at the newest",
)
def new_topics(stage: Stage) -> None:
    setup, random = stage.setup(), stage.random
    start, protocol = random.choice(["earliest", "latest"]), _protocol(random)
    quick = QUICK if protocol == "classic" else ""
    setup.settings["kafka"] = f'start = "{start}"\ngroup_protocol = "{protocol}"\n{quick}'
    stage.note(f"{start}, {protocol}")
    create_topics(setup, {"old": 2})
    sink = stage.sink(setup)
    sink.until_assigned(2)
    topics, first = {"old": 0}, 1_000_000
    with Steady(setup, ["old"], 500, random=random) as load:
        for number in range(6):
            name = f"new{number}"
            create_topics(setup, {name: random.randrange(1, 4)})
            topics[name] = random.randrange(50, 1_000)
            produce(setup, name, numbered(first, topics[name]))
            first += topics[name]
            time.sleep(random.uniform(0, 2))  # one after another is the fault
        stage.healed()
        topics["old"] = load.end()
    for name, records in topics.items():
        until_committed(setup, name, records, 90)
    stage.recovered()
    assert sink.terminate() == 0
    assert stage.judge(setup, list(topics)) == sum(topics.values())


@scenario(
    "25",
    "of three topics under load one is deleted, one gets more partitions",
    "the third goes on without an error, the new partitions are read from their first record",
)
def deleted_and_grown(stage: Stage) -> None:
    setup, random = stage.setup(), stage.random
    protocol = _protocol(random)
    quick = QUICK if protocol == "classic" else ""
    setup.settings["kafka"] = f'group_protocol = "{protocol}"\n{quick}'
    stage.note(protocol)
    create_topics(setup, {"goes": 2, "grows": 1, "stays": 2})
    produce(setup, "goes", numbered(0, 5_000))
    sink = stage.sink(setup)
    with Steady(setup, ["stays"], 1_000, random=random, first=1_000_000) as load:
        wait_until(lambda: _ledger(sink, setup, "goes").get("indexed"), 40, "the first documents")
        for change in random.sample([_delete, _grow], 2):
            change(setup)
            time.sleep(random.uniform(0, 3))  # one after the other, or nearly at once
        stage.healed()
        until_committed(setup, "grows", 3_000, 90)
        stage.recovered()
        wait_until(lambda: _given_up(sink, setup.topic("goes")), 60, "the deleted to be given up")
        records = load.end()
    until_committed(setup, "stays", records, 60)
    assert sink.reasons() == {}
    assert not sink.events(_BROKE)
    assert not sink.events("the ledger does not add up, please report this")
    assert sink.terminate() == 0
    assert stage.judge(setup, ["grows", "stays"]) == 3_000 + records


def _delete(setup: Setup) -> None:
    delete_topic(setup, "goes")


def _grow(setup: Setup) -> None:
    produce(setup, "grows", numbered(500_000, 1_000))
    add_partitions(setup, "grows", 3)
    for partition in (1, 2):
        # The brokers know the partition a moment after they have said that it is made.
        wait_until(lambda: _is_led(setup, "grows", 3), 20, "leaders of the new partitions")
        first = 500_000 + partition * 1_000
        produce(setup, "grows", numbered(first, 1_000), partition=partition)


def _is_led(setup: Setup, user_topic: str, partitions: int) -> bool:
    topic = setup.topic(user_topic)
    known = admin_of(setup).list_topics(topic, timeout=20).topics[topic].partitions
    return len(known) == partitions and all(p.leader >= 0 for p in known.values())


def _given_up(sink: SinkProcess, topic: str) -> bool:
    lines = sink.events("revoked") + sink.events(LOST)
    return any(topic in name for line in lines for name in line["partitions"])


@scenario(
    "s5",
    "a topic is deleted and created again while it is read; the new log is shorter or longer than "
    "the old one, or grows past it",
    "every record of the new topic is indexed",
)
def created_again(stage: Stage) -> None:
    setup, random = stage.setup(), stage.random
    protocol = _protocol(random)
    setup.settings["kafka"] = f'group_protocol = "{protocol}"'
    old = random.randrange(200, 2_000)
    new = random.choice([random.randrange(200, old + 1), old + random.randrange(200, 2_000)])
    stage.note(f"{protocol}, {old} records, then {new}")
    create_topics(setup, {"a": 1, "other": 1})
    produce(setup, "a", numbered(0, old))
    sink = stage.sink(setup)
    until_committed(setup, "a", old)
    recreate_topic(setup, "a", 1)
    cut = random.choice([random.randrange(new), new])
    produce(setup, "a", numbered(old, cut))
    time.sleep(random.uniform(0, 4))  # before, while or after it is noticed
    produce(setup, "a", numbered(old + cut, new - cut))
    stage.healed()
    produce(setup, "other", numbered(1_000_000, 500))
    wait_until(lambda: len(_numbers(setup)) >= old + new + 500, 60, "every record")
    until_committed(setup, "a", new, 60)
    until_committed(setup, "other", 500)
    stage.recovered()
    assert sink.terminate() == 0
    # Read on at the old offset before it was noticed: indexed under the old id as well.
    read_on = set(range(old + old, old + new))
    assert stage.judge(setup, ["a", "other"], doubled=read_on) == new + 500
    assert _numbers(setup) >= set(range(old + new))
    stage.note(f"{sum(n > 1 for n in indexed_numbers(setup).values())} indexed under both ids")


def _numbers(setup: Setup) -> set[int]:
    return set(indexed_numbers(setup))


@scenario(
    "s7",
    "a topic is deleted just before the sink is stopped: its last commit names a topic that is no "
    "more",
    "the offsets of the other topics are stored",
    quick=True,
)
def a_commit_of_a_vanished_topic(stage: Stage) -> None:
    setup, random = stage.setup(), stage.random
    # One commit, the last: the next would be after ten minutes.
    setup.settings["kafka"] = "commit_interval_ms = 600000"
    topics = {f"t{number}": random.randrange(100, 1_500) for number in range(4)}
    create_topics(setup, dict.fromkeys(topics, 2))
    first = 0
    for name, records in topics.items():
        produce(setup, name, numbered(first, records))
        first += records
    sink = stage.sink(setup)
    wait_until(lambda: len(_numbers(setup)) == first, 60, "all documents to be indexed")
    gone = random.choice(list(topics))
    delete_topic(setup, gone)
    assert sink.terminate() == 0
    del topics[gone]
    for name, records in topics.items():
        assert sum(committed_of(setup, name).values()) == records, f"{name} is not committed"
    assert stage.judge(setup, list(topics)) == sum(topics.values())


@scenario(
    "s8",
    "retention deletes records that the group has not read: while the sink is stopped, and while "
    "Elasticsearch is frozen under load",
    "the gap is logged as an error and counted to the record; the rest is read",
)
def retention_overtakes(stage: Stage) -> None:
    setup, random = stage.setup(bulk="docs_max = 100\nqueue_slots = 1\nin_flight = 1"), stage.random
    setup.settings["kafka"] = _READS_LITTLE
    create_topics(setup, {"a": 1})
    read, unread = random.randrange(100, 2_000), random.randrange(100, 2_000)
    produce(setup, "a", numbered(0, read))
    sink = stage.sink(setup)
    until_committed(setup, "a", read)
    assert sink.terminate() == 0
    produce(setup, "a", numbered(read, unread))
    gap = random.randrange(1, unread)
    delete_records(setup, "a", read + gap)

    sink = stage.sink(setup)
    until_committed(setup, "a", read + unread)
    assert _ledger(sink, setup)["expired"] == gap
    assert [line["expired_records"] for line in sink.events(_EXPIRED)] == [gap]

    records, left = 40_000, random.randrange(500, 3_000)
    end = read + unread + records
    stage.elasticsearch.freeze()
    produce(setup, "a", numbered(read + unread, records))
    wait_until(lambda: _ledger(sink, setup).get("in_flight"), 20, "it to be stuck")
    delete_records(setup, "a", end - left)
    stage.elasticsearch.thaw()
    stage.healed()
    until_committed(setup, "a", end, 60)
    stage.recovered()
    expired = sink.fates(setup.topic("a"))["expired"]
    told = [line["expired_records"] for line in sink.events(_EXPIRED)]
    assert expired > gap
    assert sum(told) == expired, f"{told} are told, {expired} counted"
    assert len(_numbers(setup)) == end - expired, f"{expired} are said to have expired"
    stage.note(f"{expired:,} expired, counted exactly")
    assert sink.terminate() == 0
    assert stage.judge(setup, ["a"]) == left


@scenario(
    "s11",
    "producers commit and abort transactions by chance while they are read, and the sink is killed",
    "no aborted record is indexed; the committed offset passes the markers to the end of the log",
    quick=True,
)
def transactions(stage: Stage) -> None:
    setup, random = stage.setup(), stage.random
    setup.settings["kafka"] = 'group_instance_id = "one"'  # its partition waits for no session
    create_topics(setup, {"a": 1})
    producer = Transactions(setup)
    sink = stage.sink(setup)
    kept: set[int] = set()
    first = end = 0
    for number in range(12):
        count, aborts = random.randrange(1, 200), random.random() < 0.4
        (producer.abort if aborts else producer.commit)("a", numbered(first, count))
        kept |= set() if aborts else {*range(first, first + count)}
        first, end = first + count, end + count + 1  # with the marker
        if number == 6:
            sink.kill()
            sink = stage.sink(setup)
    producer.abort("a", numbered(first, 50))  # the last thing in the log is no record
    stage.healed()
    until_committed(setup, "a", end + 51, 60)
    stage.recovered()
    assert sink.terminate() == 0
    assert stage.judge(setup, ["a"]) == len(kept)
    assert _numbers(setup) == kept
