"""
An index that takes none, on the real Elasticsearch: its documents wait, all others flow, and it
resumes by itself.
"""

from contextlib import ExitStack
from functools import partial

from tests.engines.oracle import check, committed, dead_places, documents, parked_places
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.engines.sick import AT_MS, NEW_INDEX, index_of, parked, settle_index
from tests.waiting import wait_until

PARK = "[park]\nms_max = {ms_max}\n"


def _settled(sink: SinkProcess, topic: str) -> int:
    fates = sink.ledger().get(topic, {})
    return fates.get("indexed", 0) + fates.get("duplicate", 0)


def test_indices_that_take_none_wait_each_alone_and_resume_by_themselves(setup: Setup) -> None:
    """
    All at once, so that each is an other for each.
    """
    sick = {name: f"sick{number}" for number, name in enumerate(NEW_INDEX)}
    topics = {name: setup.topic(user_topic) for name, user_topic in sick.items()}
    well = setup.topic("well")
    create_topics(setup, dict.fromkeys([*sick.values(), "well"], 1))
    produce(setup, "well", numbered(0, 1), timestamp=AT_MS)
    with SinkProcess(setup) as sink, ExitStack() as healing:
        wait_until(lambda: _settled(sink, well) == 1, 40, "an index for the other topic")
        for name, fault in NEW_INDEX.items():
            index = index_of(setup, sick[name])
            fault.provoke(setup, index)
            healing.callback(fault.heal, setup, index)
        for number, user_topic in enumerate(sick.values(), 1):
            produce(setup, user_topic, numbered(1000 * number, 300), timestamp=AT_MS)
        produce(setup, "well", numbered(1, 500), timestamp=AT_MS)
        wait_until(lambda: _settled(sink, well) == 501, 40, "the other topic to flow")
        expected = {
            index_of(setup, sick[name]): fault.error_type for name, fault in NEW_INDEX.items()
        }
        wait_until(lambda: parked(sink) == expected, 40, "each to be parked for its reason")
        assert set(committed(setup, [*topics.values()]).values()) == {0}
        healing.close()
        for topic in topics.values():
            wait_until(partial(_is_through, setup, topic), 60, f"all of {topic}")
        assert parked(sink) == {}
        assert sink.terminate() == 0
    assert dead_places(setup) == parked_places(setup) == set()
    assert check(setup, [*sick.values(), "well"]) == 501 + 300 * len(NEW_INDEX)


def _is_through(setup: Setup, topic: str) -> bool:
    return committed(setup, [topic])[topic, 0] == 300


def test_what_waits_too_long_goes_to_the_parked_topic_and_is_indexed_after_a_restart(
    setup: Setup,
) -> None:
    setup.settings["more"] = PARK.format(ms_max=500)
    create_topics(setup, {"sick": 2, "well": 1})
    produce(setup, "sick", numbered(0, 1), timestamp=AT_MS)
    index, topic = index_of(setup, "sick"), setup.topic("sick")
    with SinkProcess(setup) as sink:
        wait_until(lambda: _settled(sink, topic) == 1, 40, "the first")
        settle_index(setup, index, **{"blocks.write": True})
        produce(setup, "sick", numbered(1, 3000), timestamp=AT_MS)
        produce(setup, "well", numbered(5000, 1000), timestamp=AT_MS)
        wait_until(lambda: sink.ledger()[topic].get("parked") == 3000, 40, "all to be parked")
        wait_until(lambda: sum(committed(setup, [topic]).values()) == 3001, 20, "the offset")
        wait_until(lambda: _settled(sink, setup.topic("well")) == 1000, 20, "the other topic")
        assert len(parked_places(setup)) == 3000
        assert check(setup, ["sick", "well"]) == 4001
        assert sink.terminate() == 0

    with SinkProcess(setup, 1) as sink:
        wait_until(lambda: sink.get("/parked")[1], 20, "the index to be parked again")
        settle_index(setup, index, **{"blocks.write": None})
        parked_topic = setup.parked_topic
        wait_until(
            lambda: sum(committed(setup, [parked_topic]).values()) >= 3000, 60, "what was parked"
        )
        assert sink.terminate() == 0
    assert len(documents(setup)) == 4001
    assert check(setup, ["sick", "well"]) == 4001
    assert dead_places(setup) == set()
