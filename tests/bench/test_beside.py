"""
The tables of the benches beside other programs, of latency, growth and the engine.
"""

from bench.engine import page as engine_page
from bench.engine.result import Engine
from bench.engine.run import Indexed
from bench.latency import page as latency_page
from bench.latency.paced import Paced
from bench.latency.result import Latency, Paces
from bench.latency.result import targets as latency_targets
from bench.measure import Sample
from bench.null_server import Delays
from bench.peers import page as peers_page
from bench.peers.behaviour import Killed, Refused
from bench.peers.result import Beside, targets
from bench.result import Result
from bench.scale import page as scale_page
from bench.scale.result import Grouped, Grown, Idle, Scale, Started, partition_kb
from bench.scale.result import targets as scale_targets
from bench.surroundings import Machine

_MACHINE = Machine(processor="a processor", cores=2, memory_gib=8.0)


def _sample(cpu_s: float, wall_s: float = 4.0) -> Sample:
    return Sample(cpu_s=cpu_s, start_cpu_s=0.5, wall_s=wall_s, rss_mib=100, bulks=400, load=1.5)


def _beside(lost: int = 0, kept: int = 20) -> Beside:
    moved = Result(
        records=1_000_000,
        record_bytes=501,
        topics=2,
        partitions=24,
        machine=_MACHINE,
        versions={"sink": "1.2.3"},
        reading={},
        samples={
            "floor": [_sample(1.0)],
            "sink": [_sample(2.0)],
            "rsyslog": [_sample(5.0, wall_s=8.0)],
        },
    )
    return Beside(
        moved=moved,
        what={"floor": "the floor loop", "sink": "`sink run`", "rsyslog": "rsyslog 8"},
        not_run={"Other": "it could not be had"},
        killed={"sink": [Killed(killed_at=9, lost=lost, twice=7, load=1.0)]},
        killed_records=400_000,
        refused={"sink": Refused(refused=20, sent=20, taken=980, kept=kept, lag=0, load=1.0)},
        refused_records=20_000,
    )


def test_each_program_is_held_against_the_floor_and_rsyslog() -> None:
    table = peers_page.measured(_beside())

    assert "| `sink run` | 2.00 (2.00 … 2.00) | 250,000 (250,000 … 250,000) " in table
    assert "| 2.00 | 0.40 | none lost, 7 sent again | 20 kept, goes on |" in table
    assert "| Other | not run: it could not be had |" in table


def test_the_targets_beside_others_are_met_and_missed() -> None:
    assert all(each.met for each in targets(_beside()))
    assert [each.what for each in targets(_beside(lost=1, kept=19)) if not each.met] == [
        "documents lost by a SIGKILL",
        "refused documents kept",
    ]


def test_what_comes_again_for_ever_and_what_is_stuck_is_told() -> None:
    one = _beside()
    one["refused"]["sink"] = Refused(refused=20, sent=520, taken=900, kept=0, lag=80, load=1.0)

    assert "0 kept, sent again 500 times, 80 records behind |" in peers_page.measured(one)


def test_latency_is_held_against_both_percentiles_at_each_rate() -> None:
    delays = Delays(documents=20_000, p50_ms=60.0, p90_ms=99.0, p99_ms=250.1, max_ms=400.0)
    own = Paced(records=20_000, late_p99_ms=2.0, acked_p50_ms=5.0, acked_p99_ms=9.0)
    run = Paces(delays=delays, producer=own, bulks=100, cpu_share=0.1, load=1.0)
    one = Latency(machine=_MACHINE, versions={}, partitions=24, seconds=20, runs={"1000": [run]})

    assert [each.met for each in latency_targets(one)] == [True, False]
    assert "| 1,000 | 60.0 (60.0 … 60.0) | 250.1 (" in latency_page.rendered(one)
    assert "Provisional" not in latency_page.rendered(one)


def test_figures_taken_under_other_load_are_called_provisional() -> None:
    one = _beside()
    one["moved"]["samples"]["sink"][0]["load"] = 3.1

    assert "**Provisional" in peers_page.rendered(one)


def _scale(rss_mib: float) -> Scale:
    def grown(us: float) -> list[Grown]:
        return [Grown(us_per_record=us, start_cpu_s=1.0, rss_mib=150, load=1.0)]

    return Scale(
        machine=_MACHINE,
        versions={},
        records=2_000_000,
        grown={"1x12": grown(2.0), "1000x3": grown(3.0)},
        idle={
            "1x12": [Idle(cpu_share=0.001, rss_mib=100, load=1.0)],
            "1000x1": [Idle(cpu_share=0.01, rss_mib=120, load=1.0)],
            "1000x3": [Idle(cpu_share=0.02, rss_mib=rss_mib, load=1.0)],
        },
        started=[Started(help_s=0.2, first_s=1.0, load=1.0)],
        grouped={"1": [Grouped(us_per_record=2.5, records_per_s=400_000, rss_mib=180, load=1.0)]},
    )


def test_memory_a_partition_is_what_the_further_ones_add() -> None:
    assert round(partition_kb(_scale(rss_mib=157)), 1) == 20.0


def test_growth_is_held_against_the_least_shape() -> None:
    assert [each.measured for each in scale_targets(_scale(rss_mib=157))] == [
        1.5, 20.0, 1.0, 200, 1.0
    ]  # fmt: skip
    assert all(each.met for each in scale_targets(_scale(rss_mib=157)))


def test_the_model_gives_processes_and_cores_for_a_load() -> None:
    page = scale_page.rendered_scaling(_scale(rss_mib=157), engine_us=25.0)

    assert "| 1,000,000 | 5 | 2.50 | 25.0 |" in page
    assert "10 times what it costs the\n  sink" in page


def test_each_variant_is_held_against_the_defaults() -> None:
    def indexed(engine_s: float, wall_s: float) -> list[Indexed]:
        return [
            Indexed(engine_cpu_s=engine_s, sink_cpu_s=1.0, wall_s=wall_s, store_mb=43, load=1.0)
        ]

    one = Engine(
        machine=_MACHINE,
        versions={},
        records=300_000,
        varied={"base": ("the defaults", ""), "no-ids": ("id", "none")},
        defaults={"id": "offset"},
        runs={"base": indexed(9.0, 10.0), "no-ids": indexed(11.0, 8.0)},
    )
    page = engine_page.rendered(one)

    assert "| id | offset | none: +22 % CPU, +25 % documents/s |" in page
    assert "sink's and Elasticsearch's | at most 15 | 10 | met |" in page
