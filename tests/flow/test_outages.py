"""
What befalls whole requests: nothing is lost, nothing is dead, and it goes on by itself.
"""

import pytest

from sink.core.body import Body
from sink.core.outcome import Reply
from sink.testing import BUSY, NO_ANSWER, UNAUTHORIZED, UNAVAILABLE, operations
from tests.flow.pipeline import (
    TOPIC,
    Pipeline,
    everything_is_accounted_for,
    passed,
    running,
    values,
)
from tests.waiting import wait_until

READ_ONLY = Reply(403, b"", "cluster_block_exception", "cluster is read-only")
GATEWAY = Reply(502, b"", "", "<html>Bad Gateway</html>")
NO_SUCH_PATH = Reply(404, b"", "", "no handler found")
CUT = Reply(200, b'{"errors":false,"items":[{"create":{"status":201}},{"create":{"sta')
EMPTY = Reply(200)
SHORT = Reply(200, b'{"errors":false,"items":[{"create":{"status":201}}]}')
NO_BULK = Reply(200, b"<html>Welcome</html>")


def _sizes(pipeline: Pipeline) -> list[int]:
    return [operations(body).total() for body in pipeline.elastic.bodies]


@pytest.mark.parametrize(
    "outage", [UNAVAILABLE, NO_ANSWER, READ_ONLY, GATEWAY, NO_SUCH_PATH, BUSY, NO_BULK]
)
def test_an_outage_loses_nothing_and_commits_nothing_before_its_end(outage: Reply) -> None:
    pipeline = Pipeline(docs_max=5)
    pipeline.elastic.down(outage)
    pipeline.broker.produce(TOPIC, *values(30))

    with running(pipeline):
        wait_until(lambda: len(pipeline.elastic.bodies) > 8, 10, "some attempts")
        assert passed(pipeline.broker) == {}
        assert "elasticsearch" in pipeline.readiness.reasons()
        pipeline.elastic.up()
        pipeline.until_all_is_committed()
        assert pipeline.readiness.reasons() == {}

    assert pipeline.dead_letters.letters == []
    assert pipeline.fates() == {"consumed": 30, "indexed": 30}
    everything_is_accounted_for(pipeline)


def test_in_an_outage_there_is_one_probe_at_a_time() -> None:
    """
    A cluster that comes back is not met by all we hold at once.
    """
    pipeline = Pipeline(docs_max=1, in_flight=4, places=8)
    pipeline.elastic.latency_s = 0.002
    pipeline.broker.produce(TOPIC, *values(40))

    with running(pipeline):
        wait_until(lambda: pipeline.elastic.concurrent_max == 4, 10, "all slots to be in use")
        pipeline.elastic.down()
        wait_until(lambda: "elasticsearch" in pipeline.readiness.reasons(), 10, "a failure")
        begun = len(pipeline.elastic.bodies)
        wait_until(lambda: len(pipeline.elastic.bodies) > begun + 5, 10, "all under way to end")
        pipeline.elastic.concurrent_max = 0
        wait_until(lambda: len(pipeline.elastic.bodies) > begun + 15, 10, "some probes")

        assert pipeline.elastic.concurrent_max == 1

        pipeline.elastic.up()
        pipeline.until_all_is_committed()

    everything_is_accounted_for(pipeline)


def test_bulks_that_waited_for_a_slot_when_an_outage_began_wait_for_its_end() -> None:
    pipeline = Pipeline(docs_max=1, in_flight=4, places=8, queue_slots=4)
    pipeline.elastic.hold()
    pipeline.broker.produce(TOPIC, *values(40))

    with running(pipeline):
        wait_until(lambda: pipeline.elastic.held() == 4, 10, "all slots to be in use")
        wait_until(lambda: pipeline.handoff.outstanding()[0] == 9, 10, "others to wait for one")
        pipeline.elastic.down()
        pipeline.elastic.release(4)
        wait_until(lambda: pipeline.elastic.held() > 0, 10, "the probe")

        assert pipeline.elastic.held() == 1

        pipeline.elastic.up()
        pipeline.elastic.release()
        pipeline.until_all_is_committed()

    everything_is_accounted_for(pipeline)


def test_after_an_outage_bulks_are_sent_side_by_side_again() -> None:
    pipeline = Pipeline(docs_max=1, in_flight=4)
    pipeline.elastic.down()
    pipeline.broker.produce(TOPIC, *values(40))

    with running(pipeline):
        wait_until(lambda: len(pipeline.elastic.bodies) > 6, 10, "some probes")
        pipeline.elastic.latency_s = 0.005
        pipeline.elastic.concurrent_max = 0
        pipeline.elastic.up()
        pipeline.until_all_is_committed()

    assert pipeline.elastic.concurrent_max == 4
    everything_is_accounted_for(pipeline)


def test_refused_credentials_make_it_unready_and_are_read_again_until_they_fit() -> None:
    pipeline = Pipeline()
    pipeline.elastic.down(UNAUTHORIZED)
    pipeline.broker.produce(TOPIC, *values(5))

    with running(pipeline):
        wait_until(lambda: pipeline.elastic.refreshed > 2, 10, "the credentials to be read again")
        assert "credentials" in pipeline.readiness.reasons()["elasticsearch"]
        assert passed(pipeline.broker) == {}
        pipeline.elastic.up()
        pipeline.until_all_is_committed()
        assert pipeline.readiness.reasons() == {}

    assert pipeline.dead_letters.letters == []
    everything_is_accounted_for(pipeline)


def test_a_body_too_large_is_halved_down_to_the_one_document_that_is() -> None:
    pipeline = Pipeline()
    pipeline.elastic.bytes_max = 100_000
    giant = b'{"giant":"' + b"x" * 200_000 + b'"}'
    records = pipeline.broker.produce(TOPIC, *values(5), giant, *values(5, 5))

    with running(pipeline):
        pipeline.until_all_is_committed()

    (letter,) = pipeline.dead_letters.letters
    assert letter.record is records[5]
    assert letter.error_type == "status_413"
    assert len(pipeline.elastic.documents()) == 10
    assert pipeline.fates() == {"consumed": 11, "indexed": 10, "dead": 1}
    everything_is_accounted_for(pipeline)


def test_a_body_that_only_together_is_too_large_kills_no_document() -> None:
    pipeline = Pipeline()
    pipeline.elastic.bytes_max = 400
    pipeline.broker.produce(TOPIC, *values(30))

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.dead_letters.letters == []
    everything_is_accounted_for(pipeline)


def test_a_document_that_spoils_its_whole_request_is_found_and_dead() -> None:
    """
    The request is refused with 400 as long as the one document is in it.
    """
    pipeline = Pipeline(docs_max=8)
    spoiled = Reply(400, b"", "illegal_argument_exception", "id is too long")
    pipeline.elastic.answer(spoiled, spoiled, spoiled, spoiled)
    records = pipeline.broker.produce(TOPIC, *values(8))

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert _sizes(pipeline) == [8, 4, 2, 1, 1, 2, 4]
    (letter,) = pipeline.dead_letters.letters
    assert letter.record is records[0]
    assert (letter.error_type, letter.reason) == ("illegal_argument_exception", "id is too long")
    everything_is_accounted_for(pipeline)


def test_a_bulk_refused_as_too_much_three_times_is_halved() -> None:
    """
    One over the node's indexing pressure is refused at every attempt, however long it waits.
    """
    pipeline = Pipeline(docs_max=8)
    pipeline.elastic.answer(BUSY, BUSY, BUSY)
    pipeline.broker.produce(TOPIC, *values(8))

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert _sizes(pipeline) == [8, 8, 8, 4, 4]
    everything_is_accounted_for(pipeline)


def test_one_document_refused_as_too_much_is_never_dead() -> None:
    pipeline = Pipeline()
    pipeline.elastic.answer(*[BUSY] * 9)
    pipeline.broker.produce(TOPIC, *values(1))

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert _sizes(pipeline) == [1] * 10
    assert pipeline.dead_letters.letters == []
    everything_is_accounted_for(pipeline)


@pytest.mark.parametrize("answer", [CUT, EMPTY, SHORT, NO_BULK])
@pytest.mark.parametrize("applied", [True, False])
def test_an_answer_that_tells_nothing_makes_the_bulk_be_sent_again(
    answer: Reply, *, applied: bool
) -> None:
    pipeline = Pipeline()
    pipeline.elastic.answer(answer, answer, applied=applied)
    pipeline.broker.produce(TOPIC, *values(6))

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert _sizes(pipeline) == [6, 6, 6]
    assert pipeline.fates() == {"consumed": 6, "duplicate" if applied else "indexed": 6}
    everything_is_accounted_for(pipeline)


def test_a_request_that_got_through_although_its_answer_was_lost_makes_no_second_document() -> None:
    pipeline = Pipeline()
    pipeline.elastic.answer(NO_ANSWER, applied=True)
    pipeline.broker.produce(TOPIC, *values(6))

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.elastic.created == 6
    assert pipeline.fates() == {"consumed": 6, "duplicate": 6}
    everything_is_accounted_for(pipeline)


def test_a_bug_in_the_writer_settles_nothing_blind() -> None:
    """
    An unforeseen error is logged and the bulk sent again: never taken for done.
    """
    pipeline = Pipeline()
    answer = pipeline.elastic.bulk
    errors = [RuntimeError("unforeseen"), RuntimeError("unforeseen")]

    async def faulty(body: Body | bytes) -> Reply:
        reply = await answer(body)
        if errors:
            raise errors.pop()
        return reply

    pipeline.elastic.bulk = faulty  # type: ignore[method-assign]
    pipeline.broker.produce(TOPIC, *values(6))

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert not errors
    assert pipeline.fates() == {"consumed": 6, "duplicate": 6}
    everything_is_accounted_for(pipeline)


def test_a_small_document_that_is_called_too_large_is_sent_again() -> None:
    """
    A proxy that answers 413 to all would empty the topics into the dead letters.
    """
    pipeline = Pipeline()
    pipeline.broker.produce(TOPIC, *values(1))
    pipeline.elastic.answer(Reply(413), Reply(413))

    with running(pipeline):
        pipeline.until_all_is_committed()

    assert pipeline.dead_letters.letters == []
    assert len(pipeline.elastic.bodies) == 3
    everything_is_accounted_for(pipeline)
