"""
The end of a log that is no record: transaction markers, aborted records, what compaction removed.
"""

import pytest

from sink.core.record import Partition
from tests.flow.pipeline import (
    ORDERS,
    TOPIC,
    Pipeline,
    everything_is_accounted_for,
    passed,
    running,
    values,
)
from tests.waiting import wait_until


def test_the_committed_offset_passes_the_marker_behind_the_last_record() -> None:
    """
    Short of it, the group would seem to lag behind for ever.
    """
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    pipeline.broker.skip(ORDERS, 1)

    with running(pipeline):
        wait_until(lambda: pipeline.broker.committed() == {ORDERS: 6}, 10, "the log's end")

    everything_is_accounted_for(pipeline)


def test_the_committed_offset_passes_a_log_in_which_all_was_aborted() -> None:
    pipeline = Pipeline()
    pipeline.broker.create_topic(TOPIC)
    pipeline.broker.skip(ORDERS, 30)

    with running(pipeline):
        wait_until(lambda: pipeline.broker.committed() == {ORDERS: 30}, 10, "the log's end")

    assert pipeline.consumed() == 0


def test_the_committed_offset_does_not_pass_a_marker_while_a_record_before_it_is_under_way() -> (
    None
):
    pipeline = Pipeline(docs_max=1)
    pipeline.elastic.hold()
    pipeline.broker.produce(TOPIC, *values(3))
    pipeline.broker.skip(ORDERS, 1)
    with running(pipeline):
        wait_until(lambda: pipeline.elastic.held() == 3, 10, "the bulks to be sent")
        polled = pipeline.source.polls
        wait_until(lambda: pipeline.source.polls > polled + 2, 10, "the end to be polled")
        pipeline.elastic.release(1)
        wait_until(lambda: pipeline.broker.committed() == {ORDERS: 1}, 10, "the first record")

        pipeline.elastic.release()
        wait_until(lambda: pipeline.broker.committed() == {ORDERS: 4}, 10, "the log's end")

    everything_is_accounted_for(pipeline)


@pytest.mark.parametrize("back", [False, True])
def test_an_end_polled_right_before_a_rebalance_commits_nothing_after_it(*, back: bool) -> None:
    """
    It tells of records that were in flight then, and that are read again.
    """
    pipeline = Pipeline(docs_max=1)
    pipeline.elastic.refuse(b'"n":0}', 503, "unavailable_shards_exception")
    pipeline.broker.produce(TOPIC, *values(3))
    with running(pipeline):
        wait_until(lambda: len(pipeline.elastic.documents()) == 2, 10, "the others")
        with pipeline.broker.changed:  # all in one poll
            pipeline.broker.skip(ORDERS, 1)
            pipeline.broker.wake()
            pipeline.source.lose(ORDERS)
            if back:
                pipeline.source.assign(ORDERS)
        polled = pipeline.source.polls
        wait_until(lambda: pipeline.source.polls > polled + 2, 10, "further polls")
        assert passed(pipeline.broker) == {}
        pipeline.elastic.accept()
        if not back:
            pipeline.source.assign(ORDERS)
        wait_until(lambda: pipeline.broker.committed() == {ORDERS: 4}, 10, "the log's end")

    everything_is_accounted_for(pipeline)


def test_tombstones_and_gaps_of_a_compacted_topic_hold_nothing_up() -> None:
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    pipeline.broker.skip(ORDERS, 900)
    pipeline.broker.produce(TOPIC, None, *values(2, 5), None)
    pipeline.broker.skip(ORDERS, 7)

    with running(pipeline):
        wait_until(lambda: pipeline.broker.committed() == {ORDERS: 916}, 10, "the log's end")
        wait_until(lambda: not pipeline.in_flight(), 10, "the ledger")

    assert pipeline.fates() == {"consumed": 9, "indexed": 7, "dropped:tombstone": 2}
    everything_is_accounted_for(pipeline)


def test_an_empty_partition_is_not_committed() -> None:
    pipeline = Pipeline()
    pipeline.broker.create_topic(TOPIC, 2)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *values(5))
        pipeline.until_all_is_committed()

    assert Partition(TOPIC, 1) not in pipeline.broker.committed()


def test_commits_carry_the_leader_epoch_of_what_was_read_last_and_none_behind_a_marker() -> None:
    """
    An epoch older than the marker's would look as if the log had been cut off before it.
    """
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(3), leader_epoch=4)
    with running(pipeline):
        pipeline.until_all_is_committed()
        assert pipeline.source.leader_epochs[ORDERS] == 4
        pipeline.broker.skip(ORDERS, 1)
        pipeline.until_all_is_committed()
        assert pipeline.source.leader_epochs[ORDERS] is None
        pipeline.broker.produce(TOPIC, *values(1, 3), leader_epoch=5)
        pipeline.until_all_is_committed()
        assert pipeline.source.leader_epochs[ORDERS] == 5
    everything_is_accounted_for(pipeline)
