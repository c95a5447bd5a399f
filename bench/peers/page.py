"""
Shows the bench beside the peers: a table, a plot, a part of docs/performance.md.
"""

from bench.peers.behaviour import Killed, Refused
from bench.peers.result import Beside, summed, targets
from bench.tables import table, text, where
from bench.target import table as target_table

_PAGE = """
## Beside other programs

{measured}

![CPU a record and records/s](results/peers.svg)

{targets}

    make bench-peers

- {records:,} records, the same topics, the same null Elasticsearch, in turns; medians of {runs}
  runs. Bulks of 5,000; four of them under way at once, where the sink finds its number by itself.
  The configurations stand in `bench/peers`. The floor loop checks, commits and retries nothing.
- **SIGKILL**: {killed_records:,} numbered documents, an Elasticsearch that takes 400 ms for a bulk;
  the process is killed when 40, 60 or 80 % have come, and started again. Listed is the worst of
  the kills. A document that comes twice is a second document where it has no id of its own; the
  sink's have one, so Elasticsearch keeps one.
- **Refused**: of {refused_records:,} documents each thousandth is refused with 400
  (document_parsing_exception), whenever it comes.
- rsyslog does not look into the JSON; the OpenTelemetry Collector turns whole numbers into floats.
"""


def measured(one: Beside) -> str:
    """
    Return the figures of all as a table, and where they were measured.
    """
    head = [
        "",
        "µs CPU a record",
        "records/s",
        "peak RSS, MiB",
        "times the floor",
        "times rsyslog",
        "lost by SIGKILL",
        "20 refused documents",
    ]
    by_name = summed(one)
    rows = []
    for name, figures in by_name.items():
        cpu, speed = text(figures.us_per_record, 2), text(figures.records_per_s, 0)
        times = [
            f"{figures.us_per_record.median / by_name[other].us_per_record.median:.2f}"
            if other in by_name
            else ""
            for other in ("floor", "rsyslog")
        ]
        behaviour = [_killed(one["killed"].get(name)), _refused(one["refused"].get(name))]
        rows.append([one["what"][name], cpu, speed, text(figures.rss_mib, 0), *times, *behaviour])
    rows += [[name, f"not run: {why}", *[""] * 6] for name, why in one["not_run"].items()]
    moved = one["moved"]
    loads = [run["load"] for runs in moved["samples"].values() for run in runs]
    return table(head, rows) + "\n\n" + where(moved["machine"], moved["versions"], loads)


def _killed(kills: list[Killed] | None) -> str:
    if kills is None:
        return ""
    worst = max(kills, key=lambda each: (each["lost"], each["twice"]))
    lost = f"{worst['lost']:,}" if worst["lost"] else "none"
    return f"{lost} lost, {worst['twice']:,} sent again"


def _refused(one: Refused | None) -> str:
    if one is None:
        return ""
    again = one["sent"] - one["refused"]
    sent = f", sent again {again:,} times" if again else ""
    goes_on = "goes on" if not one["lag"] else f"{one['lag']:,} records behind"
    return f"{one['kept']} kept{sent}, {goes_on}"


def rendered(one: Beside) -> str:
    """
    Return the part of the page.
    """
    return _PAGE.format(
        measured=measured(one),
        targets=target_table(targets(one)),
        records=one["moved"]["records"],
        runs=len(one["moved"]["samples"]["sink"]),
        killed_records=one["killed_records"],
        refused_records=one["refused_records"],
    )
