"""
`sink group` on the real brokers: what it shows, and where a sink goes on after it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.engines.commanding import Ran, command, move
from tests.engines.oracle import committed, indexed_numbers
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until


def _group(setup: Setup, *words: str) -> Ran:
    return command(setup, "group", *words)


def _seek(setup: Setup, to: str, *words: str) -> Ran:
    return _group(setup, "seek", "--topic", setup.topic("a"), "--to", to, *words)


def _import(setup: Setup, *words: str) -> Ran:
    return _group(setup, "import", "--from-group", f"{setup.name}-logstash", *words)


@contextmanager
def _other_tool(setup: Setup) -> Iterator[Consumer]:
    """
    A consumer of another group, as another tool has it.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": setup.kafka.bootstrap_servers,
            "group.id": f"{setup.name}-logstash",
            "client.id": "logstash-0",
            "enable.auto.commit": False,
        }
    )
    try:
        yield consumer
    finally:
        consumer.close()


def _other_tool_committed(setup: Setup, offsets: dict[int, int], user_topic: str = "a") -> None:
    places = [TopicPartition(setup.topic(user_topic), n, at) for n, at in offsets.items()]
    with _other_tool(setup) as consumer:
        consumer.commit(offsets=places, asynchronous=False)


def _shown(setup: Setup) -> dict[int, dict[str, Any]]:
    rows = _group(setup, "show", "--json").json()
    return {row["partition"]: row for row in rows if row["topic"] == setup.topic("a")}


def _at(setup: Setup) -> dict[int, int]:
    return {number: at for (_, number), at in committed(setup, [setup.topic("a")]).items()}


def test_a_sink_begins_where_the_group_it_took_over_stood(setup: Setup) -> None:
    """
    Without it a migration indexes all of Kafka again, or loses what came between the two tools.
    """
    create_topics(setup, {"a": 2})
    produce(setup, "a", numbered(0, 50), partition=0)
    produce(setup, "a", numbered(100, 10), partition=1)
    _other_tool_committed(setup, {0: 30})

    ran = _import(setup, "--yes")

    assert ran.code == 0, ran.err
    move(setup, 30)
    assert set(indexed_numbers(setup)) == {*range(30, 50), *range(100, 110)}


def test_a_dry_run_changes_nothing_and_shows_what_would_be_done(setup: Setup) -> None:
    create_topics(setup, {"a": 2, "b": 1})
    produce(setup, "a", numbered(0, 50), partition=0)
    _other_tool_committed(setup, {0: 30, 1: 0})

    ran = _import(setup, "--dry-run", "--json", "--topics", setup.topic("a"))

    assert ran.code == 0
    assert [(row["partition"], row["before"], row["after"]) for row in ran.json()] == [
        (0, None, 30),
        (1, None, 0),
    ]
    assert _shown(setup)[0]["committed"] is None


def test_a_group_that_goes_on_is_not_taken_over(setup: Setup) -> None:
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 50))
    _other_tool_committed(setup, {0: 30})
    with _other_tool(setup) as consumer:
        consumer.subscribe([setup.topic("a")])
        wait_until(lambda: consumer.poll(0.1) or consumer.assignment(), 30, "an assignment")
        ran = _import(setup, "--yes")

    assert ran.code == 1
    assert "is running, stop it first" in ran.err
    assert "logstash-0" in ran.err
    assert _shown(setup)[0]["committed"] is None


def test_offsets_of_our_own_are_only_overwritten_when_asked_to(setup: Setup) -> None:
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 50))
    _other_tool_committed(setup, {0: 30})
    assert _seek(setup, "10", "--yes").code == 0

    refused = _import(setup, "--yes")
    assert (refused.code, _at(setup)) == (1, {0: 10})
    assert "--overwrite" in refused.err

    assert _import(setup, "--yes", "--overwrite").code == 0
    assert _at(setup) == {0: 30}


def test_a_group_without_offsets_is_said_to_have_none(setup: Setup) -> None:
    """
    A misspelt group would else be a migration from the log's start, and look well done.
    """
    create_topics(setup, {"a": 1})

    ran = _import(setup, "--yes")

    assert ran.code == 1
    assert "has committed nothing" in ran.err


def test_seek_is_refused_while_a_sink_runs_and_a_sink_goes_on_where_it_was_set(
    setup: Setup,
) -> None:
    """
    The running sink would commit over it within a second.
    """
    create_topics(setup, {"a": 2})
    produce(setup, "a", numbered(0, 40))
    with SinkProcess(setup) as sink:
        # One that is stopped while it joins stays a member until its session ends.
        wait_until(lambda: {0, 1} == _joined(sink), 40, "both threads to have joined")
        wait_until(lambda: sum(_at(setup).values()) == 40, 40, "all to be committed")
        member = _shown(setup)[0]["member"]
        refused = _seek(setup, "earliest", "--yes")
        assert sink.terminate() == 0

    assert member.startswith("ekk-sink-")
    assert refused.code == 1
    assert "is running, stop it first" in refused.err and "ekk-sink-" in refused.err
    assert sum(_at(setup).values()) == 40

    assert _seek(setup, "earliest", "--yes").code == 0
    with SinkProcess(setup, 1) as again:
        wait_until(lambda: sum(_at(setup).values()) == 40, 40, "all to be committed again")
        assert again.ledger()[setup.topic("a")]["duplicate"] == 40
        assert again.terminate() == 0


def test_seek_goes_to_a_time_and_not_beyond_the_end(setup: Setup) -> None:
    create_topics(setup, {"a": 2})
    for number in range(10):
        at = {"partition": 0, "timestamp": 1_795_252_400_000 + 1000 * number}
        produce(setup, "a", numbered(number, 1), **at)

    assert _seek(setup, "2026-11-21T09:13:24Z", "--yes").code == 0
    assert _at(setup) == {0: 4, 1: 0}

    refused = _seek(setup, "11", "--partition", "0", "--yes")
    assert (refused.code, _at(setup)[0]) == (1, 4)
    assert f"{setup.topic('a')}/0 ends at 10" in refused.err

    assert _seek(setup, "latest", "--partition", "0", "--yes").code == 0
    assert _at(setup) == {0: 10, 1: 0}


def test_show_tells_what_is_out_of_the_ordinary(setup: Setup) -> None:
    create_topics(setup, {"a": 3})
    for number in range(3):
        produce(setup, "a", numbered(100 * number, 20), partition=number)
    assert _seek(setup, "5", "--partition", "0", "--yes").code == 0
    assert _seek(setup, "5", "--partition", "1", "--yes").code == 0
    admin = AdminClient({"bootstrap.servers": setup.kafka.bootstrap_servers})
    below = [TopicPartition(setup.topic("a"), 1, 12)]
    for future in admin.delete_records(below).values():
        future.result(20)

    rows = _shown(setup)

    facts = ("committed", "begin", "end", "lag", "member", "state")
    assert {number: tuple(row[fact] for fact in facts) for number, row in rows.items()} == {
        0: (5, 0, 20, 15, "", ""),
        1: (5, 12, 20, 8, "", "behind the log's start: 7 records would expire"),
        2: (
            None,
            0,
            20,
            None,
            "",
            "never committed: begins at its first record (a new group: at kafka.start)",
        ),
    }
    table = _group(setup, "show").out
    assert "7 records would expire" in table and "never committed" in table


@pytest.mark.parametrize("words", [("seek", "--to", "0"), ("import", "--from-group", "logstash")])
def test_nothing_is_set_when_nobody_can_be_asked(setup: Setup, words: tuple[str, ...]) -> None:
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 5))
    _other_tool_committed(setup, {0: 3})
    name, *rest = (word.replace("logstash", f"{setup.name}-logstash") for word in words)
    topic = "--topics" if name == "import" else "--topic"

    ran = _group(setup, name, *rest, topic, setup.topic("a"))

    assert ran.code == 2
    assert "--yes" in ran.err
    assert _shown(setup)[0]["committed"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("seek", "--topic", "other", "--to", "earliest"), "no route reads other"),
        (("seek", "--topic", "{name}-a", "--to", "soon"), "soon"),
        (("seek", "--topic", "{name}-a", "--to", "0", "--partition", "7"), "has no partition 7"),
        (("import", "--from-group", "{name}"), "is kafka.group_id itself"),
        (("import", "--from-group", "g", "--topics", "other"), "no route reads other"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    setup: Setup, words: tuple[str, ...], said: str
) -> None:
    create_topics(setup, {"a": 1})

    ran = _group(setup, *(word.format(name=setup.name) for word in words))

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def _joined(sink: SinkProcess) -> set[int]:
    return {event["worker"] for event in sink.events("assigned")}
