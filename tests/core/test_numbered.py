"""
Numbers in a row between two texts: two halves of each, as if it were formatted by itself.
"""

from operator import add

import orjson
from hypothesis import given
from hypothesis import strategies as st

from sink.core.collect import Documents
from sink.core.metadata import column
from sink.core.numbered import ends, halves
from sink.testing import FakeRecord

FIRST = st.integers(0, 3) | st.integers(900, 2100) | st.integers(0, 2**63 - 1)


@given(FIRST, st.integers(0, 2200), st.sampled_from([b"", b"100%d", b"7"]), st.sampled_from([b"}"]))
def test_halves_of_numbers_are_the_numbers(
    first: int, count: int, before: bytes, after: bytes
) -> None:
    begins, rests = halves(before, range(first, first + count), ends(after))

    assert list(map(add, begins, rests)) == [
        before + b"%d" % number + after for number in range(first, first + count)
    ]


@given(FIRST, st.integers(1, 30), st.booleans())
def test_the_offset_of_each_document_is_added(first: int, count: int, gaps: bool) -> None:
    offsets = range(first, first + count)
    records = [FakeRecord("orders", 0, offset, b"{}") for offset in offsets]
    ids = list(offsets) if gaps else offsets
    documents = Documents([b"{}"] * count, [*records], ids)

    made = column("offset", "100%d")(documents, b'{"%d":1,')

    read = [orjson.loads(front[:-1] + b"}") for front in made]
    assert read == [{"%d": 1, "100%d": offset} for offset in offsets]
