"""
What a dead letter tells of its record and of its end.
"""

import hashlib

import pytest

from sink.core.dead_letter import STUB_BYTES, DeadLetter, target_of
from sink.core.envelope import Original
from sink.core.record import Headers, headers_of
from sink.testing import FakeRecord


def _letter(reason: str = "because", value: bytes | None = b"v", **more: object) -> DeadLetter:
    record = FakeRecord(
        "ekk-order",
        3,
        7,
        value,
        key=b"k",
        headers=[("trace", b"\xff\x00"), ("none", None)],
        timestamp_ms=1_795_252_441_945,
        leader_epoch=5,
    )
    return DeadLetter(record, "index", "document_parsing_exception", reason, **more)  # type: ignore[arg-type]


def test_the_records_own_headers_come_first_and_untouched() -> None:
    assert _letter().headers({})[:2] == [("trace", b"\xff\x00"), ("none", None)]


def test_its_size_is_that_of_value_key_and_own_headers() -> None:
    assert _letter(value=b"12345").size_bytes() == 5 + 1 + len("trace") + 2 + len("none")
    assert _letter(value=None).size_bytes() == 12


def test_a_stub_is_the_first_64_kib() -> None:
    kept, _ = _letter(value=b"x" * 70_000).stub()

    assert len(kept) == 65_536


def test_own_headers_too_large_for_a_stub_are_left_out_and_small_ones_stay() -> None:
    assert [name for name, _ in _letter().headers({}, 11)[:2]] == ["trace", "none"]
    assert [name for name, _ in _letter().headers({}, 10)[:2]] == ["sink.topic", "sink.partition"]


class _OddlyNamed(FakeRecord):
    """
    A record with a header whose name is no UTF-8, as confluent_kafka gives it: once an error, from
    then on a pair that lacks what could not be read.
    """

    asked = 0

    def headers(self) -> Headers | None:
        self.asked += 1
        if self.asked == 1:
            raise SystemError("returned a result with an exception set")
        return [("one", b"1"), (b"2",), ("three", None)]  # type: ignore[list-item]


def test_a_header_whose_name_cannot_be_read_costs_itself_alone() -> None:
    assert headers_of(_OddlyNamed("ekk-order", 0, 0, b"v")) == [("one", b"1"), ("three", None)]


def test_headers_tell_where_it_came_from_and_why_it_is_here() -> None:
    letter = _letter(attempts=2, index="sag-order_2026-11-01", id="T-3-5-7")

    told = dict(letter.headers({"version": "1.2.3"})[2:])

    assert told == {
        "sink.topic": b"ekk-order",
        "sink.partition": b"3",
        "sink.offset": b"7",
        "sink.leader_epoch": b"5",
        "sink.timestamp": b"1795252441945",
        "sink.documents": b"1",
        "sink.index": b"sag-order_2026-11-01",
        "sink.id": b"T-3-5-7",
        "sink.stage": b"index",
        "sink.error_type": b"document_parsing_exception",
        "sink.reason": b"because",
        "sink.attempts": b"2",
        "sink.version": b"1.2.3",
    }


def test_elements_of_an_array_are_told_by_their_positions() -> None:
    told = _letter(positions=(0, 3)).headers({})

    assert ("sink.positions", b"0,3") in told
    assert ("sink.documents", b"2") in told


def test_a_long_reason_keeps_its_beginning_and_its_end() -> None:
    """
    Headers count against the broker's limit; and a Python trace says what happened at its end.
    """
    told = dict(_letter("é" * 5000 + "middle" + "ü" * 5000 + "KeyError: 'x'").headers({}))

    reason = told["sink.reason"]
    assert isinstance(reason, bytes)
    assert len(reason) < 4200
    assert reason.decode().startswith("ééé")
    assert reason.decode().endswith("üüüKeyError: 'x'")
    assert "middle" not in reason.decode()


@pytest.mark.parametrize(("length", "whole"), [(4096, True), (4097, False)])
def test_a_reason_is_kept_whole_up_to_its_limit(length: int, *, whole: bool) -> None:
    told = dict(_letter("x" * length).headers({}))["sink.reason"]

    assert isinstance(told, bytes)
    assert (told == b"x" * length) is whole


def test_a_reason_that_is_cut_within_a_character_is_still_text() -> None:
    """
    Both its halves end, or begin, amid a character here.
    """
    told = dict(_letter("a" + "é" * 3000 + "b").headers({}))["sink.reason"]

    assert isinstance(told, bytes)
    assert told.decode() == "a" + "é" * 1023 + " … " + "é" * 1023 + "b"


@pytest.mark.parametrize("reason", ["a lone \ud800 surrogate", "\ud800" * 5000])
def test_a_reason_that_has_no_utf8_does_not_stop_its_letter(reason: str) -> None:
    """
    A user's exception may quote what it read; a letter that cannot be written would be retried for
    ever, and its partition with it.
    """
    told = dict(_letter(reason).headers({}))

    assert isinstance(told["sink.reason"], bytes)
    assert told["sink.reason"].decode()


def test_a_stub_keeps_the_beginning_the_length_and_the_digest() -> None:
    value = bytes(range(256)) * 1024

    kept, told = _letter(value=value).stub()

    assert kept == value[:STUB_BYTES]
    assert dict(told) == {
        "sink.truncated": b"true",
        "sink.value_bytes": b"262144",
        "sink.value_sha256": hashlib.sha256(value).hexdigest().encode(),
    }


def test_a_value_that_is_text_has_a_stub_of_its_bytes() -> None:
    record = Original("ekk-order", 3, 7, 0, 0, None, "é" * 50_000, [])
    letter = DeadLetter(record, "collect", "x", "y")

    kept, told = letter.stub()

    assert kept == ("é" * 50_000).encode()[:STUB_BYTES]
    assert ("sink.value_bytes", b"100000") in told


def test_a_tombstone_has_a_stub_too() -> None:
    kept, told = _letter(value=None).stub()

    assert kept == b""
    assert ("sink.value_bytes", b"0") in told


def test_index_and_id_are_read_out_of_an_action() -> None:
    assert target_of(b'{"create":{"_index":"sag","_id":"T-0-0-7-1"}}') == ("sag", "T-0-0-7-1")
    assert target_of(b'{"index":{"_index":"sag"}}') == ("sag", None)


def test_the_letter_of_what_never_was_a_document_names_no_index_and_no_attempt() -> None:
    told = dict(_letter().headers({}))

    assert told["sink.attempts"] == b"0"
    assert not {"sink.index", "sink.id", "sink.positions", "sink.topic_id"} & set(told)
