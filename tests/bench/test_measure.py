"""
The arithmetic of the bench.
"""

from pathlib import Path

import pytest

from bench import measure
from bench.measure import (
    Figures,
    Sample,
    Spread,
    bounds,
    figures,
    guard_bound,
    line,
    loss,
    loss_bounds,
    spread,
)


def _sample(cpu_s: float = 2.0, rss_mib: float = 100.0, wall_s: float = 4.0) -> Sample:
    return Sample(cpu_s=cpu_s, start_cpu_s=0.5, wall_s=wall_s, rss_mib=rss_mib, bulks=9, load=1.0)


def _figures(us: float, rss_mib: float) -> Figures:
    return figures([_sample(cpu_s=us, rss_mib=rss_mib)], records=1_000_000)


def test_a_spread_is_the_median_between_the_extremes() -> None:
    assert spread([3.0, 9.0, 1.0, 2.0, 8.0]) == Spread(median=3.0, low=1.0, high=9.0)


def test_cpu_is_spread_over_the_records_of_a_run_and_time_over_its_bulks() -> None:
    runs = [_sample(cpu_s=seconds) for seconds in (2.0, 4.0, 3.0)]

    summed = figures(runs, records=1_000_000)

    assert summed.us_per_record == Spread(median=3.0, low=2.0, high=4.0)
    assert summed.records_per_s == Spread(median=250_000, low=250_000, high=250_000)


def test_the_last_line_names_the_sink_the_floor_and_their_ratio() -> None:
    assert line(_figures(us=2.7, rss_mib=180.04), _figures(us=1.2, rss_mib=110.0)) == {
        "us_per_record": 2.7,
        "floor_us": 1.2,
        "ratio_floor": 2.25,
        "records_per_s": 250_000,
        "rss_mib": 180.0,
        "floor_rss_mib": 110.0,
    }


@pytest.mark.parametrize(
    ("us", "rss_mib", "holds"),
    [
        (2.5, 200.0, [True, True]),
        (2.51, 200.0, [False, True]),
        (2.5, 200.1, [True, False]),
    ],
)
def test_a_bound_holds_up_to_its_limit_and_no_further(
    us: float, rss_mib: float, holds: list[bool]
) -> None:
    last = line(_figures(us, rss_mib), _figures(us=1.0, rss_mib=100.0))

    assert [bound.holds for bound in bounds(last)] == holds


def test_a_loss_is_taken_pair_by_pair_and_leaves_the_start_out() -> None:
    well = [_sample(cpu_s=2.5, wall_s=3.0), _sample(cpu_s=4.5, wall_s=8.0)]
    blocked = [_sample(cpu_s=3.5, wall_s=4.0), _sample(cpu_s=4.5, wall_s=16.0)]

    lost = loss(well, blocked)

    assert lost.records_per_s == Spread(median=37.5, low=25.0, high=50.0)
    assert lost.us_per_record == Spread(median=25.0, low=0.0, high=50.0)


@pytest.mark.parametrize(("wall_s", "holds"), [(3.0, True), (4.2, True), (4.3, False)])
def test_other_topics_may_lose_five_percent(wall_s: float, holds: bool) -> None:
    lost = loss([_sample(wall_s=4.0)], [_sample(wall_s=wall_s)])

    assert [bound.holds for bound in loss_bounds({"it rains": lost})] == [holds]


def test_the_guard_takes_the_least_of_the_runs_without_their_start() -> None:
    floor = [_sample(cpu_s=1.5), _sample(cpu_s=9.0)]  # of which 0.5 s are the start

    assert guard_bound(floor, [_sample(cpu_s=9.0), _sample(cpu_s=3.5)]).holds
    assert not guard_bound(floor, [_sample(cpu_s=3.6), _sample(cpu_s=3.7)]).holds


def test_the_cpu_and_the_memory_of_children_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "_PROC", tmp_path)
    monkeypatch.setattr(measure, "_TICKS_PER_S", 100)
    _process(tmp_path, 10, ticks="150 50 20 30", peak_kib=2048, children="11 12")
    _process(tmp_path, 11, ticks="100 0 0 0", peak_kib=1024, children="13")
    _process(tmp_path, 12, ticks="0 100 0 0", peak_kib=1024, children="")
    _process(tmp_path, 13, ticks="0 0 100 0", peak_kib=1024, children="")

    assert measure.cpu_s(10) == 5.5
    assert measure.rss_mib(10) == 5.0


def _process(proc: Path, pid: int, *, ticks: str, peak_kib: int, children: str) -> None:
    """
    Lay out the files of a process as proc(5) has them, with a name that is hard to read.
    """
    thread = proc / str(pid) / "task" / str(pid)
    thread.mkdir(parents=True)
    (thread / "children").write_text(children)
    stat = f"{pid} (a) R (b) S 1 2 3 4 5 6 7 8 9 10 {ticks} 20 0"
    (proc / str(pid) / "stat").write_text(stat)
    (proc / str(pid) / "status").write_text(f"Name:\ta\nVmHWM:\t    {peak_kib} kB\nVmRSS:\t 1 kB\n")
