"""
`sink replay` on the real engines: a range of a topic again, into the same index or a shadow one.
"""

from dataclasses import replace

import pytest

from tests.engines.commanding import command, move
from tests.engines.oracle import ask, check, committed, documents, indexed_numbers
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup

_T0 = 1_769_904_000_000  # 2026-02-01T00:00:00Z


def test_a_range_replayed_into_the_same_index_gives_duplicates_only(setup: Setup) -> None:
    create_topics(setup, {"a": 2})
    produce(setup, "a", numbered(0, 500))
    move(setup, 500)
    before = {(hit["_index"], hit["_id"]) for hit in documents(setup)}
    offsets = committed(setup, [setup.topic("a")])

    ran = command(setup, "replay", "--topic", setup.topic("a"), "--from", "0", "--json")

    assert (ran.code, ran.json()["fates"]) == (0, {"duplicate": 500})
    assert {(hit["_index"], hit["_id"]) for hit in documents(setup)} == before
    assert committed(setup, [setup.topic("a")]) == offsets
    assert check(setup, ["a"]) == 500
    (began, done) = command(setup, "dlq", "list", "--json").json()["operations"]
    assert began["command"] == "replay"
    assert began["arguments"] == {"topic": setup.topic("a"), "from": 0, "rate": 5000}
    assert done["result"] == {"duplicate": 500}


def test_an_index_that_was_deleted_is_made_again_from_the_topic(setup: Setup) -> None:
    create_topics(setup, {"a": 2})
    produce(setup, "a", [*numbered(0, 50), b'[{"n":50},{"n":51}]', None])
    move(setup, 53)
    before = {(hit["_index"], hit["_id"]) for hit in documents(setup)}
    ask(setup, "DELETE", f"/{documents(setup)[0]['_index']}")

    ran = command(setup, "replay", "--topic", setup.topic("a"), "--from", "0", "--json")

    assert ran.json()["fates"] == {"indexed": 52, "dropped:tombstone": 1}
    assert {(hit["_index"], hit["_id"]) for hit in documents(setup)} == before


def test_a_shadow_index_gets_every_document_under_its_id(setup: Setup) -> None:
    create_topics(setup, {"a": 2})
    produce(setup, "a", numbered(0, 300))
    move(setup, 300)
    topic, shadow = setup.topic("a"), f"{setup.name}-shadow-"
    before = {(hit["_index"], hit["_id"]) for hit in documents(setup)}
    words = ("replay", "--topic", topic, "--from", "0", "--shadow", shadow)

    dry = command(setup, *words, "--dry-run", "--json")
    index = shadow + next(iter(before))[0]
    assert dry.json()["would_be_sent"] == [{"index": index, "documents": 300}]
    assert {(hit["_index"], hit["_id"]) for hit in documents(setup)} == before

    assert command(setup, *words).code == 0

    found = {(hit["_index"], hit["_id"]) for hit in documents(setup)}
    assert found == before | {(shadow + name, id_) for name, id_ in before}


def test_a_range_is_bounded_by_offsets_times_and_partitions(setup: Setup) -> None:
    create_topics(setup, {"a": 2})
    for number in range(10):
        produce(setup, "a", numbered(number, 1), partition=0, timestamp=_T0 + number * 1000)
    produce(setup, "a", numbered(10, 5), partition=1, timestamp=_T0)
    topic = setup.topic("a")

    def indexed(*words: str) -> set[int]:
        ran = command(setup, "replay", "--topic", topic, *words, "--json")
        assert ran.code == 0, ran.err
        numbers = set(indexed_numbers(setup))
        ask(setup, "DELETE", f"/{setup.name}-a_2026-02-01")
        return numbers

    assert indexed("--from", "2", "--to", "4", "--partition", "0") == {2, 3}
    assert indexed("--from", "2026-02-01T00:00:03Z", "--to", "2026-02-01T00:00:05Z") == {3, 4}
    assert indexed("--from", "4", "--rate", "50") == {4, 5, 6, 7, 8, 9, 14}
    assert indexed("--from", "0", "--partition", "1") == {10, 11, 12, 13, 14}


def test_refused_documents_are_told_with_their_place_and_reason_and_not_dead_lettered(
    setup: Setup,
) -> None:
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 3))
    move(setup, 3)
    produce(setup, "a", [b'{"logtime":"garbage","n":3}', *numbered(4, 3)])
    topic = setup.topic("a")

    ran = command(setup, "replay", "--topic", topic, "--from", "0", "--json")

    assert ran.code == 1
    assert ran.json()["fates"] == {"duplicate": 3, "refused": 1, "indexed": 3}
    (group,) = ran.json()["refused"]
    (example,) = group["examples"]
    assert (example["topic"], example["partition"], example["offset"]) == (topic, 0, 3)
    assert "logtime" in example["reason"]
    table = command(setup, "replay", "--topic", topic, "--from", "3", "--to", "4").out
    assert f"{topic}/0/3" in table and "document_parsing_exception" in table
    assert command(setup, "dlq", "list", "--json").json()["groups"] == []
    assert committed(setup, [topic]) == {(topic, 0): 3}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--topic", "{topic}x", "--from", "0"), "did you mean {topic}?"),
        (("--topic", "{other}", "--from", "0"), "no route takes {other}"),
        (("--topic", "{topic}", "--from", "yesterday"), "no ISO-8601 time with its zone"),
        (("--topic", "{topic}", "--from", "2026-02-01T00:00:00"), "no ISO-8601 time with its zone"),
        (("--topic", "{topic}", "--from", "9", "--to", "3"), "--to 3 lies before --from 9"),
        (("--topic", "{topic}", "--from", "0", "--partition", "7"), "has no partition 7"),
        (("--topic", "{topic}", "--from", "0", "--shadow", "Big"), "'Big' cannot begin"),
    ],
)
def test_what_cannot_be_replayed_is_said_and_ends_with_2(
    setup: Setup, words: tuple[str, ...], said: str
) -> None:
    names = {"topic": setup.topic("a"), "other": f"other{setup.name}-x"}
    create_topics(setup, {"a": 1})
    create_topics(replace(setup, name=f"other{setup.name}"), {"x": 1})

    ran = command(setup, "replay", *(word.format(**names) for word in words))

    assert ran.code == 2
    assert said.format(**names) in " ".join(ran.err.split())
    assert ran.out == ""
