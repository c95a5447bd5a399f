"""
The kinds of records of the memory bench are what the table says.
"""

import zlib
from itertools import islice

import orjson
import pytest

from bench.shapes import SHAPES, Shape, produced
from sink.core.envelope import open_envelope
from sink.testing import FakeRecord


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_record_is_a_json_object_of_the_size_and_has_the_headers(shape: Shape) -> None:
    for value, headers in islice(produced(shape), 50):
        assert isinstance(orjson.loads(value), dict)
        assert len(value) == shape.value_bytes
        assert shape.parked or len(headers) == shape.headers


@pytest.mark.parametrize("shape", [s for s in SHAPES if s.ratio > 1], ids=lambda s: s.name)
def test_a_batch_compresses_as_much_as_the_table_says(shape: Shape) -> None:
    batch = b"".join(value for value, _ in islice(produced(shape), 500))

    assert 0.8 * shape.ratio < len(batch) / len(zlib.compress(batch)) < 1.5 * shape.ratio


def test_what_stands_in_the_parked_topic_is_a_letter_of_the_sink() -> None:
    shape = next(each for each in SHAPES if each.parked)
    value, headers = next(produced(shape))

    envelope = open_envelope(FakeRecord("sink-parked", 0, 0, value, headers=headers))

    assert envelope.stage == "park"
    assert envelope.record.value() == value
