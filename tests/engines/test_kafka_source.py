"""
The consumer's own edge on the real broker: callbacks that fail, credentials of commits, ends.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sink.config import KafkaSettings
from sink.core.record import Partition, Record
from sink.edge.kafka.news import End, News
from sink.edge.kafka.properties import Renewal, consumer
from sink.edge.kafka.source import Source
from tests.engines.brokering import Transactions
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup
from tests.waiting import wait_until


class _Listener:
    """Raises in the callbacks it is told to."""

    def __init__(self, *broken: str) -> None:
        self._broken = broken
        self.told: list[str] = []

    def on_assign(self, _: list[Partition]) -> None:
        self._note("assign")

    def on_revoke(self, _: list[Partition]) -> None:
        self._note("revoke")

    def on_lost(self, _: list[Partition]) -> None:
        self._note("lost")

    def _note(self, what: str) -> None:
        self.told.append(what)
        if what in self._broken:
            raise ZeroDivisionError(what)


@contextmanager
def _source(setup: Setup, listener: _Listener) -> Iterator[Source]:
    settings = KafkaSettings(bootstrap_servers=setup.kafka.bootstrap_servers, group_id=setup.group)
    source = Source(
        consumer(settings, 0),
        Renewal(settings),
        [setup.topic("a")],
        listener,
    )
    try:
        yield source
    finally:
        source.close()


def _until(source: Source, records: int) -> tuple[list[Record], list[News]]:
    got: list[Record] = []
    news: list[News] = []

    def polled() -> bool:
        more, further = source.poll(1000, 0.2)
        got.extend(more)
        news.extend(further)
        return len(got) >= records and any(isinstance(one, End) for one in news)

    wait_until(polled, 30, f"{records} records and the end")
    return got, news


def test_an_error_in_a_callback_is_raised_by_poll_and_the_next_consumer_reads_everything(
    setup: Setup,
) -> None:
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 300))
    with _source(setup, _Listener("assign")) as source, pytest.raises(ZeroDivisionError):
        _until(source, 300)

    with _source(setup, _Listener()) as source:
        got, _ = _until(source, 300)

    assert [record.offset() for record in got] == list(range(300))


def test_an_error_while_the_group_is_left_does_not_keep_the_consumer_from_closing(
    setup: Setup,
) -> None:
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 3))
    listener = _Listener("revoke")

    with _source(setup, listener) as source:
        _until(source, 3)

    assert listener.told == ["assign", "revoke"]


def test_a_commit_carries_the_topics_id_and_the_next_member_is_told_of_it(setup: Setup) -> None:
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 3))
    place = Partition(setup.topic("a"), 0)
    with _source(setup, _Listener()) as source:
        _until(source, 3)
        assert source.committed_under(place) is None
        source.commit_now({place: 1})
    with _source(setup, _Listener()) as source:
        _until(source, 2)
        assert source.committed_under(place) is None, "a commit without an id"
        source.stamp(place.topic, "an id")
        source.commit_now({place: 2})
    with _source(setup, _Listener()) as source:
        got, _ = _until(source, 1)
        assert source.committed_under(place) == "an id"
    assert [record.offset() for record in got] == [2]


def test_the_end_behind_markers_and_aborted_records_is_told(setup: Setup) -> None:
    create_topics(setup, {"a": 1})
    transactions = Transactions(setup)
    transactions.commit("a", numbered(0, 5))
    transactions.abort("a", numbered(5, 5))
    with _source(setup, _Listener()) as source:
        got, news = _until(source, 5)

    assert len(got) == 5
    assert news[-1] == End(Partition(setup.topic("a"), 0), 12)
