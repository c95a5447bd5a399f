"""
A topic that makes too many dead letters is parked: its letters come no faster than they may.
"""

import pytest

from sink.core.allowance import Allowance
from sink.core.command import Command, Decision
from sink.core.record import Partition
from tests.flow.pipeline import (
    TOPIC,
    Pipeline,
    everything_is_accounted_for,
    passed,
    running,
    values,
)
from tests.waiting import wait_until

OTHER = "ekk-bill"
PARKED = "sink-parked.log-sink"
ARRAY_OF_NONE = b"[1]"  # dead before it is sent


def _pipeline(*, rate_max: int, bytes_max: int = 32_000_000) -> Pipeline:
    pipeline = Pipeline(
        docs_max=10, park={"ms_max": 86_400_000, "bytes_max": bytes_max}, rate_max=rate_max
    )
    for topic in (TOPIC, OTHER, PARKED):
        pipeline.broker.create_topic(topic)
    pipeline.elastic.refuse(b'"bad"', 400, "document_parsing_exception")
    return pipeline


@pytest.mark.parametrize("bad", [b'{"bad":1}', ARRAY_OF_NONE])
@pytest.mark.parametrize("bytes_max", [0, 32_000_000])
def test_a_topic_of_bad_records_fills_no_dead_letters_and_holds_up_no_other_topic(
    bad: bytes, bytes_max: int
) -> None:
    pipeline = _pipeline(rate_max=5, bytes_max=bytes_max)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *[bad] * 60, timestamp_ms=1)
        pipeline.broker.produce(OTHER, *values(60), timestamp_ms=1)
        wait_until(lambda: pipeline.fates(OTHER).get("indexed") == 60, 10, "the other topic")
        wait_until(lambda: pipeline.lanes.published, 10, "the topic to be parked")
        (parked,) = pipeline.lanes.published
        assert (parked.index, parked.error_type) == (f"topic:{TOPIC}", "dead_letter_rate")
        pipeline.broker.produce(TOPIC, *values(30), timestamp_ms=1)
        pipeline.broker.produce(OTHER, *values(30), timestamp_ms=1)
        wait_until(lambda: pipeline.fates(OTHER).get("indexed") == 90, 10, "the other topic")
        wait_until(lambda: pipeline.fates().get("consumed") == 90, 10, "all to be read")
        assert 1 <= len(pipeline.dead_letters.letters) <= 6
        everything_is_accounted_for(pipeline, through=False)


def test_a_parked_topic_goes_on_by_itself_at_the_rate_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipeline = _pipeline(rate_max=6000)  # a hundred a second
    pipeline.broker.produce(TOPIC, *[b'{"bad":1}', b'{"good":1}'] * 40, timestamp_ms=1)
    monkeypatch.setattr(Allowance, "is_ample", lambda *_: True)
    with running(pipeline):
        pipeline.until_all_is_committed()
    assert pipeline.fates() == {"consumed": 80, "indexed": 40, "dead": 40}
    everything_is_accounted_for(pipeline)


def test_an_operator_drops_what_a_topic_of_bad_records_left_in_the_parked_topic() -> None:
    pipeline = _pipeline(rate_max=5, bytes_max=0)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *[ARRAY_OF_NONE] * 30, timestamp_ms=1)
        wait_until(lambda: pipeline.fates().get("parked", 0) >= 24, 10, "them to be parked")
        headers = Decision(Command.DROP, topic=TOPIC).headers()
        pipeline.broker.produce(PARKED, None, headers=headers, timestamp_ms=1)
        wait_until(
            lambda: (
                pipeline.broker.committed().get(Partition(PARKED, 0))
                == pipeline.broker.ends()[Partition(PARKED, 0)]
            ),
            10,
            "the parked topic to be done",
        )
    assert pipeline.fates(PARKED)["dropped:operator"] >= 24


def test_records_beyond_the_rate_wait_while_the_parked_topic_takes_nothing() -> None:
    pipeline = _pipeline(rate_max=5)
    pipeline.parked.down()
    pipeline.broker.produce(TOPIC, *[ARRAY_OF_NONE] * 20, timestamp_ms=1)
    with running(pipeline):
        wait_until(lambda: pipeline.parked.attempts > 3, 10, "some attempts")
        assert Partition(TOPIC, 0) not in passed(pipeline.broker)
        pipeline.parked.up()
        wait_until(lambda: pipeline.broker.committed().get(Partition(TOPIC, 0)) == 20, 10, "all")
        everything_is_accounted_for(pipeline, through=False)
    assert pipeline.fates()["parked"] == 15


@pytest.mark.parametrize("bad", [b'{"bad":1}', ARRAY_OF_NONE])
def test_what_an_operator_moves_to_the_dead_letters_is_held_back_by_no_rate(bad: bytes) -> None:
    pipeline = _pipeline(rate_max=5, bytes_max=0)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *[bad] * 60, timestamp_ms=1)
        wait_until(lambda: pipeline.fates().get("parked", 0) >= 50, 10, "them to be parked")
        headers = Decision(Command.TO_DLQ, topic=TOPIC).headers()
        pipeline.broker.produce(PARKED, None, headers=headers, timestamp_ms=1)
        pipeline.until_all_is_committed()
    everything_is_accounted_for(pipeline)


@pytest.mark.parametrize("bad", [b'{"bad":1}', ARRAY_OF_NONE])
def test_what_is_parked_for_its_rate_is_dead_lettered_bit_by_bit_and_each_once(
    bad: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Each time a few may pass; those before them are not written again.
    """
    take, is_ample = Allowance.take, Allowance.is_ample  # a minute is 60 ms here
    monkeypatch.setattr(Allowance, "take", lambda self, t, n, s: take(self, t, n, s * 1000))
    monkeypatch.setattr(Allowance, "is_ample", lambda self, t, s: is_ample(self, t, s * 1000))
    pipeline = _pipeline(rate_max=5, bytes_max=0)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, *[bad] * 60, timestamp_ms=1)
        pipeline.until_all_is_committed()
    assert len({letter.record.offset() for letter in pipeline.dead_letters.letters}) == 60
    assert len(pipeline.dead_letters.letters) < 180, "written again at each reading"
    everything_is_accounted_for(pipeline)


def test_a_record_of_more_refused_elements_than_the_rate_is_one_letter_and_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Counted by its elements it would never be granted, and be read again for ever.
    """
    take, is_ample = Allowance.take, Allowance.is_ample
    monkeypatch.setattr(Allowance, "take", lambda self, t, n, s: take(self, t, n, s * 1000))
    monkeypatch.setattr(Allowance, "is_ample", lambda self, t, s: is_ample(self, t, s * 1000))
    pipeline = _pipeline(rate_max=5, bytes_max=0)
    with running(pipeline):
        pipeline.broker.produce(TOPIC, b"[1,1,1,1,1,1]", timestamp_ms=1)
        pipeline.until_all_is_committed()
    assert pipeline.fates()["dead"] == 6
    assert len(pipeline.dead_letters.letters) == 1
    everything_is_accounted_for(pipeline)
