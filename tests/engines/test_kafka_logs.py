"""
Logs with holes: transactions, compaction, tombstones, and what retention took unread.
"""

from confluent_kafka import Message

from tests.engines.brokering import (
    Transactions,
    committed_of,
    create_topic,
    delete_records,
    until_committed,
)
from tests.engines.oracle import check, indexed_numbers
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until


def _ledger(sink: SinkProcess, setup: Setup) -> dict[str, int]:
    return sink.ledger().get(setup.topic("a"), {})


def test_aborted_records_are_never_indexed_and_the_offset_passes_the_markers(setup: Setup) -> None:
    setup.settings["kafka"] = "commit_interval_ms = 200"
    create_topics(setup, {"a": 1})
    transactions = Transactions(setup)
    transactions.commit("a", numbered(0, 20))
    transactions.abort("a", numbered(20, 20))
    with SinkProcess(setup) as sink:
        until_committed(setup, "a", 42)  # each transaction has a marker
        transactions.commit("a", numbered(40, 20))
        until_committed(setup, "a", 63)
        transactions.abort("a", numbered(60, 20))
        until_committed(setup, "a", 84)
        assert _ledger(sink, setup)["indexed"] == 40
        assert sink.terminate() == 0
    assert set(indexed_numbers(setup)) == {*range(20), *range(40, 60)}
    assert check(setup, ["a"]) == 40


def test_a_compacted_topic_with_gaps_and_tombstones_is_read_to_its_end(setup: Setup) -> None:
    """
    The broker's cleaner takes what a later record of the same key replaced, from closed segments.
    """
    create_topic(
        setup,
        "a",
        cleanup_policy="compact",
        segment_ms="200",
        min_cleanable_dirty_ratio="0.01",
        max_compaction_lag_ms="200",
        min_compaction_lag_ms="0",
    )
    for first in range(0, 60, 20):
        for number in range(first, first + 20):
            produce(setup, "a", numbered(number, 1), key=b"%d" % (number % 20))
    produce(setup, "a", [None], key=b"3")
    produce(setup, "a", numbered(100, 1), key=b"last")
    with SinkProcess(setup) as sink:
        until_committed(setup, "a", 62)
        assert sink.terminate() == 0
    assert check(setup, ["a"], dropped=_is_tombstone) > 0


def _is_tombstone(message: Message) -> bool:
    return message.value() is None


def test_what_retention_took_while_stopped_is_counted_exactly(setup: Setup) -> None:
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 100))
    with SinkProcess(setup) as sink:
        until_committed(setup, "a", 100)
        assert sink.terminate() == 0
    produce(setup, "a", numbered(100, 100))
    delete_records(setup, "a", 137)
    with SinkProcess(setup, 1) as sink:
        until_committed(setup, "a", 200)
        ledger = _ledger(sink, setup)
        assert (ledger["expired"], ledger["indexed"]) == (37, 63)
        assert sink.events("offset out of range, reading goes on at the log's start")
        assert sink.terminate() == 0
    assert check(setup, ["a"]) == 63


def test_what_retention_took_while_running_is_counted_exactly(setup: Setup) -> None:
    """
    Elasticsearch stands still, so the sink stops reading far behind the end of the log.
    """
    setup.settings["kafka"] = (
        "commit_interval_ms = 200\nqueued_kbytes = 64\nfetch_bytes_max = 1000000\n"
        "poll_bytes_max = 65536"
    )
    setup.settings["bulk"] = "docs_max = 100\nqueue_slots = 1\nin_flight = 1"
    records = 40_000
    create_topics(setup, {"a": 1})
    with SinkProcess(setup) as sink:
        sink.until_assigned(1)
        setup.elasticsearch.freeze()
        try:
            produce(setup, "a", numbered(0, records))
            wait_until(lambda: _ledger(sink, setup).get("in_flight"), 20, "it to be stuck")
            delete_records(setup, "a", records - 1_000)
        finally:
            setup.elasticsearch.thaw()
        until_committed(setup, "a", records, 60)
        ledger = _ledger(sink, setup)
        assert ledger["expired"] > 0
        assert ledger["expired"] + ledger["indexed"] + ledger.get("duplicate", 0) == records
        assert len(indexed_numbers(setup)) == records - ledger["expired"]
        assert sink.terminate() == 0
    assert committed_of(setup, "a") == {0: records}
    assert check(setup, ["a"]) == 1_000
