"""
Whatever befalls Kafka, Elasticsearch and the sinks, in whatever order: in the end every document is
accounted for, none is there twice, nothing was committed before, and nothing waits.
"""

import pytest
from hypothesis import HealthCheck, example, given, settings

from tests.simulation.drawn import SCHEDULES
from tests.simulation.schedule import Broken, Moment, Schedule, run
from tests.simulation.setup import Setup
from tests.simulation.steps import Block, Crash, Produce, Rebalance
from tests.simulation.world import World
from tests.simulation.written import read, written

SOME = Produce("ekk-a", 0, "january", ("json", "text", "array", "refused", None))
MANY = Produce("ekk-a", 0, "january", ("json",) * 12)
SCHEDULE = Schedule(
    Setup(processes=2, threads=2, park_bytes_max=0),
    seed=7,
    moments=(
        Moment(SOME, 500),
        Moment(Block("sag-a_1970-01-01", "blocked"), 0),
        Moment(MANY, 2000),
        Moment(Rebalance(0, "lose"), 20),
        Moment(Crash(1, 500), 100),
    ),
)


@pytest.mark.timeout(900)  # as fast as the machine allows
@given(SCHEDULES)
@settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@example(SCHEDULE)
def test_every_document_is_accounted_for_whatever_befalls(schedule: Schedule) -> None:
    run(schedule)


def test_a_schedule_runs_the_same_each_time_and_otherwise_with_another_seed() -> None:
    once, again = run(SCHEDULE).history.lines(), run(SCHEDULE).history.lines()
    other = run(Schedule(SCHEDULE.setup, 8, SCHEDULE.moments)).history.lines()

    assert once == again
    assert once != other


def test_a_schedule_is_repeated_from_its_text() -> None:
    assert read(written(SCHEDULE)) == SCHEDULE


def test_the_history_tells_what_was_done_polled_sent_answered_and_committed() -> None:
    told = "\n".join(run(SCHEDULE).history.lines())

    for part in (
        "starts sink-1",
        "Produce(topic='ekk-a'",
        "polls 1 records: ekk-a/0@0",
        "sends bulk 1: id.ekk-a-0-0-0 → sag-a_1970-01-01",
        "answers bulk 1: 200: 201",
        "403 cluster_block_exception",
        "dead letters 1 of 1 written: id.ekk-a-0-0-3",
        "parked topic",
        "commits {'ekk-a/0':",
        "is killed",
        "is put out of the group",
    ):
        assert part in told


def test_a_lost_document_breaks_it_with_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    heal = World.heal

    def lose_one(world: World) -> None:
        world.elastic.indices["sag-a_1970-01-01"].popitem()
        heal(world)

    monkeypatch.setattr(World, "heal", lose_one)

    with pytest.raises(Broken, match=r"(?s)sends bulk 1.*FakeRecord\(ekk-a/0@"):
        run(SCHEDULE)
