"""
Draws a soak: lag, rate and memory over time, mishaps as coloured stripes.
"""

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.soak.figures import Soak
from tests.soak.sampling import Sample

_COLOURS = {"sink": "tab:blue", "Elasticsearch": "tab:red", "broker": "tab:green"}
_OTHER = "tab:orange"  # indices
_SMOOTH = 3  # samples


def draw(soak: Soak, path: Path) -> None:
    """
    Write an SVG.
    """
    # Text stays text and ids are the same each time: a small file, and small differences.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "soak", "font.size": 9}):
        figure = Figure(figsize=(9, 7), layout="constrained")
        lag, rate, memory = figure.subplots(3, 1, sharex=True)
        _stripes(soak, [lag, rate, memory])
        told = [sample for sample in soak.samples if sample.lag is not None]
        lag.plot(_minutes(told), [sample.lag or 0 for sample in told], "k", lw=1)
        lag.set_ylabel("lag, records")
        _rate(rate, told, soak.per_s)
        _memory(memory, soak)
        memory.set_xlabel("minutes")
        lag.set_title(
            f"{soak.minutes:g} minutes, {soak.per_s:,} records/s: {soak.records:,} records, "
            f"{soak.missing} lost, {soak.twice} twice"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _minutes(samples: list[Sample]) -> list[float]:
    return [sample.at_s / 60 for sample in samples]


def _stripes(soak: Soak, panels: list[Axes]) -> None:
    """
    Draw each mishap from its begin to its end; the colour tells what was hit.
    """
    seen: set[str] = set()
    for each in soak.mishaps:
        kind = next((kind for kind in _COLOURS if kind in each.told), "indices")
        colour = _COLOURS.get(kind, _OTHER)
        for panel in panels:
            label = None if kind in seen else f"{kind} hit"
            panel.axvspan(each.at_s / 60, each.until_s / 60, color=colour, alpha=0.25, label=label)
        seen.add(kind)
    panels[0].legend(loc="upper left", fontsize=7)


def _rate(panel: Axes, told: list[Sample], per_s: int) -> None:
    pairs = [*zip(told, told[_SMOOTH:], strict=False)]
    rates = [
        ((after.committed or 0) - (before.committed or 0)) / (after.at_s - before.at_s)
        for before, after in pairs
    ]
    panel.plot([after.at_s / 60 for _, after in pairs], rates, "k", lw=1, label="committed")
    panel.axhline(per_s, color="grey", lw=1, ls=":", label="produced")
    panel.set_ylabel("records/s")
    panel.legend(loc="upper left", fontsize=7)


def _memory(panel: Axes, soak: Soak) -> None:
    for number, colour in ((0, "k"), (1, "tab:purple")):
        ran = [sample for sample in soak.samples if sample.sinks[number]]
        rss = [sink.rss_mib for sample in ran if (sink := sample.sinks[number])]
        panel.plot(_minutes(ran), rss, ".", ms=2, color=colour, label=f"sink {number}")
    panel.axhline(soak.memory_bound_mib, color="tab:red", lw=1, ls=":", label="bound")
    panel.set_ylim(bottom=0)
    panel.set_ylabel("RSS, MiB")
    panel.legend(loc="lower left", fontsize=7)
