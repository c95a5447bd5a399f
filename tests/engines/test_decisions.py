"""
Decisions about parked documents on the real engines, where a restart or an audit comes in between.
"""

from typing import Any

from tests.engines.commanding import Ran, command
from tests.engines.oracle import ask, documents, indexed_numbers
from tests.engines.producing import numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.engines.test_parked_command import (
    AT_MS,
    _block,
    _fate,
    _index,
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
    audit = ("audit", "--topic", setup.topic("sick"), "--json")
    with SinkProcess(setup) as sink:
        _park(setup, sink, "sick", 0, 100)
        waiting = command(setup, *audit)
        assert _parked(setup, "drop", "--all", "--yes").code == 0
        dropped = command(setup, *audit)
        produce(setup, "sick", numbered(100, 7), timestamp=AT_MS)
        wait_until(lambda: _fate(sink, setup.topic("sick"), "parked") == 107, 40, "7 more")
        # Refused again. It stands behind the dropped ones as well, and came too late for them.
        assert _parked(setup, "release", "--all", "--yes", "--wait", "1").code == 1
        later = command(setup, *audit)
        assert sink.terminate() == 0
    _block(setup, "sick", blocked=False)
    with SinkProcess(setup, 1) as sink:
        _until_through(setup)
        assert sink.terminate() == 0
    counted = [_counts(ran) for ran in (waiting, dropped, later, command(setup, *audit))]
    assert counted == [
        (0, {"parked": 100}),
        (0, {"dropped:operator": 100}),
        (0, {"dropped:operator": 100, "parked": 7}),
        (0, {"dropped:operator": 100, "indexed": 7}),
    ]
    (gone,) = [hit["_id"] for hit in documents(setup) if hit["_source"]["n"] == 103]
    ask(setup, "DELETE", f"/{_index(setup, 'sick')}/_doc/{gone}")
    code, findings, _ = _audited(command(setup, *audit))
    assert (code, [each["id"] for each in findings]) == (1, [gone])


def _counts(ran: Ran) -> tuple[int, dict[str, int]]:
    assert "not of the sink" not in ran.err, "a command is"
    code, _, counts = _audited(ran)
    return code, counts


def _audited(ran: Ran) -> tuple[int, list[dict[str, Any]], dict[str, int]]:
    told = ran.json()
    return ran.code, told["findings"], {k: v for k, v in told["counts"].items() if v}
