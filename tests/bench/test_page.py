"""
The page and the table that show a result.
"""

from bench.measure import Peak, Sample
from bench.memory_page import rendered as rendered_memory
from bench.page import measured, rendered, rendered_accounting, rendered_parked
from bench.result import Peaks, Result
from bench.surroundings import Machine


def _result(sink_cpu_s: float) -> Result:
    return Result(
        records=1_000_000,
        record_bytes=501,
        topics=2,
        partitions=24,
        machine=Machine(processor="a processor", cores=2, memory_gib=8.0),
        versions={"sink": "1.2.3"},
        reading={"fetch.wait.max.ms": 100},
        samples={"floor": [_sample(1.0)], "sink": [_sample(sink_cpu_s)]},
    )


def _sample(cpu_s: float, wall_s: float = 4.0) -> Sample:
    return Sample(cpu_s=cpu_s, start_cpu_s=0.5, wall_s=wall_s, rss_mib=100, bulks=400, load=1.5)


def test_a_kept_bound_reads_yes() -> None:
    page = rendered(_result(sink_cpu_s=2.5))

    assert "| CPU a record, in times the floor loop's: at most 2.5 | 2.5 | yes |" in page
    assert "| peak RSS above the floor loop's, in MiB: at most 100 | 0 | yes |" in page


def test_a_broken_bound_reads_no() -> None:
    page = rendered(_result(sink_cpu_s=2.6))

    assert "| CPU a record, in times the floor loop's: at most 2.5 | 2.6 | **no** |" in page


def test_the_page_says_with_what_and_where_it_was_measured() -> None:
    page = rendered(_result(sink_cpu_s=2.0))

    assert "1,000,000 log records of 501 bytes in 24 partitions\n  of 2 topics" in page
    assert "librdkafka: `fetch.wait.max.ms=100`." in page
    assert "On 2 cores (a processor), 8.0 GiB, load average before a run 1.5" in page


def test_the_table_has_a_row_for_each_candidate_with_median_and_extremes() -> None:
    result = _result(sink_cpu_s=2.0)
    result["samples"]["sink"] += [_sample(2.2), _sample(1.9)]

    assert (
        "| `sink run`, everything on | 2.00 (1.90 … 2.20) | 250,000 (250,000 … 250,000) "
        "| 100.0 (100.0 … 100.0) | 0.50 (0.50 … 0.50) |"
    ) in measured(result)


def test_the_page_tells_what_a_blocked_index_costs_the_others() -> None:
    result = _result(sink_cpu_s=2.0)
    result["samples"] = {
        "well": [_sample(2.5)],
        "held": [_sample(2.6, wall_s=4.1)],
        "default": [_sample(4.5, wall_s=8.0)],
    }

    page = rendered_parked(result)

    assert "| no index is blocked | 250,000 (250,000 … 250,000) | | | 100.0 (" in page
    assert "documents | 243,902 (243,902 … 243,902) | 2.4 (2.4 … 2.4) | 5.0 (5.0 … 5.0) |" in page
    assert "`park.bytes_max` holds all its documents, in %: at most 5 | 2.4 | yes |" in page
    assert "`park.bytes_max` as by default, in %: at most 5 | 50 | **no** |" in page


def test_the_page_tells_what_the_account_costs_pair_by_pair() -> None:
    result = _result(sink_cpu_s=2.0)
    result["samples"] = {
        "without": [_sample(2.5), _sample(4.5), _sample(2.5)],
        "with": [_sample(2.54), _sample(4.9), _sample(2.58)],  # of which 0.5 s are the start
    }

    page = rendered_accounting(result)

    assert "| without tracking, ledger and commits | 2.50 (2.50 … 4.50) | 250,000 (" in page
    assert "| `sink run`, everything on | 2.58 (2.54 … 4.90) | 250,000 (" in page
    assert "250,000) | 4.0 (2.0 … 10.0) |" in page
    assert "ledger and commits, in % of the rest: at most 5 | 4 | yes |" in page
    assert "take turns, 3 pairs;" in page


def test_the_page_tells_which_kinds_of_records_outgrow_the_bound() -> None:
    peaks = Peaks(
        machine=Machine(processor="a processor", cores=2, memory_gib=8.0),
        versions={"sink": "1.2.3"},
        delay_ms=200,
        peaks={
            "200": Peak(rss_mib=330.0, bound_mib=300, bulks=7),
            "parked": Peak(rss_mib=330.2, bound_mib=300, bulks=8),
        },
    )

    page = rendered_memory(peaks)

    assert "| 200 bytes | 600,000 | 7 | 330 | 300 | yes |" in page
    assert "read again from the parked topic | 200,000 | 8 | 330 | 300 | **no** |" in page
    assert "On 2 cores (a processor). sink 1.2.3." in page
