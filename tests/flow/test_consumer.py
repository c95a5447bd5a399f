"""
What the consumer itself may do wrong: it breaks, its offset expires, its commits are refused.
"""

import pytest

from sink.core.body import Body
from sink.core.outcome import Reply
from sink.core.record import Record
from sink.edge.kafka.news import News
from sink.edge.kafka.source import Listener
from sink.errors import Unauthorized, Unavailable
from sink.testing import FakeSource
from tests.flow.pipeline import (
    ORDERS,
    TOPIC,
    Pipeline,
    everything_is_accounted_for,
    running,
    values,
)
from tests.waiting import wait_until


def test_a_consumer_that_breaks_is_built_again_and_reads_on_where_it_committed() -> None:
    pipeline = Pipeline(docs_max=3)
    pipeline.broker.produce(TOPIC, *values(10))
    with running(pipeline):
        pipeline.until_all_is_committed()
        first = pipeline.source
        first.fail(RuntimeError("fenced"))
        pipeline.broker.produce(TOPIC, *values(10, 10))
        pipeline.until_all_is_committed()

        assert first.closed
        assert pipeline.readiness.reasons() == {}

    assert pipeline.elastic.created == 20
    everything_is_accounted_for(pipeline)


def test_a_consumer_that_breaks_with_work_in_flight_commits_nothing_of_it_and_loses_nothing() -> (
    None
):
    pipeline = Pipeline(docs_max=1)
    pipeline.elastic.hold()
    pipeline.broker.produce(TOPIC, *values(4))
    with running(pipeline):
        wait_until(lambda: pipeline.elastic.held() == 4, 10, "the bulks to be sent")
        first = pipeline.source
        pipeline.elastic.release(1)
        wait_until(lambda: pipeline.broker.committed() == {ORDERS: 1}, 10, "the first commit")
        first.lose(ORDERS)
        wait_until(lambda: first.assignment() == [], 10, "the loss")
        first.fail(RuntimeError("fenced"))
        wait_until(lambda: len(pipeline.broker.sources) == 2, 10, "a new consumer")
        assert pipeline.broker.committed() == {ORDERS: 1}

        pipeline.elastic.release()
        pipeline.until_all_is_committed()

    everything_is_accounted_for(pipeline)


def test_a_consumer_that_breaks_again_and_again_does_not_end_the_worker() -> None:
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    with running(pipeline):
        for number in range(1, 5):
            wait_until(lambda: len(pipeline.broker.sources) == number, 10, "it")  # noqa: B023
            pipeline.source.fail(RuntimeError("fenced"))
        pipeline.until_all_is_committed()

    everything_is_accounted_for(pipeline)


def test_a_consumer_that_cannot_be_built_is_tried_again_and_said_not_to_be_ready() -> None:
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    opened = pipeline.broker.open
    failures = [RuntimeError("no such mechanism")] * 3

    def failing(listener: Listener) -> FakeSource:
        if failures:
            raise failures.pop()
        return opened(listener)

    pipeline.broker.open = failing  # type: ignore[method-assign]

    with running(pipeline):
        pipeline.until_all_is_committed()
        assert pipeline.readiness.reasons() == {}

    assert not failures
    everything_is_accounted_for(pipeline)


@pytest.mark.parametrize("error", [Unavailable("no broker"), Unauthorized("wrong password")])
def test_brokers_that_do_not_answer_make_it_unready_and_the_same_consumer_goes_on(
    error: Unavailable,
) -> None:
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    with running(pipeline):
        pipeline.until_all_is_committed()
        pipeline.source.fail(error)
        wait_until(pipeline.readiness.reasons, 10, "the failure to be known")
        assert pipeline.readiness.reasons() == {"kafka": str(error)}
        pipeline.broker.produce(TOPIC, *values(5, 5))
        pipeline.until_all_is_committed()

    assert len(pipeline.broker.sources) == 1
    everything_is_accounted_for(pipeline)


def test_what_retention_deleted_unread_is_counted_and_reading_goes_on_at_the_logs_start() -> None:
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(20))
    pipeline.broker.commit({ORDERS: 5})
    pipeline.broker.expire(ORDERS, 12)

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.fates() == {"consumed": 15, "expired": 7, "indexed": 8}
    everything_is_accounted_for(pipeline)


def test_what_retention_deletes_of_a_log_that_it_only_began_is_counted_too() -> None:
    """
    Read but never acknowledged: without a commit the next start knows nothing of these records.
    """
    stopped = Pipeline(stop_ms=200)
    stopped.elastic.hold()
    stopped.broker.produce(TOPIC, *values(20))
    with running(stopped):
        wait_until(lambda: stopped.broker.committed() == {ORDERS: 0}, 10, "its beginning")
        stopped.stop()
    stopped.broker.expire(ORDERS, 12)

    pipeline = Pipeline(before=stopped)
    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.fates() == {"consumed": 20, "expired": 12, "duplicate": 8}


def test_what_expires_while_it_reads_is_counted_from_where_it_was() -> None:
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    with running(pipeline):
        pipeline.until_all_is_committed()
        with pipeline.broker.changed:
            pipeline.broker.produce(TOPIC, *values(10, 5))
            pipeline.broker.expire(ORDERS, 9)
        pipeline.until_all_is_committed()

    assert pipeline.fates() == {"consumed": 15, "expired": 4, "indexed": 11}
    everything_is_accounted_for(pipeline)


def test_what_expires_right_behind_the_records_of_a_poll_is_counted_from_their_end() -> None:
    """
    librdkafka hands out what it had fetched, and the error after it, in one poll.
    """
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    with running(pipeline):
        pipeline.until_all_is_committed()
        poll = pipeline.source.poll

        def polling(records_max: int, timeout_s: float) -> tuple[list[Record], list[News]]:
            records, problems = poll(records_max, timeout_s)
            if records:
                pipeline.broker.expire(ORDERS, 20)
                problems += poll(records_max, 0)[1]
            return records, problems

        pipeline.source.poll = polling  # type: ignore[method-assign]
        polled = pipeline.source.polls
        wait_until(lambda: pipeline.source.polls > polled, 10, "the next poll")
        pipeline.broker.produce(TOPIC, *values(1, 5))
        wait_until(lambda: "expired" in pipeline.fates(), 10, "the loss to be known")
        wait_until(lambda: not pipeline.in_flight(), 10, "the rest to be done")

    assert pipeline.fates() == {"consumed": 20, "expired": 14, "indexed": 6}
    everything_is_accounted_for(pipeline)


def test_a_log_cut_off_under_the_reader_is_read_again_from_its_start() -> None:
    """
    Its offsets are given to other records: the new ones have ids of their own, by leader epoch.
    """
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    with running(pipeline):
        pipeline.until_all_is_committed()
        with pipeline.broker.changed:
            pipeline.broker.truncate(ORDERS, 2)
            pipeline.broker.produce(TOPIC, *values(2, 10), leader_epoch=1)
        pipeline.until_all_is_committed()

    assert len(pipeline.broker.sources) == 1
    assert pipeline.fates() == {"consumed": 9, "indexed": 7, "duplicate": 2}
    everything_is_accounted_for(pipeline)


def test_one_partition_that_expired_does_not_stop_the_others() -> None:
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    pipeline.broker.produce(TOPIC, *values(5), partition=1)
    pipeline.broker.commit({ORDERS: 2})
    pipeline.broker.expire(ORDERS, 5)

    with running(pipeline):
        pipeline.broker.produce(TOPIC, *values(5))
        pipeline.until_all_is_committed()

    assert pipeline.fates()["expired"] == 3
    everything_is_accounted_for(pipeline)


def test_a_commit_the_broker_refuses_is_made_again() -> None:
    pipeline = Pipeline()
    pipeline.broker.refuse_commits(3)
    pipeline.broker.produce(TOPIC, *values(5))

    with running(pipeline):
        pipeline.until_all_is_committed()
        assert pipeline.broker.commits == [{ORDERS: 5}]

    everything_is_accounted_for(pipeline)


def test_an_offset_is_committed_once_and_never_back() -> None:
    pipeline = Pipeline(docs_max=2)
    pipeline.elastic.refuse(b"5}", 503, "unavailable_shards_exception", times=3)
    pipeline.broker.produce(TOPIC, *values(60))

    with running(pipeline):
        pipeline.until_all_is_committed()
        polled = pipeline.source.polls
        wait_until(lambda: pipeline.source.polls > polled + 10, 10, "several intervals")
        offsets = [commit[ORDERS] for commit in pipeline.broker.commits]
        assert offsets == sorted(set(offsets))

    everything_is_accounted_for(pipeline)


def test_polls_shrink_when_records_are_large() -> None:
    """
    By count alone, records of 1 MB would make a poll of 5,000 take 5 GB.
    """
    pipeline = Pipeline(kafka={"poll_bytes_max": 20_000})
    large = b'{"a":"' + b"x" * 4000 + b'"}'
    pipeline.broker.produce(TOPIC, *[large] * 40)
    sizes: list[int] = []
    bulk = pipeline.elastic.bulk

    async def watched(body: Body | bytes) -> Reply:
        sizes.append(len(body))
        return await bulk(body)

    pipeline.elastic.bulk = watched  # type: ignore[method-assign]
    with running(pipeline):
        pipeline.until_all_is_committed()

    assert max(sizes[2:]) <= 20_000
    everything_is_accounted_for(pipeline)


def test_an_unforeseen_error_in_a_callback_costs_a_new_consumer_and_no_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    It is kept and raised by a poll: one that left the callback would drop records already taken.
    """
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(5))
    with running(pipeline):
        pipeline.until_all_is_committed()
        first, owned = pipeline.source, pipeline.workers[0]._owned
        monkeypatch.setattr(owned, "on_revoke", _broken)
        pipeline.broker.produce(TOPIC, *values(5, 5))
        first.revoke(ORDERS)
        wait_until(lambda: len(pipeline.broker.sources) == 2, 10, "a new consumer")
        pipeline.until_all_is_committed()
        monkeypatch.undo()

    everything_is_accounted_for(pipeline)


def _broken(_: object) -> None:
    raise ZeroDivisionError


def test_a_commit_waits_for_the_answer_to_the_last_one() -> None:
    """
    librdkafka sends a commit without answer again: behind a later one it would undo it.
    """
    pipeline = Pipeline(docs_max=1)
    pipeline.broker.produce(TOPIC, *values(5))
    with running(pipeline):
        pipeline.until_all_is_committed()
        pipeline.source.commits_unanswered = True
        commits = len(pipeline.broker.commits)
        pipeline.broker.produce(TOPIC, *values(5, 5))
        wait_until(lambda: len(pipeline.elastic.documents()) == 10, 10, "the next documents")
        polls = pipeline.source.polls
        wait_until(lambda: pipeline.source.polls > polls + 3, 10, "some turns")
        assert len(pipeline.broker.commits) == commits
        pipeline.source.commits_unanswered = False
        pipeline.until_all_is_committed()
    everything_is_accounted_for(pipeline)
