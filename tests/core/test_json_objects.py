"""
What counts as one JSON object: the fast look at many values says what the plain one says of each.
"""

import json
from pathlib import Path

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sink.core.fields import loose
from sink.core.json_objects import elements, is_object, lines, on_one_line, plain_objects

RECORDS = Path(__file__).parents[1] / "fixtures" / "records"
FIXTURES = {file.name: file.read_bytes() for file in sorted(RECORDS.iterdir())}
DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000

FLOATS = st.floats(allow_nan=False, allow_infinity=False)  # JSON has neither
OBJECTS = st.dictionaries(
    st.text(max_size=4),
    st.recursive(
        st.none() | st.booleans() | st.integers() | FLOATS | st.text(max_size=6),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=6,
    ),
    max_size=4,
)
PIECES = [b'{"a":"', b'"}', b"{}", b"[", b"]", b"\xc3", b"\xa9", b"\xff", b"\n", b"\r", b" ", b"1"]
PIECES += [b"\xef\xbb\xbf", b"\\ud800", b"\\u00e9", b"\x00", b"\x1f", b",", b":", b"\\", b"null"]
COMPACT = OBJECTS.map(lambda value: json.dumps(value, ensure_ascii=False).encode())
HOSTILE = (
    st.binary(max_size=30)
    | st.lists(st.sampled_from(PIECES), max_size=6).map(b"".join)
    | COMPACT
    | OBJECTS.map(lambda value: json.dumps(value, indent=1).encode())
    | st.tuples(COMPACT, st.integers(0, 60), st.sampled_from(PIECES)).map(
        lambda its: its[0][: its[1]] + its[2] + its[0][its[1] :]
    )
    | st.sampled_from([*FIXTURES.values(), DEEP])
)


def _plain(value: object) -> bool:
    return isinstance(value, bytes) and is_object(value) and b"\n" not in value and b'"' in value


def all_plain_objects(values: list[bytes]) -> bool:
    """Look at many values at once, with a decoder that takes any object."""
    return plain_objects(values, loose((), None), 0) is not None


@given(st.lists(HOSTILE | st.none(), max_size=5))
@example([b'{"a":"\xc3', b'\xa9"}'])  # two halves of one character
@example([b'{"a":"\xc3"}', b'{"a":"\xa9"}'])
@example([b'{"a":1}', None])
@example([b'{"a":1}', DEEP])
@example([b'{"a":1}', b'{"a":\n1}'])
@example([])
def test_the_fast_look_at_many_values_is_the_plain_one_at_each(values: list[bytes | None]) -> None:
    fast = all_plain_objects(values)  # type: ignore[arg-type]

    assert fast is all(map(_plain, values))


@pytest.mark.parametrize("place", [0, 1, 126, 127, 128, 129, 255, 256, 299])
@pytest.mark.parametrize("odd", [b"17", b'{"a":"\xff"}', b'{"a":\n1}', None])
def test_one_odd_value_among_many_is_found_wherever_it_is(place: int, odd: bytes | None) -> None:
    values = [b'{"a":1}', '{"a":"é"}'.encode()] * 150
    assert all_plain_objects(values)

    values[place] = odd  # type: ignore[assignment]

    assert not all_plain_objects(values)


@pytest.mark.parametrize("name", FIXTURES)
def test_the_fast_look_agrees_on_every_sample(name: str) -> None:
    value = FIXTURES[name]

    assert all_plain_objects([value]) is _plain(value)
    assert all_plain_objects([b'{"a":1}', value, b'{"b":2}']) is _plain(value)


@given(OBJECTS, st.booleans())
def test_what_a_json_library_writes_for_a_dict_is_an_object(
    value: dict[str, object], ascii_only: bool
) -> None:
    assert is_object(json.dumps(value, ensure_ascii=ascii_only).encode())
    assert is_object(b" " + json.dumps(value, indent=2).encode() + b"\r\n ")


@given(HOSTILE)
def test_what_is_called_an_object_is_one_for_other_readers_too(value: bytes) -> None:
    if value != DEEP and is_object(value):
        assert isinstance(json.loads(value, strict=False), dict)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b" ",
        b"[]",
        b"17",
        b'"text"',
        b"null",
        b'{"a":1}{"b":2}',
        b'{"a":1}\n{"b":2}',
        b'{"a":1',
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":"\xff"}',
        b'{"\xc7\xeb":1}',
        b'{"a":"\xed\xa0\x80"}',  # a surrogate in UTF-8
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        DEEP,
    ],
)
def test_what_is_no_object(value: bytes) -> None:
    assert not is_object(value)


@given(OBJECTS)
def test_an_object_put_on_one_line_is_the_same_object(value: dict[str, object]) -> None:
    spread = json.dumps(value, indent=2).encode()

    line = on_one_line(spread)

    assert b"\n" not in line
    assert json.loads(line) == value


@given(st.lists(OBJECTS | st.integers() | st.text(max_size=5) | st.none(), max_size=5))
def test_an_array_is_split_into_the_bytes_of_its_elements(values: list[object]) -> None:
    parts = elements(json.dumps(values, indent=1).encode())

    assert parts is not None
    assert values == list(map(json.loads, parts))


@pytest.mark.parametrize("value", [b"", b"{}", b"[1", b"[] x", b"17", b'["\xff"]', b"[" * 5000])
def test_what_is_no_array_has_no_elements(value: bytes) -> None:
    assert elements(value) is None


def test_an_element_that_is_broken_breaks_the_array() -> None:
    assert elements(b'[{"a":1},{"a":}]') is None


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (b'{"a":1}\n{"b":2}', [b'{"a":1}', b'{"b":2}']),
        (b'\n{"a":1}\r\n\n{"b":2}\r\n', [b'{"a":1}\r', b'{"b":2}\r']),
        (b'{"a":1}', None),
        (b'{"a":1}\n', None),
        (b'{"a":1}\nplain text', None),
        (b'{"a":1}\n17', None),
        (b'{"a":1}\n{"b":"\xff"}', None),
        (b"\n\n", None),
        (b"", None),
    ],
)
def test_lines_are_documents_only_if_there_are_several_and_all_are_objects(
    value: bytes, parts: list[bytes] | None
) -> None:
    assert parts == lines(value)


def test_a_sample_is_read_by_a_strict_reader_as_well() -> None:
    for name in ("ekk-appender.json", "ekk-appender-chinese.json", "kong-kafka-log.json"):
        assert is_object(FIXTURES[name])
        assert isinstance(orjson.loads(FIXTURES[name]), dict)
