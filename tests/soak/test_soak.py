"""
What the soak makes of what it saw, and the schedules of its mishaps.
"""

import json
from itertools import combinations
from pathlib import Path
from random import Random

from tests.faults.mishaps import MISHAPS, Planned, schedule
from tests.soak.figures import Soak, caught_up_s, flat_figures, most_mib
from tests.soak.plot import draw
from tests.soak.sampling import Sample, Vitals


def _samples(*, growing_mib: float = 0.0, growing_fds: int = 0, count: int = 100) -> list[Sample]:
    """
    Make a look every five seconds at a sink that ran all the time, and at one that did not.
    """
    return [
        Sample(
            at_s=5.0 * n,
            produced=1_000 * n,
            committed=900 * n,
            lag=100 * n,
            sinks=[
                Vitals(1, 100 + growing_mib * n / count, 30 + growing_fds * n // count, 12),
                None,
            ],
        )
        for n in range(count)
    ]


def _soak(samples: list[Sample], **figures: int) -> Soak:
    usual = {"missing": 0, "twice": 0, "too_far": 0, "produced_per_s": 1_000} | figures
    return Soak(
        minutes=8,
        seed=1,
        per_s=1_000,
        records=480_000,
        drain_s=2.0,
        most_lag=9_900,
        memory_bound_mib=285,
        most_mib=most_mib(samples),
        caught_up_s=60.0,
        flat=flat_figures(samples, 60.0),
        mishaps=[Planned(60, 80, "broker frozen", 0)],
        samples=samples,
        **usual,
    )


def test_a_sink_that_stays_as_it_was_is_no_finding() -> None:
    assert _soak(_samples()).findings() == []


def test_memory_and_descriptors_that_grow_are_findings() -> None:
    found = _soak(_samples(growing_mib=60, growing_fds=20)).findings()

    assert [each.split(" is not flat")[0] for each in found] == ["RSS, MiB", "file descriptors"]


def test_what_is_lost_doubled_or_over_the_bound_is_a_finding() -> None:
    found = _soak(_samples(growing_mib=300), missing=3, twice=2, too_far=1).findings()

    assert found[:3] == [
        "E is broken for 3 records",
        "D is broken for 2 records",
        "O is broken for 1 records",
    ]
    assert "over the bound, 285" in found[-1]


def test_a_producer_that_did_not_keep_up_is_a_finding() -> None:
    (found,) = _soak(_samples(), produced_per_s=900).findings()

    assert "900 records a second, not 1000" in found


def test_the_backlog_is_done_when_the_lag_is_small_again_after_the_outage() -> None:
    lags = [0, 0, 900, None, 2_000, 1_200, 90, 700]
    samples = [Sample(5.0 * n, 0, None, lag, []) for n, lag in enumerate(lags)]

    assert caught_up_s(samples, outage_over_s=12, lag_max=100) == 30
    assert caught_up_s(samples, outage_over_s=31, lag_max=100) == float("inf")


def test_too_short_a_time_to_tell_what_grows_is_a_finding() -> None:
    (found,) = _soak(_samples(count=20)).findings()

    assert "too little time is left" in found


def test_figures_and_plot_are_kept(tmp_path: Path) -> None:
    soak = _soak(_samples())
    soak.keep(tmp_path / "results" / "soak.json")
    draw(soak, tmp_path / "soak.svg")

    kept = json.loads((tmp_path / "results" / "soak.json").read_text())
    assert kept["records"] == 480_000
    assert len(kept["samples"]) == 100
    assert "480,000 records, 0 lost, 0 twice" in (tmp_path / "soak.svg").read_text()


def test_a_schedule_is_its_seed_s_and_hits_nothing_twice_at_a_time() -> None:
    plans = [
        schedule(Random(seed), through_s=20, gap_s=(0.1, 1.0), hold_s=(0.2, 2.5), sinks=[0, 1])
        for seed in [*range(50), 0]
    ]
    assert plans[0] == plans[-1]
    assert {each.name for plan in plans for each in plan} == MISHAPS.keys()
    for plan in plans:
        for one, other in combinations(plan, 2):
            at_once = one.at_s <= other.until_s and other.at_s <= one.until_s
            assert not (at_once and one.hits & other.hits)
