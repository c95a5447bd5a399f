"""
How many records a poll takes: what they keep in memory counts, not their number alone.
"""

from typing import cast

import pytest

from sink.config import Config
from sink.core.record import Headers, Record
from sink.edge.readiness import Readiness
from sink.reading.intake import Intake, RecordSource
from sink.testing import FakeRecord

CONFIG = Config.model_validate(
    {
        "routes": [{"name": "ekk", "prefix": "ekk-"}],
        "bulk": {"docs_max": 5000, "bytes_max": 1_000_000},
        "kafka": {"poll_bytes_max": 2_000_000},
    }
)
TRACE: Headers = [(f"trace-{n:02}", b"x" * 30) for n in range(20)]


class _Asked:
    """
    A source that only notes how many records were wanted.
    """

    def __init__(self) -> None:
        self.records_max = 0

    def poll(self, records_max: int, _: float) -> tuple[list[Record], list[object]]:
        self.records_max = records_max
        return [], []


def _record(value_bytes: int, headers: Headers | None = None) -> Record:
    return FakeRecord("ekk-a", 0, 0, b"x" * value_bytes, headers=headers)


def _wanted(*polls: tuple[list[Record], int]) -> int:
    """
    Tell how many records are wanted after some polls: the records and what was made of each poll.
    """
    intake = Intake(CONFIG, Readiness())
    for records, made_bytes in polls:
        intake.took(records, made_bytes)
    source = _Asked()
    intake.take(cast("RecordSource", source), idle=False)
    return source.records_max


@pytest.mark.parametrize(
    ("record", "made_bytes", "wanted"),
    [
        (_record(100), 150, 3906),  # twice as many as before at most
        (_record(10_000), 10_000, 200),
        (_record(1_000), 20_000, 100),  # an array: what is made of it counts
        (_record(10_000), 0, 200),  # dropped, or read for commands only
        (_record(500, TRACE), 500, 224),  # 20 headers of 198 bytes, and all of it fits one bulk
        (_record(5_000_000), 5_000_000, 1),
    ],
)
def test_a_poll_takes_as_many_as_fit(record: Record, made_bytes: int, wanted: int) -> None:
    assert _wanted(([record] * 10, 10 * made_bytes)) == wanted


def test_after_large_records_polls_grow_step_by_step() -> None:
    large, small = ([_record(100_000)] * 5, 500_000), ([_record(100)] * 5, 500)

    assert [_wanted(large, *[small] * n) for n in range(4)] == [20, 40, 80, 160]
