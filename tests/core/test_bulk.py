"""
Cutting documents into bulks, the lines of a request, and whose records each bulk answers for.
"""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.collectors.log import LOG
from sink.core.action import action_lines, action_prefix
from sink.core.bulk import Actions, Bound, Bulk
from sink.core.collect import Documents, Rejected, Run
from sink.core.collector import Collector
from sink.core.draft import Draft
from sink.core.offsets import OffsetTracker, Ticket
from sink.core.record import Partition
from sink.testing import FakeRecord, operations
from tests.making import documents

RECORDS = Path(__file__).parents[1] / "fixtures" / "records"
TOPICS = ["orders", "bills"]
LIMITS = st.integers(1, 12)
BYTES = st.integers(1, 200)


# A run: the topic, and for each of its records the length of its document; 0: dead before sending.
RUNS = st.lists(
    st.tuples(st.sampled_from(TOPICS), st.lists(st.integers(0, 40), min_size=1, max_size=8)),
    max_size=8,
)


def _run(topic: str, first: int, lengths: list[int]) -> tuple[Run, Documents]:
    records = [FakeRecord(topic, 0, first + n, b"") for n in range(len(lengths))]
    kept = [record for record, length in zip(records, lengths, strict=True) if length]
    made = Documents(
        sources=[b"x" * length for length in lengths if length],
        records=[*kept],
        ids=[b"%d" % record.offset() for record in kept],
        rejected=[
            Rejected(record, (), "reject", "")
            for record, length in zip(records, lengths, strict=True)
            if not length
        ],
    )
    return Run(Partition(topic, 0), [*records], first, first + len(lengths)), made


def _sources(runs: list[tuple[str, list[int]]]) -> list[bytes]:
    return [b"x" * length for _, lengths in runs for length in lengths if length]


def _drafted(
    runs: list[tuple[str, list[int]]], docs_max: int, bytes_max: int
) -> tuple[OffsetTracker, list[Bulk], Draft]:
    tracker, draft = OffsetTracker(), Draft()
    for topic in TOPICS:
        tracker.assign(Partition(topic, 0))
    ends: Counter[str] = Counter()
    for topic, lengths in runs:
        run, made = _run(topic, ends[topic], lengths)
        ends[topic] += len(lengths)
        lines = [b"action-%d" % _place(record)[1] for record in made.records]
        draft.add(run, made, Actions(lines, [(Bound(f"sag-{topic}", topic, "id"), len(lines))]))
    return tracker, draft.bulks(tracker, docs_max, bytes_max), draft


@given(RUNS, LIMITS, BYTES)
def test_every_document_is_in_one_bulk_with_its_action_and_its_record(
    runs: list[tuple[str, list[int]]], docs_max: int, bytes_max: int
) -> None:
    _, bulks, draft = _drafted(runs, docs_max, bytes_max)

    assert [line for bulk in bulks for line in bulk.lines[1::2]] == _sources(runs)
    assert [record for bulk in bulks for record in bulk.records] == draft.records
    for bulk in bulks:
        offsets = [_place(record)[1] for record in bulk.records]
        assert [b"action-%d" % offset for offset in offsets] == bulk.lines[0::2]


@given(RUNS, LIMITS, BYTES)
def test_a_drafts_bulks_keep_to_the_limits_newlines_counted(
    runs: list[tuple[str, list[int]]], docs_max: int, bytes_max: int
) -> None:
    _, bulks, _ = _drafted(runs, docs_max, bytes_max)

    for bulk in bulks:
        assert bulk.size_bytes == len(bytes(bulk.body()))
        assert len(bulk) <= docs_max
        assert bulk.size_bytes <= bytes_max or len(bulk) == 1


@given(RUNS, LIMITS, BYTES)
def test_a_ticket_waits_for_just_the_bulks_that_hold_something_of_its_run(
    runs: list[tuple[str, list[int]]], docs_max: int, bytes_max: int
) -> None:
    """
    One bulk too few and a record is committed unsent; one too many and nothing is ever committed.
    """
    tracker, bulks, _ = _drafted(runs, docs_max, bytes_max)

    waiting: Counter[int] = Counter()
    tickets: dict[int, Ticket] = {}
    for bulk in bulks:
        held = {_place(record) for record in bulk.records}
        held |= {_place(rejected.record) for rejected in bulk.rejected}
        assert held, "an empty bulk would wait for ever"
        for ticket in bulk.tickets:
            offsets = range(ticket.first, ticket.next_offset)
            assert held & {(ticket.partition.topic, offset) for offset in offsets}
            waiting[id(ticket)] += 1
            tickets[id(ticket)] = ticket
        covered = {
            (ticket.partition.topic, offset)
            for ticket in bulk.tickets
            for offset in range(ticket.first, ticket.next_offset)
        }
        assert held <= covered
    for key, ticket in tickets.items():
        assert ticket.parts == waiting[key]
    for bulk in bulks:
        for ticket in bulk.tickets:
            tracker.settle(ticket)
    ends: Counter[Partition] = Counter()
    for topic, lengths in runs:
        ends[Partition(topic, 0)] += len(lengths)
    assert tracker.committable() == ends


def _place(record: object) -> tuple[str, int]:
    assert isinstance(record, FakeRecord)
    return record.topic(), record.offset()


@given(RUNS, LIMITS, BYTES)
def test_no_dead_record_is_left_out_or_told_twice(
    runs: list[tuple[str, list[int]]], docs_max: int, bytes_max: int
) -> None:
    _, bulks, _ = _drafted(runs, docs_max, bytes_max)

    dead = Counter(_place(rejected.record) for bulk in bulks for rejected in bulk.rejected)
    assert set(dead.values()) <= {1}
    assert dead.total() == sum(lengths.count(0) for _, lengths in runs)


@given(RUNS, LIMITS, BYTES)
def test_the_sections_of_a_bulk_count_its_documents_by_topic(
    runs: list[tuple[str, list[int]]], docs_max: int, bytes_max: int
) -> None:
    _, bulks, _ = _drafted(runs, docs_max, bytes_max)

    for bulk in bulks:
        told: Counter[str] = Counter()
        for section in bulk.sections:
            told[section.consumed_from] += section.documents
        assert told == Counter(_place(record)[0] for record in bulk.records)


@given(RUNS, LIMITS, BYTES)
def test_the_halves_of_a_bulk_are_the_bulk(
    runs: list[tuple[str, list[int]]], docs_max: int, bytes_max: int
) -> None:
    _, bulks, _ = _drafted(runs, docs_max, bytes_max)

    for bulk in bulks:
        if len(bulk) < 2:
            continue
        bulk.worker = 3
        left, right = bulk.halves()
        assert left.lines + right.lines == bulk.lines
        assert left.records + right.records == bulk.records
        assert len(left)
        assert len(right)
        assert left.worker == right.worker == 3
        assert not left.tickets
        assert not right.rejected


def test_the_body_ends_with_a_newline_and_asking_again_gives_the_same() -> None:
    _, (bulk,), _ = _drafted([("orders", [3, 4])], 10, 1000)

    body = bytes(bulk.body())

    assert body == b"action-0\nxxx\naction-1\nxxxx\n"
    assert body == bytes(bulk.body())


@pytest.mark.parametrize("file", sorted(RECORDS.iterdir()), ids=lambda file: file.name)
def test_no_value_breaks_out_of_its_line(file: Path) -> None:
    """
    `injection.txt` holds a second line that would delete a document if it were pasted in as it is.
    """
    bulk = _collected(LOG, file.read_bytes())
    if bulk is None:
        return

    body = bytes(bulk.body())

    assert body.count(b"\n") == 2 * len(bulk)
    assert set(operations(body)) <= {"create"}


@given(
    st.binary(max_size=60) | st.text(alphabet='{}":\n\r ,[]a1\u00e9', max_size=60).map(str.encode)
)
def test_no_value_at_all_breaks_out_of_its_line(value: bytes) -> None:
    bulk = _collected(LOG, value)
    if bulk is None:
        return

    assert bytes(bulk.body()).count(b"\n") == 2 * len(bulk)


@pytest.mark.parametrize(
    "answer",
    [
        b'{"a":1}\n{"delete":{"_index":"sag","_id":"1"}}',
        b'{"a":\n1}',
        {"a": "one\ntwo"},
        [b'{"a":1}\n', b'{"b":2}\n{"delete":{}}'],
    ],
)
def test_no_answer_of_a_users_collector_breaks_out_of_its_line(answer: object) -> None:
    collector = Collector("mine", lambda _: answer)  # type: ignore[arg-type, return-value]
    bulk = _collected(collector, b"whatever")
    assert bulk is not None

    assert bytes(bulk.body()).count(b"\n") == 2 * len(bulk)


def _collected(collector: Collector, value: bytes) -> Bulk | None:
    record = FakeRecord("orders", 0, 7, value)
    run = Run(Partition("orders", 0), [record], 7, 8)
    made = documents(run, collector)
    prefix = action_prefix("create", "sag-orders", "id-0-0-")
    draft, tracker = Draft(), OffsetTracker()
    tracker.assign(run.partition)
    lines = action_lines(prefix, made.ids, with_id=True)
    draft.add(run, made, Actions(lines, [(Bound("sag-orders", "orders", "id"), len(lines))]))
    bulks = draft.bulks(tracker, 100, 1_000_000)
    return bulks[0] if bulks else None
