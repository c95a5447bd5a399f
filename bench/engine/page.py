"""
Shows what a document costs Elasticsearch: tables, a plot, a part of docs/performance.md.
"""

from bench import plot
from bench.engine.result import Cost, Engine, costs, targets
from bench.engine.variants import BASE
from bench.tables import table, text, where
from bench.target import table as target_table

_PAGE = """
## A real Elasticsearch

{measured}

![CPU a document](results/engine.svg)

{targets}

What Elasticsearch spends on a document with each value, beside the default:

{follows}

    make bench-engine

- {records:,} records of 12 partitions into one empty index of the sink's own template, one node, no
  replica. Each row differs from the first in one thing. In turns, medians of {runs} runs, after
  three that warm Elasticsearch up and do not count.
- CPU of both processes is from the first document to the last and their refresh; merges that go on
  afterwards are not in it, starting is not either. Elasticsearch, the broker and the sink share
  the machine.
- MD5 ids stand for all ids in no order: of the content, random ones, UUIDs.
"""


def measured(one: Engine) -> str:
    """
    Return the figures of all variants as a table, and where they were measured.
    """
    head = [
        "varied",
        "",
        "Elasticsearch, µs CPU a document",
        "sink, µs",
        "sink's share, %",
        "documents/s",
        "store, MB",
    ]
    rows = [[*one["varied"][name], *_cells(each)] for name, each in costs(one).items()]
    loads = [run["load"] for runs in one["runs"].values() for run in runs]
    return table(head, rows) + "\n\n" + where(one["machine"], one["versions"], loads)


def _cells(each: Cost) -> list[str]:
    return [
        text(each.engine_us, 1),
        text(each.sink_us, 2),
        text(each.share, 1),
        text(each.records_per_s, 0),
        text(each.store_mb, 0),
    ]


def _follows(one: Engine) -> str:
    """
    Compare each value of each setting with the default.
    """
    by_name = costs(one)
    base = by_name[BASE]
    rows = []
    for setting, default in one["defaults"].items():
        others = [
            f"{value}: {_percent(by_name[name].engine_us.median, base.engine_us.median)}"
            f" CPU, {_percent(by_name[name].records_per_s.median, base.records_per_s.median)}"
            " documents/s"
            for name, (varied, value) in one["varied"].items()
            if varied == setting and name in by_name
        ]
        rows.append([f"`{setting}`" if "." in setting else setting, default, "; ".join(others)])
    return table(["Setting", "Default", "Other values, against the default"], rows)


def _percent(value: float, base: float) -> str:
    return f"{100 * (value / base - 1):+.0f} %"


def rendered(one: Engine) -> str:
    """
    Return the part of the page.
    """
    return _PAGE.format(
        measured=measured(one),
        targets=target_table(targets(one)),
        follows=_follows(one),
        records=one["records"],
        runs=len(one["runs"][BASE]),
    )


def draw(one: Engine) -> None:
    """
    Write the plot.
    """
    by_name = costs(one)
    with plot.drawn("engine", 2) as (engine, speed):
        plot.bars(
            engine, {name: each.engine_us for name, each in by_name.items()}, "Elasticsearch, µs"
        )
        plot.bars(
            speed, {name: each.records_per_s for name, each in by_name.items()}, "documents/s"
        )
