"""
`sink parked` on the real engines: what waits is listed, and an operator's decision is obeyed.
"""

from typing import Any

import pytest

from tests.engines.commanding import Ran, command
from tests.engines.oracle import (
    ask,
    check,
    committed,
    dead_places,
    indexed_numbers,
    parked_places,
    read_topic,
)
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

AT_MS = 1_781_000_000_000  # June 2026
BLOCKED = "cluster_block_exception"


def _index(setup: Setup, user_topic: str) -> str:
    return f"{setup.name}-{user_topic}_2026-06-01"


def _block(setup: Setup, user_topic: str, *, blocked: bool = True) -> None:
    value = True if blocked else None
    path = f"/{_index(setup, user_topic)}/_settings"
    ask(setup, "PUT", path, {"index": {"blocks.write": value}})


def _parked(setup: Setup, *words: str) -> Ran:
    return command(setup, "parked", *words)


def _fate(sink: SinkProcess, topic: str, fate: str) -> int:
    return sink.ledger().get(topic, {}).get(fate, 0)


def _prepare(setup: Setup, user_topics: dict[str, int], *, partitions: int = 3) -> None:
    """
    Make topics and their indices, blocked.

    Args:
        user_topics: Topic → number that its records begin with.
        partitions: Of the parked topic.
    """
    setup.settings["more"] = f"[park]\nms_max = 200\n[dead_letter]\npartitions = {partitions}\n"
    create_topics(setup, dict.fromkeys(user_topics, 2))
    for user_topic in user_topics:
        path = f"/{_index(setup, user_topic)}"
        ask(setup, "PUT", path, {"settings": {"index.number_of_replicas": 0}})
        _block(setup, user_topic)


def _park(setup: Setup, sink: SinkProcess, user_topic: str, first: int, count: int) -> None:
    """
    Produce records whose index is blocked, and wait until they are in the parked topic.
    """
    produce(setup, user_topic, numbered(first, count), timestamp=AT_MS)
    topic = setup.topic(user_topic)
    wait_until(lambda: _fate(sink, topic, "parked") == count, 40, f"{count} to be parked")


def _through(setup: Setup) -> bool:
    """
    Tell whether the group has committed the parked topic to its end.
    """
    ends = {}
    for message in read_topic(setup, [setup.parked_topic]):
        ends[message.topic() or "", message.partition() or 0] = (message.offset() or 0) + 1
    at = committed(setup, [setup.parked_topic])
    return all(at[place] == end for place, end in ends.items())


def _until_through(setup: Setup) -> None:
    wait_until(lambda: _through(setup), 40, "the parked topic to be through")


def _groups(ran: Ran) -> dict[str, dict[str, Any]]:
    return {group["index"]: group for group in ran.json()["groups"]}


def test_what_waits_is_listed_by_index_topic_and_error(setup: Setup) -> None:
    _prepare(setup, {"sick": 0, "ill": 1000})
    nothing = _parked(setup, "list")
    assert (nothing.code, nothing.out.split(":")[0]) == (0, "nothing was ever parked")
    with SinkProcess(setup) as sink:
        _park(setup, sink, "sick", 0, 300)
        _park(setup, sink, "ill", 1000, 5)

        groups = _groups(_parked(setup, "list", "--json"))
        table = _parked(setup, "list").out
        chosen = _parked(setup, "list", "--json", "--topic", setup.topic("i*"))
        assert sink.terminate() == 0

    sick = groups[_index(setup, "sick")]
    assert (sick["topic"], sick["error_type"]) == (setup.topic("sick"), BLOCKED)
    assert (sick["documents"], groups[_index(setup, "ill")]["documents"]) == (300, 5)
    assert sick["size_bytes"] == sum(map(len, numbered(0, 300)))
    assert "blocked by" in sick["reason"] and "index write" in sick["reason"]
    assert table.splitlines()[1].split()[:4] == [
        _index(setup, "sick"),
        setup.topic("sick"),
        BLOCKED,
        "300",
    ]
    assert _groups(chosen).keys() == {_index(setup, "ill")}


def test_what_waits_in_a_sinks_memory_is_listed_too(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    _prepare(setup, {"sick": 0})
    setup.settings["more"] = "[park]\nms_max = 86400000\n"
    with SinkProcess(setup) as sink:
        produce(setup, "sick", numbered(0, 50), timestamp=AT_MS)
        wait_until(lambda: sum(each["documents"] for each in sink.get("/parked")[1]) == 50, 40, "")
        unknown = _parked(setup, "list", "--json")
        monkeypatch.setenv("SINK__STATUS__PORT", sink.url().rpartition(":")[2])
        told = _parked(setup, "list", "--json").json()
        nothing_is_meant = _parked(setup, "drop", "--all", "--yes")

    assert (unknown.code, unknown.json()["memory"]) == (0, None)
    assert "is not known: status.port is 0" in unknown.err
    assert told["groups"] == []
    (memory,) = told["memory"]
    assert (memory["index"], memory["documents"]) == (_index(setup, "sick"), 50)
    assert memory["error_type"] == BLOCKED
    assert nothing_is_meant.code == 1


def test_dropped_documents_are_nowhere_and_the_offset_reaches_the_end(setup: Setup) -> None:
    _prepare(setup, {"sick": 0})
    with SinkProcess(setup) as sink:
        _park(setup, sink, "sick", 0, 200)
        before = len(read_topic(setup, [setup.parked_topic]))
        asked_nobody = _parked(setup, "drop", "--all")
        dry = _parked(setup, "drop", "--all", "--dry-run")
        assert (asked_nobody.code, dry.code) == (2, 0)
        assert len(read_topic(setup, [setup.parked_topic])) == before

        ran = _parked(setup, "drop", "--index", f"{setup.name}-sick*", "--yes", "--json")

        assert ran.code == 0, ran
        effect = ran.json()["effect"]
        assert (effect["documents"], effect["waiting"]) == (200, 0)
        _until_through(setup)
        wait_until(
            lambda: _fate(sink, setup.parked_topic, "dropped:operator") == 200, 10, "the ledger"
        )
        _block(setup, "sick", blocked=False)
        produce(setup, "sick", numbered(5000, 1), timestamp=AT_MS)
        wait_until(lambda: 5000 in indexed_numbers(setup), 40, "the index to be well again")
        assert sink.terminate() == 0
    assert set(indexed_numbers(setup)) == {5000}
    assert dead_places(setup) == {(setup.dead_letter_topic, -1, -1)}  # what the operator did
    assert len(parked_places(setup)) >= 200
    assert _parked(setup, "list", "--json").json()["groups"] == []
    began, done = command(setup, "dlq", "list", "--json").json()["operations"]
    assert (began["event"], done["event"]) == ("began", "done")
    assert done["command"] == "parked drop"
    assert done["arguments"] == {"index": f"{setup.name}-sick*", "topic": "*"}
    assert done["result"] == {"meant": 200, "waiting": 0}
    assert effect["by"].startswith(done["by"])


def test_documents_of_other_indices_stay_and_are_indexed_when_theirs_is_well(
    setup: Setup,
) -> None:
    _prepare(setup, {"ill": 1000, "sick": 0}, partitions=1)
    with SinkProcess(setup) as sink:
        _park(setup, sink, "ill", 1000, 20)
        _park(setup, sink, "sick", 0, 30)

        ran = _parked(setup, "drop", "--topic", setup.topic("sick"), "--yes", "--wait", "20")

        assert ran.code == 0, ran
        wait_until(
            lambda: _fate(sink, setup.parked_topic, "dropped:operator") == 30, 10, "the drop"
        )
        listed = _groups(_parked(setup, "list", "--json"))
        assert listed.keys() == {_index(setup, "ill")}
        assert listed[_index(setup, "ill")]["documents"] == 20
        _block(setup, "ill", blocked=False)
        _block(setup, "sick", blocked=False)
        _until_through(setup)
        assert sink.terminate() == 0
    assert set(indexed_numbers(setup)) == set(range(1000, 1020))


def test_documents_moved_to_the_dead_letters_are_replayed_from_there(setup: Setup) -> None:
    _prepare(setup, {"sick": 0})
    with SinkProcess(setup) as sink:
        _park(setup, sink, "sick", 0, 60)
        ran = _parked(setup, "to-dlq", "--all", "--yes")
        assert ran.code == 0, ran
        assert "none of them waits any more" in ran.out
        _until_through(setup)
        assert sink.terminate() == 0
    (group,) = command(setup, "dlq", "list", "--json").json()["groups"]
    assert (group["index"], group["error_type"]) == (_index(setup, "sick"), BLOCKED)
    assert (group["topic"], group["documents"]) == (setup.topic("sick"), 60)

    _block(setup, "sick", blocked=False)
    replayed = command(setup, "dlq", "replay", "--json", "--error", BLOCKED)
    assert (replayed.code, replayed.json()["fates"]) == (0, {"indexed": 60})
    assert set(indexed_numbers(setup)) == set(range(60))
    assert check(setup, ["sick"]) == 60


def test_released_documents_are_tried_and_wait_on_when_refused_again(setup: Setup) -> None:
    _prepare(setup, {"sick": 0})
    with SinkProcess(setup) as sink:
        _park(setup, sink, "sick", 0, 40)
        topic = setup.parked_topic
        wait_until(lambda: _fate(sink, topic, "parked") >= 40, 20, "them to be left there")

        ran = _parked(setup, "release", "--all", "--yes", "--wait", "2")

        assert ran.code == 1
        assert "Not done yet: 40 of them" in ran.out
        wait_until(lambda: _fate(sink, topic, "parked") >= 80, 20, "them to be tried")
        _block(setup, "sick", blocked=False)
        again = _parked(setup, "release", "--all", "--yes", "--wait", "60")
        assert again.code in (0, 1)  # 1: nothing is meant, the sink was quicker
        _until_through(setup)
        assert sink.terminate() == 0
    assert dead_places(setup) <= {(setup.dead_letter_topic, -1, -1)}
    assert check(setup, ["sick"]) == 40
    assert set(indexed_numbers(setup)) == set(range(40))


def test_a_decision_given_while_no_sink_runs_is_obeyed_by_the_next(setup: Setup) -> None:
    _prepare(setup, {"sick": 0})
    with SinkProcess(setup) as sink:
        _park(setup, sink, "sick", 0, 100)
        assert sink.terminate() == 0

    ran = _parked(setup, "drop", "--all", "--yes")

    assert ran.code == 0
    assert f"No sink of group {setup.group} runs: the next that starts obeys" in ran.out
    (decided,) = _parked(setup, "list", "--json").json()["decisions"]
    assert (decided["command"], decided["index"]) == ("drop", "*")
    with SinkProcess(setup, 1) as sink:
        _until_through(setup)
        assert _fate(sink, setup.parked_topic, "dropped:operator") == 100
        assert sink.terminate() == 0
    assert indexed_numbers(setup) == {}


def test_two_sinks_obey_each_in_its_partitions(setup: Setup) -> None:
    _prepare(setup, {"sick": 0}, partitions=6)
    with SinkProcess(setup) as one, SinkProcess(setup, 1) as two:
        for each in (one, two):
            wait_until(
                lambda each=each: [  # type: ignore[misc]
                    p
                    for line in each.events("assigned")
                    for p in line["partitions"]
                    if p.startswith(setup.parked_topic)
                ],
                60,
                "partitions of the parked topic for both",
            )
        for begin in range(0, 600, 50):  # a batch of the producer keeps to one partition
            produce(setup, "sick", numbered(begin, 50), timestamp=AT_MS)
        topic = setup.topic("sick")
        wait_until(
            lambda: _fate(one, topic, "parked") + _fate(two, topic, "parked") == 600, 40, "600"
        )

        ran = _parked(setup, "drop", "--all", "--yes", "--json")

        assert ran.code == 0, ran
        _until_through(setup)
        parked = setup.parked_topic
        dropped = [_fate(each, parked, "dropped:command") for each in (one, two)]
        assert all(dropped), "one of them never learned of it"
        assert one.terminate() == two.terminate() == 0
    assert indexed_numbers(setup) == {}
    assert len(parked_places(setup)) == 600
