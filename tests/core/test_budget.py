"""
The memory bound that is logged at the start, held against the formula of the design page.
"""

import pytest

from sink.config import Config
from sink.core.budget import extra_bytes, memory_bound_bytes, places, value_bytes
from sink.testing import FakeRecord

MIB = 1024 * 1024
SETTINGS: dict[str, dict[str, int]] = {
    "kafka": {
        "threads": 3,
        "queued_kbytes": 1024,
        "fetch_bytes_max": 2_000_000,
        "compression_ratio_max": 10,
        "poll_bytes_max": 3_000_000,
    },
    "bulk": {
        "bytes_max": 2_000_000,
        "docs_max": 1000,
        "queue_slots": 4,
        "in_flight": 5,
    },
    "park": {"bytes_max": 40_000_000},
}


def _config(section: str = "", name: str = "") -> Config:
    """
    Give the settings, one of them raised by one.
    """
    changed = {key: dict(values) for key, values in SETTINGS.items()}
    if section:
        changed[section][name] += 1
    return Config.model_validate({**changed, "routes": [{"name": "ekk", "prefix": "ekk-"}]})


def test_the_bound_is_that_of_the_formula() -> None:
    objects = 1000 * 450
    answer = 10 * 2_000_000
    prefetch = 1024 * (1024 + 350) + answer + answer // 500 * 350
    threads = 3 * (prefetch + 3 * 3_000_000 + objects)
    bulks = (4 + 5 + 3) * (2 * 2_000_000 + objects)
    bodies = 2 * 5 * 1_200_000

    bound = memory_bound_bytes(_config())

    assert bound == threads + bulks + bodies + 40_000_000 + 2 * 16 * MIB + 80 * MIB


def test_a_bulk_that_its_caller_runs_has_a_place_beside_the_others() -> None:
    assert places(_config()) == 4 + 5 + 3


@pytest.mark.parametrize(
    ("section", "name", "bytes_more"),
    [
        ("kafka", "queued_kbytes", 3 * (1024 + 350)),
        ("kafka", "fetch_bytes_max", 3 * 10),
        ("kafka", "compression_ratio_max", 3 * (2_000_000 + 4_000 * 350)),
        ("kafka", "poll_bytes_max", 3 * 3),
        ("park", "bytes_max", 1),
        ("bulk", "docs_max", 450 * (3 + 12)),
        ("bulk", "bytes_max", 2 * 12),
        ("bulk", "queue_slots", 2 * 2_000_000 + 450_000),
        ("bulk", "in_flight", 2 * 2_000_000 + 2 * 1_200_000 + 450_000),
    ],
)
def test_each_setting_adds_what_an_operator_reads_of_it(
    section: str, name: str, bytes_more: int
) -> None:
    assert memory_bound_bytes(_config(section, name)) - memory_bound_bytes(_config()) == bytes_more


def test_a_body_that_is_compressed_is_written_as_a_whole() -> None:
    pieces = _config()
    whole = pieces.model_copy(
        update={"elasticsearch": pieces.elasticsearch.model_copy(update={"compress": True})}
    )

    assert memory_bound_bytes(whole) - memory_bound_bytes(pieces) == 2 * 5 * 800_000


def test_a_record_takes_its_key_and_its_headers_beside_its_value() -> None:
    bare = FakeRecord("ekk-a", 0, 0, b"{}")
    laden = FakeRecord(
        "ekk-a", 0, 1, b"{}", key=b"key", headers=[("trace", b"12345"), ("none", None)]
    )

    assert extra_bytes([bare]) == 0
    assert extra_bytes([laden]) == 3 + 160 + 10 + 160 + 4
    for pairs in (1000, 1024):  # both kinds are met, whatever their number
        assert extra_bytes([bare, laden] * pairs) == pytest.approx(337 / 2, rel=0.1)


def test_the_value_of_a_record_is_estimated_by_the_mean_and_none_counts_as_empty() -> None:
    records = [FakeRecord("a", 0, 0, value) for value in (b"x" * 30, None, b"")]

    assert value_bytes(records) == 10
    assert value_bytes([]) == 0
