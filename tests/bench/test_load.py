"""
The records that the bench moves.
"""

import json

from bench.load import RECORD_BYTES, SIX_TOPICS, TOPICS, values


def test_records_are_json_objects_of_one_length_and_no_two_are_equal() -> None:
    records = list(values(25_000))

    assert {len(record) for record in records} == {RECORD_BYTES}
    assert len(set(records)) == 25_000
    assert all(isinstance(json.loads(record), dict) for record in records[:10_000])


def test_one_record_in_ten_is_not_ascii() -> None:
    assert sum(not record.isascii() for record in values(10_000)) == 1_000


def test_the_load_is_24_partitions_of_2_topics() -> None:
    assert (len(TOPICS), sum(TOPICS.values())) == (2, 24)


def test_six_topics_of_equal_size_are_read_while_an_index_is_blocked() -> None:
    assert list(SIX_TOPICS.values()) == [4] * 6
