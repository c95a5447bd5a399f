"""
Shows the latency: a table, a plot, a part of docs/performance.md.
"""

from bench import plot
from bench.latency.result import Latency, percentiles, targets
from bench.measure import spread
from bench.tables import table, text, where
from bench.target import table as target_table

_PAGE = """
## From produced to acknowledged

{measured}

![Delay by rate](results/latency.svg)

{targets}

    make bench-latency

- An open loop: a process of its own produces at a steady rate to {partitions} partitions, for
  {seconds:g} s at each rate, and nothing slows it down. Each record carries the time at which it
  was **due**: a producer, a broker or a sink that falls behind counts (no coordinated omission).
- The delay ends when the null Elasticsearch, which answers at once, is about to answer the bulk.
  Both times are of the same wall clock of one machine.
- The producer's own linger (5 ms) is part of it; its records have no key, so that it stays with one
  partition for 10 ms, as clients do by default. What passes until the broker has acknowledged a
  record is listed: no sink can be faster.
- `sink run` with its defaults. Medians of {runs} runs, each with a fresh process, the rates one
  after the other.
"""


def measured(one: Latency) -> str:
    """
    Return the delays at each rate as a table, and where they were measured.
    """
    head = [
        "records/s",
        "p50, ms",
        "p99, ms",
        "greatest, ms",
        "of it until the broker's ack, p50",
        "p99",
        "records a bulk",
        "% of a core",
    ]
    rows = []
    for rate, runs in one["runs"].items():
        p50, p99 = percentiles(runs)
        greatest = spread([run["delays"]["max_ms"] for run in runs])
        bulk = spread([run["delays"]["documents"] / run["bulks"] for run in runs])
        cpu = spread([100 * run["cpu_share"] for run in runs])
        acked = [
            text(spread([run["producer"]["acked_p50_ms"] for run in runs]), 1),
            text(spread([run["producer"]["acked_p99_ms"] for run in runs]), 1),
        ]
        delays = [text(p50, 1), text(p99, 1), text(greatest, 0)]
        rows.append([f"{int(rate):,}", *delays, *acked, text(bulk, 0), text(cpu, 0)])
    loads = [run["load"] for runs in one["runs"].values() for run in runs]
    return table(head, rows) + "\n\n" + where(one["machine"], one["versions"], loads)


def rendered(one: Latency) -> str:
    """
    Return the part of the page.
    """
    return _PAGE.format(
        measured=measured(one),
        targets=target_table(targets(one)),
        partitions=one["partitions"],
        seconds=one["seconds"],
        runs=max(map(len, one["runs"].values())),
    )


def draw(one: Latency) -> None:
    """
    Write the plot.
    """
    by_rate = {f"{int(rate):,}/s": percentiles(runs) for rate, runs in one["runs"].items()}
    with plot.drawn("latency", 2) as (p50, p99):
        plot.bars(p50, {rate: each[0] for rate, each in by_rate.items()}, "p50, ms")
        plot.bars(p99, {rate: each[1] for rate, each in by_rate.items()}, "p99, ms")
