"""
Shows the bench of the number of bulks under way: its table, its target, its part of the page.
"""

import json
from pathlib import Path
from typing import NamedTuple, TypedDict

from bench.measure import Spread, spread
from bench.null_server import Behaviour
from bench.surroundings import Machine
from bench.tables import table, text, where
from bench.target import Target
from bench.target import table as target_table

LATEST = Path(__file__).parent / "results" / "adaptive.json"
FIXED = (1, 2, 4, 8)


class Server(NamedTuple):
    """
    A null Elasticsearch of one kind.
    """

    what: str  # for the report
    behaviour: Behaviour


SERVERS = {
    "fast": Server("answers at once", {}),
    "slow": Server("takes 20 ms for a bulk", {"delay_ms": 20}),
    "stalling": Server(
        "takes 20 ms, and does nothing for 0.1 s each second", {"delay_ms": 20, "stall_ms": 100}
    ),
}

_PAGE = """
## How many bulks at a time

The sink sends as few bulks at a time as give the best rate, `bulk.in_flight` (8) at most. Here it
is held against fixed numbers, on null servers of three kinds. Documents a second:

{measured}

{targets}

    make bench-adaptive

- {records:,} records, bulks of 500; the first quarter, in which it learns, is not timed. Medians of
  {runs} runs, in turns.
- The fast server shows that more at a time gain nothing there; in the others the number decides.
"""


class Run(TypedDict):
    """
    One run.
    """

    docs_per_s: float  # without the first quarter
    load: float


class Adaptive(TypedDict):
    """
    One bench.
    """

    machine: Machine
    versions: dict[str, str]
    records: int
    found: dict[str, dict[str, list[Run]]]  # by server, and by number of bulks under way


def name(number: int | None) -> str:
    """
    Name a number of bulks under way; None is found by the sink.
    """
    return "found" if number is None else str(number)


def read() -> Adaptive:
    """
    Read the latest result.
    """
    kept: Adaptive = json.loads(LATEST.read_text("utf-8"))
    return kept


def _rate(runs: list[Run]) -> Spread:
    return spread([run["docs_per_s"] for run in runs])


def targets(one: Adaptive) -> list[Target]:
    """
    Hold the rate with the number that is found against that with the best fixed one.
    """
    return [
        Target(
            f"documents/s where it {SERVERS[server].what}, in times the best fixed number's",
            round(_rate(samples[name(None)]).median / best, 2),
            0.9,
            least=True,
        )
        for server, samples in one["found"].items()
        for best in [max(_rate(samples[name(number)]).median for number in FIXED)]
    ]


def measured(one: Adaptive) -> str:
    """
    Return the rates as a table, and where they were measured.
    """
    head = ["Elasticsearch", "number found", *(f"{number} at a time" for number in FIXED)]
    rows = [
        [SERVERS[server].what, *(text(_rate(samples[name(n)]), 0) for n in (None, *FIXED))]
        for server, samples in one["found"].items()
    ]
    loads = [
        run["load"]
        for samples in one["found"].values()
        for runs in samples.values()
        for run in runs
    ]
    return table(head, rows) + "\n\n" + where(one["machine"], one["versions"], loads)


def rendered(one: Adaptive) -> str:
    """
    Return the part of docs/performance.md.
    """
    runs = max(len(each) for samples in one["found"].values() for each in samples.values())
    return _PAGE.format(
        measured=measured(one),
        targets=target_table(targets(one)),
        records=one["records"],
        runs=runs,
    )
