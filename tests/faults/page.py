"""
Writes docs/reliability.md from the kept results of the suites.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from engines import elasticsearch, kafka
from tests.faults.result import LATEST, Row, Verdict, read
from tests.faults.scenario import Scenario, all_scenarios
from tests.mutants.explained import Explanations
from tests.mutants.kept import mutated, rows

_RESULTS = LATEST.parent
_TEMPLATE = Path(__file__).with_name("reliability.template.md")


def reliability() -> str:
    """
    Return docs/reliability.md.
    """
    parts = {
        "scenarios": _scenarios(),
        "open": _open(),
        "schedules": _told("schedules", _schedules),
        "simulation": _told("simulation", _simulation),
        "fuzz": _told("fuzz", _fuzz),
        "soak": _told("soak", _soak),
        "mutants": _told("mutants", _mutants),
        "planted": _told("planted", _planted),
        "versions": f"Kafka {kafka.VERSION}, Elasticsearch {elasticsearch.VERSION}",
    }
    return _TEMPLATE.read_text("utf-8").format(**parts)


def _told(name: str, section: Callable[[Any], Iterable[str]]) -> str:
    """
    Give a section about a suite's last result; one that was never run says so.
    """
    path = _RESULTS / f"{name}.json"
    if not path.exists():
        return "No result is kept yet."
    return "\n".join(section(json.loads(path.read_text("utf-8"))))


def _table(*heads: str) -> list[str]:
    return [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]


def _scenarios() -> str:
    played = {row.key: row for row in read()}
    lines = _table(
        "#",
        "what is done to whom",
        "what must hold besides E, D, O",
        "engines",
        "seed",
        "records",
        "E / D / O",
        "recovered after",
        "verdict",
    )
    for key, scenario in all_scenarios().items():
        lines.append(f"| {key} | {' | '.join(_cells(scenario, played.get(key)))} |")
    return "\n".join(lines)


def _cells(scenario: Scenario, row: Row | None) -> Iterator[str]:
    size = f" ({scenario.size})" if scenario.size else ""
    yield scenario.fault + size
    yield scenario.promise + (f". Measured: {row.notes}" if row and row.notes else "")
    yield scenario.engine
    if row is None:
        yield from ("", "", "", "", "not played yet")
        return
    yield str(row.seed)
    yield f"{row.records:,}"
    yield f"{row.missing} / {row.twice} / {row.too_far}"
    yield "" if row.recover_s is None else f"{row.recover_s:.1f} s"
    yield str(row.verdict) if row.verdict is Verdict.GREEN else f"**{row.verdict}**"


def _open() -> str:
    lines = [
        f"- {key}, {scenario.fault}: {scenario.still_open}"
        for key, scenario in all_scenarios().items()
        if scenario.still_open
    ]
    return "\n".join(lines) or "None: each scenario of the table must be green."


def _schedules(told: Any) -> Iterator[str]:
    seeds, red = told["seeds"], told["red"]
    yield (
        f"Last run ({told['date']}): {len(seeds)} schedules, {told['records']:,} records, "
        f"{len(red)} red{': seeds ' + ', '.join(map(str, red)) if red else ''}. "
        f"Recovered after {told['recover_s'][0]:.1f} s in the median, {told['recover_s'][1]:.1f} s "
        "at most."
    )


def _simulation(told: Any) -> Iterator[str]:
    yield (
        f"Last run ({told['date']}): {told['schedules']:,} schedules from seed {told['seed']}, "
        f"{told['records']:,} records, {told['schedules_per_minute']:,} schedules a minute of CPU: "
        "none broke."
    )


def _fuzz(told: Any) -> Iterator[str]:
    yield f"Last run ({told['date']}), `{told['command']}`:"
    yield ""
    yield from _table("what is fed", "executions", "a second", "crashes")
    for target in told["targets"]:
        yield (
            f"| {target['what']} | {target['executions']:,} | {target['per_s']:,} "
            f"| {target['crashes']} |"
        )


def _soak(told: Any) -> Iterator[str]:
    command = f"make soak MINUTES={told['minutes']:.0f} SEED={told['seed']}"
    yield f"Last run ({told['date']}), `{command}`, {len(told['mishaps'])} mishaps:"
    yield ""
    yield from _table("figure", "measured")
    yield f"| records, at {told['produced_per_s']:,} a second | {told['records']:,} |"
    yield f"| E / D / O | {told['missing']} / {told['twice']} / {told['too_far']} |"
    yield f"| longest lag, in records | {told['most_lag']:,} |"
    yield f"| all is committed after the last mishap's end, in s | {told['drain_s']:.1f} |"
    rss = f"{told['most_mib']:.0f}, {told['memory_bound_mib']}"
    yield f"| most RSS of any sink, bound, in MiB | {rss} |"
    for what, flat in told["flat"].items():
        span = f"{flat['first_third']:.0f} → {flat['last_third']:.0f}, most {flat['most']:.0f}"
        yield f"| {what}, first → last third: {_flat(flat['is_flat'])} | {span} |"
    yield ""
    yield "![Lag, rate and memory over the run, mishaps as lines](soak.svg)"


def _flat(is_flat: bool) -> str:
    return "flat" if is_flat else "**grows**"


def _mutants(_: Any) -> Iterator[str]:
    yield from _table(
        "file", "source", "judged", "mutants", "killed", "in the time limit", "survive", "open"
    )
    reasons, kept = Explanations(), rows()
    for file, row in kept.items():
        figures = (row.mutants, row.killed, row.timeout, row.worded + len(row.survivors))
        left = len(row.open(reasons))
        cells = (
            file,
            f"`{row.source}`",
            row.date,
            *map(str, figures),
            f"**{left}**" if left else "0",
        )
        yield f"| {' | '.join(cells)} |"
    mutants = sum(row.mutants for row in kept.values())
    noticed = sum(row.killed + row.timeout for row in kept.values())
    yield ""
    yield f"Noticed: {noticed:,} of {mutants:,}."
    missing = [file for file in mutated() if file not in kept]
    if missing:
        yield ""
        yield f"**Without a row:** {', '.join(missing)}."


def _planted(told: Any) -> Iterator[str]:
    yield from _table("bug", "what its users would suffer", "where", "caught by")
    for bug in told["bugs"]:
        by = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in bug["by"])
        yield f"| {bug['name']} | {bug['harm']} | {bug['file']} | {by or '**nothing**'} |"
