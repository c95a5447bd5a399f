"""
From a poll to documents: runs of one partition, and what a collector's answers become.
"""

import sys
from collections import Counter
from itertools import pairwise
from typing import cast

import orjson
import pytest
from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from sink.collectors.log import LOG
from sink.core.collect import Documents, Run, pieces, runs
from sink.core.collector import Answer, Collector, Drop, Refused
from sink.core.record import Partition, Record
from sink.errors import Reject
from sink.testing import FakeRecord
from tests.making import documents

TIME = b'{"@timestamp":"2026-11-21T09:14:01.945Z",'  # of a FakeRecord
# A poll: (topic, partition) of each record, as librdkafka mixes them.
POLLS = st.lists(
    st.tuples(st.sampled_from(["orders", "bills"]), st.integers(0, 1), st.integers(0, 2)),
    max_size=30,
)


def _run(*values: bytes | None, first: int = 7) -> Run:
    records: list[Record] = [FakeRecord("orders", 0, first + n, v) for n, v in enumerate(values)]
    return Run(Partition("orders", 0), records, first, first + len(records))


def _collected(answer: object, *values: bytes) -> Documents:
    """Documents of a user's collector that gives this answer for each record."""

    def collect(_: Record) -> Answer:
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[return-value]

    return documents(_run(*(values or (b"v",))), Collector("mine", collect))


@given(POLLS)
def test_runs_end_to_end_are_the_poll(poll: list[tuple[str, int, int]]) -> None:
    ends: dict[tuple[str, int], int] = {}
    records: list[Record] = []
    for topic, number, gap in poll:
        offset = ends.get((topic, number), 0) + gap
        ends[topic, number] = offset + 1
        records.append(FakeRecord(topic, number, offset, b""))

    found = list(runs(records))

    assert [record for run in found for record in run.records] == records
    for run in found:
        places = {Partition(r.topic() or "", r.partition() or 0) for r in run.records}
        assert places == {run.partition}
        offsets = [record.offset() for record in run.records]
        assert list(run.offsets()) == offsets
        assert (run.first, run.next_offset - 1) == (offsets[0], offsets[-1])
    assert all(one.partition != other.partition for one, other in pairwise(found))


def test_a_message_of_librdkafka_is_a_record_as_it_is() -> None:
    messages = [
        Message(topic="orders", partition=2, offset=offset, value=b'{"a":1}', timestamp=(1, 5))
        for offset in (4, 5)
    ]

    (run,) = runs(cast("list[Record]", messages))

    assert (run.partition, run.first, run.next_offset) == (Partition("orders", 2), 4, 6)
    assert documents(run, LOG).sources == [b'{"@timestamp":"1970-01-01T00:00:00.005Z","a":1}'] * 2


def test_json_objects_pass_as_the_bytes_they_came_in_behind_their_time() -> None:
    values = [b'{"b":1, "a":2}', b'{"n":1.0}']
    made = documents(_run(*values), LOG)

    assert made.sources == [TIME + value[1:] for value in values]
    assert list(made.ids) == [7, 8]


def test_one_odd_record_leaves_its_neighbours_as_they_are() -> None:
    made = documents(_run(b'{"a":1}', b"plain text", b'{"b":2}'), LOG)

    assert made.sources[0::2] == [TIME + b'"a":1}', TIME + b'"b":2}']
    assert orjson.loads(made.sources[1])["msg"] == "plain text"
    assert list(made.ids) == [b"7", b"8", b"9"]


def test_records_with_gaps_between_them_keep_their_offsets_as_ids() -> None:
    records: list[Record] = [FakeRecord("orders", 0, offset, b'{"a":1}') for offset in (7, 9, 30)]
    made = documents(Run(Partition("orders", 0), records, 7, 31), LOG)

    assert list(made.ids) == [7, 9, 30]


@pytest.mark.parametrize(
    ("answer", "sources"),
    [
        (b'{"a":1}', [b'{"a":1}']),
        ({"a": 1}, [b'{"a":1}']),
        (b'{"a":\n1}', [b'{"a": 1}']),
        ([b'{"a":1}', {"b": 2}], [b'{"a":1}', b'{"b":2}']),
    ],
)
def test_a_collector_gives_bytes_or_a_dict_or_a_list_of_them(
    answer: object, sources: list[bytes]
) -> None:
    made = _collected(answer)

    assert sources == made.sources
    assert not made.rejected
    assert not made.dropped


def test_several_documents_of_one_record_have_ids_of_their_own() -> None:
    made = _collected([{"a": 1}, Refused("no"), {"b": 2}])

    assert list(made.ids) == [b"7-0", b"7-2"]
    assert [record.offset() for record in made.records] == [7, 7]
    assert [record.value() for record in made.records] == made.sources
    assert [(r.positions, r.reason) for r in made.rejected] == [((1,), "no")]


@pytest.mark.parametrize(
    ("answer", "rule"),
    [(None, "collector_mine"), (Drop("health check"), "health check"), ([], "empty_list")],
)
def test_a_drop_is_counted_under_the_name_of_its_rule(answer: object, rule: str) -> None:
    made = _collected(answer, b"1", b"2")

    assert made.dropped == {rule: 2}
    assert not made.sources
    assert not made.rejected


@pytest.mark.parametrize(
    "answer",
    [
        b"not json",
        b"[1]",
        b"",
        b'{"a":"\xff"}',
        b'{"a":1}\n{"delete":{"_index":"sag","_id":"1"}}',
        {"a": object()},
        {1: "a key that is no text"},
        "text",
        17,
        ({"a": 1},),
        bytearray(b"{}"),
    ],
)
def test_an_answer_that_is_no_document_kills_its_record_alone(answer: object) -> None:
    made = _collected(answer)

    assert not made.sources
    (rejected,) = made.rejected
    assert rejected.error_type == "not_an_object"
    assert "not one JSON object" in rejected.reason
    assert (rejected.record.offset(), rejected.positions) == (7, ())


def test_elements_that_are_no_documents_are_told_by_their_positions_in_one_letter_a_reason() -> (
    None
):
    """
    One each would multiply a record of 300,000 numbers by itself.
    """
    made = _collected([{"a": 1}, b"not json", Refused("no"), 17, Refused("no")])

    assert made.sources == [b'{"a":1}']
    assert {r.reason: r.positions for r in made.rejected} == {
        "no": (2, 4),
        "the collector's answer is not one JSON object": (1, 3),
    }
    assert len(made) == 5


def test_a_record_the_collector_rejects_is_dead_with_the_reason() -> None:
    made = _collected(Reject("no tenant"))

    (rejected,) = made.rejected
    assert (rejected.error_type, rejected.reason) == ("reject", "no tenant")
    assert (rejected.record.offset(), rejected.positions) == (7, ())


def test_an_error_in_a_users_code_kills_the_record_with_the_trace_and_nothing_else() -> None:
    def collect(record: Record) -> Answer:
        if record.value() == b"poison":
            raise KeyError("tenant_of_nobody")
        return {"ok": True}

    made = documents(_run(b"a", b"poison", b"b"), Collector("mine", collect))

    assert len(made.sources) == 2
    (rejected,) = made.rejected
    assert rejected.error_type == "collector_exception"
    assert rejected.record.value() == b"poison"
    assert "KeyError: 'tenant_of_nobody'" in rejected.reason
    assert "in collect" in rejected.reason


def test_a_users_code_that_ends_the_process_only_kills_its_record() -> None:
    """SystemExit is no Exception: it would end the consumer's thread without a word."""

    def collect(_: Record) -> Answer:
        sys.exit("enough")

    (rejected,) = documents(_run(b"a"), Collector("mine", collect)).rejected

    assert "SystemExit: enough" in rejected.reason


def test_a_trace_is_told_by_its_end() -> None:
    """
    Headers hold 4 KiB of it; what happened stands in the last frames.
    """

    def there(left: int) -> dict[str, object]:
        return back(left - 1) if left else innermost()

    def back(left: int) -> dict[str, object]:
        return there(left)  # a trace folds one line that calls itself, not two

    def innermost() -> dict[str, object]:
        raise KeyError("tenant_of_nobody")

    made = documents(_run(b"v"), Collector("mine", lambda _: there(50)))

    (rejected,) = made.rejected
    assert rejected.reason.count('File "') == 8
    assert "in innermost" in rejected.reason
    assert rejected.reason.rstrip().endswith("KeyError: 'tenant_of_nobody'")


VALUES = st.lists(
    st.sampled_from([b'{"a":1}', b"text", b"", b"[17]", b'[{"a":1},{"b":2},3]', None]),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize("length", [1, 1023, 1024, 1025, 5000])
def test_a_long_stretch_of_one_partition_is_several_runs(length: int) -> None:
    polled = [("orders", 3)] * length + [("bills", 3), ("bills", 4), ("orders", 4)]
    records: list[Record] = [FakeRecord(*place, n, b"") for n, place in enumerate(polled)]

    found = list(runs(records))

    assert [record for run in found for record in run.records] == records
    assert all(len(run.records) <= 1024 for run in found)
    assert len(found) == -(-length // 1024) + 3
    for run in found:
        assert {Partition(r.topic() or "", r.partition() or 0) for r in run.records} == {
            run.partition
        }
        assert list(run.offsets()) == [record.offset() for record in run.records]


@given(VALUES, st.integers(1, 5), st.booleans())
def test_the_pieces_of_a_run_are_the_run(
    values: list[bytes | None], docs_max: int, gaps: bool
) -> None:
    step = 3 if gaps else 1
    records: list[Record] = [
        FakeRecord("orders", 0, 7 + n * step, value) for n, value in enumerate(values)
    ]
    run = Run(Partition("orders", 0), records, 7, 7 + (len(values) - 1) * step + 1)
    whole = documents(run, LOG)

    found = list(pieces(run, LOG, docs_max))

    assert [source for _, made in found for source in made.sources] == whole.sources
    assert [_name(name) for _, made in found for name in made.ids] == list(map(_name, whole.ids))
    assert sum((made.dropped for _, made in found), Counter[str]()) == whole.dropped
    assert [r for _, made in found for r in made.rejected] == whole.rejected
    assert [record for piece, _ in found for record in piece.records] == records
    ends = [run.first, *(piece.next_offset for piece, _ in found)]
    assert [piece.first for piece, _ in found] == ends[:-1]
    assert ends[-1] == run.next_offset


def _name(name: int | bytes) -> bytes:
    return b"%d" % name if isinstance(name, int) else name


@given(st.integers(1, 5), st.integers(1, 30))
def test_a_piece_is_over_its_limit_by_the_documents_of_one_record_at_most(
    docs_max: int, records: int
) -> None:
    """
    The bulks of a piece are handed over before the next is made: that bounds the memory.
    """
    run = _run(*[b'[{"a":1},{"b":2},{"c":3}]'] * records)

    sizes = [len(made) for _, made in pieces(run, LOG, docs_max)]

    assert sum(sizes) == 3 * records
    assert max(sizes) < docs_max + 3
