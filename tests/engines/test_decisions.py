"""
Decisions about parked documents on the real engines, where a restart or an audit comes in between.
"""

from tests.engines.commanding import command
from tests.engines.oracle import indexed_numbers, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.engines.test_parked_command import (
    AT_MS,
    _block,
    _fate,
    _park,
    _parked,
    _prepare,
    _until_through,
)
from tests.waiting import wait_until


def test_parked_documents_are_read_from_the_beginning_whatever_kafka_start_says(
    setup: Setup,
) -> None:
    setup.settings["kafka"] = 'start = "latest"'
    _prepare(setup, {"sick": 0})
    with SinkProcess(setup) as sink:
        sink.until_assigned(5)
        produce(setup, "sick", numbered(5000, 1), timestamp=AT_MS, partition=0)
        produce(setup, "sick", numbered(5001, 1), timestamp=AT_MS, partition=1)
        _block(setup, "sick", blocked=False)
        wait_until(lambda: len(indexed_numbers(setup)) == 2, 60, "both partitions to be begun")
        _block(setup, "sick")
        before = _fate(sink, setup.topic("sick"), "parked")
        produce(setup, "sick", numbered(0, 100), timestamp=AT_MS)
        wait_until(
            lambda: _fate(sink, setup.topic("sick"), "parked") == before + 100, 40, "100 parked"
        )
        assert sink.terminate() == 0
    _block(setup, "sick", blocked=False)
    with SinkProcess(setup, 1) as sink:
        wait_until(lambda: set(range(100)) <= set(indexed_numbers(setup)), 30, "the parked ones")


def test_a_drop_given_while_no_sink_runs_is_obeyed_though_the_index_is_well_meanwhile(
    setup: Setup,
) -> None:
    _prepare(setup, {"sick": 0})
    with SinkProcess(setup) as sink:
        _park(setup, sink, "sick", 0, 3000)
        assert sink.terminate() == 0
    assert _parked(setup, "drop", "--all", "--yes").code == 0
    _block(setup, "sick", blocked=False)
    with SinkProcess(setup, 1) as sink:
        _until_through(setup)
        assert sink.terminate() == 0
    assert indexed_numbers(setup) == {}


def test_an_audit_does_not_miss_what_an_operator_dropped(setup: Setup) -> None:
    _prepare(setup, {"sick": 0})
    with SinkProcess(setup) as sink:
        _park(setup, sink, "sick", 0, 100)
        assert _parked(setup, "drop", "--all", "--yes").code == 0
        assert sink.terminate() == 0
    ran = command(setup, "audit", "--topic", setup.topic("sick"))
    assert ran.code == 0, ran
