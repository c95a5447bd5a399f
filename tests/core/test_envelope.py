"""
A record goes into an envelope and comes out as it was, whatever it carries itself.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.core.dead_letter import DeadLetter
from sink.core.envelope import Envelope, open_envelope
from sink.core.record import NO_TIMESTAMP, Element, Headers, Record
from sink.errors import Reject
from sink.testing import FakeRecord

NAMES = ["trace", "sink.topic", "sink.index", "sink.positions", "sink.truncated", "sink.command"]
HEADERS = st.lists(st.tuples(st.sampled_from(NAMES), st.none() | st.binary(max_size=4)), max_size=4)


def _record(
    value: bytes | None = b'{"n":1}',
    headers: Headers | None = None,
    timestamp_ms: int | None = 1_795_252_441_945,
) -> FakeRecord:
    return FakeRecord(
        "ekk-order",
        3,
        7,
        value,
        key=b"\x00key",
        headers=headers,
        timestamp_ms=timestamp_ms,
        leader_epoch=5,
    )


def _letter(record: Record, **more: object) -> DeadLetter:
    facts = {"index": "may", "id": "T-3-5-7", "topic_id": "T", "attempts": 2, **more}
    return DeadLetter(record, "park", "cluster_block_exception", "blocked", **facts)  # type: ignore[arg-type]


def _sent(letter: DeadLetter) -> Envelope:
    """
    Write a letter to a topic, and open what is read there.
    """
    value = letter.record.value()
    assert not isinstance(value, str)
    return open_envelope(
        FakeRecord("t", 0, 99, value, key=b"\x00key", headers=letter.headers({"version": "1"}))
    )


def test_the_record_inside_is_the_one_that_was_polled() -> None:
    record = _record(headers=[("trace", b"\xff"), ("none", None)])

    inside = _sent(_letter(record)).record

    assert (inside.topic(), inside.partition(), inside.offset()) == ("ekk-order", 3, 7)
    assert (inside.key(), inside.value(), inside.headers()) == (
        record.key(),
        record.value(),
        [("trace", b"\xff"), ("none", None)],
    )
    assert inside.timestamp() == record.timestamp()
    assert inside.leader_epoch() == 5


def test_the_envelope_tells_what_the_letter_told() -> None:
    envelope = _sent(_letter(_record(), positions=(4,)))

    assert (envelope.index, envelope.id, envelope.topic_id) == ("may", "T-3-5-7", "T")
    assert (envelope.stage, envelope.error_type, envelope.reason) == (
        "park",
        "cluster_block_exception",
        "blocked",
    )
    assert (envelope.attempts, envelope.documents, envelope.positions) == (2, 1, (4,))
    assert not envelope.truncated


def test_an_element_is_told_from_a_whole_record() -> None:
    record = _record(b'[{"n":0},{"n":1}]')
    element = Element(record, 1, b'{"n":1}')

    assert _sent(_letter(element, positions=(1,))).is_element
    assert not _sent(_letter(record)).is_element
    assert not _sent(_letter(record, positions=(0, 1), index=None, id=None)).is_element


def test_an_envelope_that_tells_no_more_than_it_must_is_read() -> None:
    """
    Of an earlier version of the sink, or of a record whose producer told no leader epoch.
    """
    least = {"topic": b"a", "partition": b"1", "offset": b"2", "timestamp": b"0"}
    told = least | {"stage": b"park", "error_type": b"x"}
    headers: Headers = [(f"sink.{name}", value) for name, value in told.items()]

    envelope = open_envelope(FakeRecord("t", 0, 0, b"{}", headers=headers))

    assert (envelope.topic_id, envelope.reason, envelope.attempts) == ("", "", 0)
    assert (envelope.documents, envelope.positions, envelope.truncated) == (1, (), False)
    assert (envelope.index, envelope.id) == (None, None)
    assert envelope.record.leader_epoch() == 0


def test_an_envelope_for_several_documents_tells_how_many() -> None:
    envelope = _sent(_letter(_record(), positions=(0, 3, 4), index=None, id=None))

    assert envelope.documents == 3


def test_documents_are_told_apart_by_the_leader_epoch_of_their_records() -> None:
    """
    A truncated log has other records at the same offsets.
    """
    other = FakeRecord("ekk-order", 3, 7, b"{}", leader_epoch=6, timestamp_ms=0)

    assert _sent(_letter(_record())).identity != _sent(_letter(other)).identity
    assert _sent(_letter(_record())).identity == _sent(_letter(_record())).identity


def test_the_first_instant_of_all_is_a_time() -> None:
    record = _record(timestamp_ms=0)

    assert _sent(_letter(record)).record.timestamp() == record.timestamp()


def test_a_record_that_carries_no_time_carries_none_in_its_envelope() -> None:
    assert _sent(_letter(_record(timestamp_ms=None))).record.timestamp() == (NO_TIMESTAMP, -1)


def test_a_stub_is_told_from_a_whole_value() -> None:
    letter = _letter(_record(b"x" * 100_000))
    value, told = letter.stub()
    stub = FakeRecord("t", 0, 99, value, headers=[*letter.headers({}), *told])

    assert open_envelope(stub).truncated


def test_positions_that_were_shortened_are_no_list() -> None:
    assert _sent(_letter(_record(), positions=tuple(range(2000)))).positions == ()


@given(HEADERS, st.sampled_from([None, "may"]), st.sampled_from([(), (2,)]))
def test_headers_of_a_record_that_look_like_ours_stay_its_own(
    headers: Headers, index: str | None, positions: tuple[int, ...]
) -> None:
    """
    A dead letter that was copied back to its topic has them. Read as ours they would name another
    index, or another document.
    """
    letter = _letter(_record(headers=headers), index=index, positions=positions, topic_id="")

    envelope = _sent(letter)

    assert envelope.record.headers() == headers
    assert (envelope.record.topic(), envelope.index) == ("ekk-order", index)
    assert (envelope.positions, envelope.topic_id, envelope.truncated) == (positions, "", False)


@pytest.mark.parametrize(
    "headers",
    [
        None,
        [],
        [("trace", b"1")],
        [("sink.topic", b"ekk-order")],
        [(name, b"x") for name in ("sink.topic", "sink.partition", "sink.offset")],
        [("sink.topic", b"\xff\xfe"), ("sink.partition", b"0")],
        [("sink.topic", None), ("sink.partition", None)],
    ],
)
def test_what_is_no_envelope_is_rejected(headers: Headers | None) -> None:
    with pytest.raises(Reject, match="no envelope"):
        open_envelope(FakeRecord("t", 0, 0, b"{}", headers=headers))


@given(st.sampled_from(["partition", "offset", "timestamp", "leader_epoch", "attempts"]))
def test_an_envelope_whose_numbers_are_none_is_rejected(name: str) -> None:
    headers = [
        (key, b"many" if key == f"sink.{name}" else value)
        for key, value in _letter(_record()).headers({})
    ]

    with pytest.raises(Reject, match="no envelope"):
        open_envelope(FakeRecord("t", 0, 0, b"{}", headers=headers))
